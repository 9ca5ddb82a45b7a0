"""References as EHRs write them, brought to one form, `Type/id`, and followed within one call.

Servers send relative and absolute references, versions, `urn:uuid:` names of entries and contained
ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from cds_service.clinical.references import placed
from cds_service.fhir.bundles import Content, Entry
from cds_service.fhir.r4_dosage import Element, as_list
from cds_service.fhir.r4_resource import Identifier, Resource
from cds_service.fhir.resources import Json, kind_of, typed
from cds_service.fhir.salvage import Unreadable

_TYPED = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([^/#?]+)(?:/_history/[^/]*)?/?$")


def plain(reference: str | None) -> str:
    """`Type/id` without base, version or surrounding blanks; `urn:` and `#` references come back as
    they are.

    >>> plain("https://ehr.example.org/fhir/Patient/1/_history/3"), plain(" Patient/1 "), plain("urn:uuid:5")
    ('Patient/1', 'Patient/1', 'urn:uuid:5')
    >>> plain("#med"), plain(None)
    ('#med', '')
    """
    if not reference:
        return ""
    text = reference.strip()
    found = _TYPED.search(text)
    return f"{found[1]}/{found[2]}" if found else text


def bare_id(text: str, kind: str) -> str:
    """An id as the context should hold it: without the `Type/` that some clients send.

    >>> bare_id("Patient/1", "Patient"), bare_id("1", "Patient")
    ('1', '1')
    """
    found = plain(text)
    return found[len(kind) + 1 :] if found.startswith(kind + "/") else found


def ref_of(kind: str, identity: str | None, entry: Entry, at: int) -> str:
    """How a resource is referred to: by id, else by the `fullUrl` of its entry, else by its
    place.
    """
    if identity:
        return f"{kind}/{identity}"
    return plain(entry.full_url) or placed(kind, at)


class _Bearer(Element, frozen=True):
    identifier: tuple[Identifier, ...] | Identifier = ()


_BEARER: msgspec.json.Decoder[_Bearer] = msgspec.json.Decoder(_Bearer)


def _borne(raw: Json) -> tuple[Identifier, ...]:
    """The business identifiers of a resource; none where they are malformed."""
    try:
        return as_list(_BEARER.decode(raw).identifier)
    except msgspec.ValidationError:
        return ()


class Directory:
    """The contents of one call, searched only when a reference asks for it."""

    __slots__ = ("_bearers", "_by_ref", "_contents", "_kinds", "_known_kinds", "_names")

    def __init__(self) -> None:
        self._contents: list[Content] = []
        self._names: dict[str, str] | None = None
        self._kinds: dict[str, str] = {}  # of what only a `urn:` names
        self._by_ref: dict[str, Resource] = {}
        self._known_kinds: set[str] = set()
        self._bearers: dict[str, dict[Identifier, set[str]]] = {}

    def enter(self, contents: Iterable[Content]) -> None:
        """Let references be followed into contents; earlier ones come first."""
        self._contents.extend(contents)

    def add(self, ref: str, resource: Resource) -> None:
        """Let one reference be followed to a resource."""
        self._by_ref.setdefault(ref, resource)

    def resolved(self, reference: str | None) -> str:
        """The reference as `Type/id`, through the `fullUrl` of an entry where only that
        names one.
        """
        if not reference:
            return ""
        if reference.count("/") == 1 and reference[0].isupper() and reference[-1] != " ":
            return reference
        text = reference.strip()
        if text.startswith("urn:"):
            if self._names is None:
                self._names = self._read_names()
            return self._names.get(text, text)
        return plain(text)

    def find(self, reference: str | None) -> Resource | None:
        """The resource a reference names, or None."""
        ref = self.resolved(reference)
        kind = self._kinds.get(ref) or ref.partition("/")[0]
        if ref not in self._by_ref and kind not in self._known_kinds:
            self._known_kinds.add(kind)
            self._read_kind(kind)
        return self._by_ref.get(ref)

    def identified(self, kind: str, identifier: Identifier) -> str:
        """The one resource of a type that bears a business identifier, empty if none or several do."""
        if kind not in self._bearers:
            self._bearers[kind] = self._read_bearers(kind)
        found = self._bearers[kind].get(identifier, set())
        return next(iter(found)) if len(found) == 1 else ""

    def _read_bearers(self, kind: str) -> dict[Identifier, set[str]]:
        bearers: dict[Identifier, set[str]] = {}
        for content in self._contents:
            if content.uniform not in ("", kind):
                continue
            for at, entry in enumerate(content.entries):
                own, identity = kind_of(entry.resource)
                for each in _borne(entry.resource) if own == kind else ():
                    if each.value:
                        bearers.setdefault(each, set()).add(ref_of(kind, identity, entry, at))
        return bearers

    def _read_names(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for content in self._contents:
            if not content.mentions(b'"urn:'):
                continue
            for at, entry in enumerate(content.entries):
                if entry.full_url and entry.full_url.startswith("urn:"):
                    kind, identity = kind_of(entry.resource)
                    names.setdefault(entry.full_url, ref_of(kind, identity, entry, at))
                    self._kinds.setdefault(entry.full_url, kind)
        return names

    def _read_kind(self, kind: str) -> None:
        """Read the resources of one type, wherever they stand."""
        for content in self._contents:
            if content.uniform not in ("", kind) or not content.mentions(f'"{kind}"'.encode()):
                continue
            for at, entry in enumerate(content.entries):
                found, identity = kind_of(entry.resource)
                if found != kind:
                    continue
                try:
                    resource = typed(entry.resource)
                except Unreadable:
                    continue
                if resource is not None:
                    self.add(ref_of(kind, identity, entry, at), resource.resource)
