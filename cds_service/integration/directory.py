"""The site's directory, fetched from a FHIR server: services and roles that do what we order.

What comes is kept as it came, but for references, which become relative, and for what nobody reads.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cds_service.errors import CdsError
from cds_service.integration.server import Capability, FhirServer
from cds_service.knowledge.codes import Code
from cds_service.knowledge.directory import Directory
from cds_service.knowledge.directory_files import (
    KINDS,
    PAYER,
    codes_named,
    codes_of,
    read_directory,
)
from cds_service.knowledge.model import Knowledge

Json = dict[str, Any]

PARTNERS = ("HealthcareService", "PractitionerRole")
PRACTITIONER = "Practitioner"
PAGE = 200  # resources asked for at a time
_INCLUDED: Mapping[str, tuple[str, ...]] = {
    "HealthcareService": ("organization",),
    "PractitionerRole": ("organization", "service", "practitioner"),
}
_OWNERS = ("providedBy", "organization")
_UNREAD = ("text", "meta", "contained", "endpoint", "location", "coverageArea", "photo")


class BadDirectory(CdsError):
    """The server's directory could not be had whole, or holds nobody we would refer to."""


@dataclass(slots=True)
class Fetched:
    """What a server has: `resources` of the directory, and why others were `left_out`."""

    resources: list[Json] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)

    def leave_out(self, why: str) -> None:
        """Count one that is not kept."""
        self.left_out[why] = self.left_out.get(why, 0) + 1


def fetch(
    server: FhirServer, knowledge: Knowledge, wanted: Collection[Code], searches: Iterable[str] = ()
) -> Fetched:
    """The active services and roles that do any of `wanted`, with what they belong to.

    `searches` (`HealthcareService?program=preferred`) take the place of asking for all of them.
    Raises BadServer, BadDirectory.
    """
    able = server.capabilities()
    queries = tuple(searches) or tuple(_queries(able))
    if not queries:
        raise BadDirectory(f"{server.base} has no search of " + " or ".join(PARTNERS))
    found: dict[str, Json] = {}
    for query in queries:
        _check(query)
        found |= {_ref(each): each for each in _asked(server, query)}
    try:
        return _Sorter(server, knowledge, frozenset(wanted), found).kept()
    except (AttributeError, TypeError, ValueError):
        raise BadDirectory(f"{server.base}: a resource is not as FHIR R4 has it") from None


def write(path: Path, fetched: Fetched, knowledge: Knowledge) -> Directory:
    """Put the file in the place of the one before, once it reads well. Raises KnowledgeError,
    BadDirectory.
    """
    entries = [{"resource": resource} for resource in fetched.resources]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    try:
        with tempfile.TemporaryDirectory(prefix=".directory-", dir=path.parent) as folder:
            draft = Path(folder) / path.name
            with draft.open("w", encoding="utf-8") as file:
                json.dump(bundle, file, indent=1, ensure_ascii=False)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            directory = read_directory(draft, knowledge)
            draft.replace(path)
    except OSError as error:
        raise BadDirectory(f"{path.name} cannot be written: {error.strerror}") from None
    return directory


def _queries(able: Mapping[str, Capability]) -> Iterator[str]:
    """All of each kind that can be searched, with what they refer to where the server includes it.

    Not by `active`: one that does not say so counts as active, and no search would find it.
    """
    for kind in PARTNERS:
        capability = able.get(kind)
        if capability is None or "search-type" not in capability.interactions:
            continue
        included = "".join(
            f"&_include={kind}:{name}"
            for name in _INCLUDED[kind]
            if not capability.includes.isdisjoint({f"{kind}:{name}", "*"})
        )
        yield f"{kind}?_count={PAGE}{included}"


def _check(query: str) -> None:
    kind, asks, _ = query.partition("?")
    if kind not in PARTNERS or not asks or "#" in query or " " in query:
        raise BadDirectory(
            f"{query!r} is no search of the directory; allowed: "
            + ", ".join(f"{each}?..." for each in PARTNERS)
        )


def _asked(server: FhirServer, query: str) -> tuple[Json, ...]:
    """The resources of a search, whole. Raises BadDirectory."""
    came = server.ask(query)
    if came.fault or came.cut:
        kind = query.partition("?")[0]
        hint = "; narrow it by --search" if came.cut else ""
        raise BadDirectory(f"{server.base}: {kind}: {came.fault or came.cut}{hint}")
    return tuple(each for each in came.resources if each.get("id"))


def _ref(resource: Mapping[str, Any]) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


@dataclass(slots=True)
class _Sorter:
    """Sorts what came, and asks for what it refers to."""

    server: FhirServer
    knowledge: Knowledge
    wanted: frozenset[Code]
    found: dict[str, Json]
    fetched: Fetched = field(default_factory=Fetched)

    def kept(self) -> Fetched:
        """Partners in the order of their ids, what they belong to before them. Raises
        BadDirectory.
        """
        chosen: dict[str, Json] = {}
        for ref in sorted(r for r in self.found if r.partition("/")[0] in PARTNERS):
            why = self._useless(self.found[ref])
            if not why:
                partner = self._related(self.found[ref])
                above = self._above(partner)
                why = self._unfit((partner, *above))
            if why:
                self.fetched.leave_out(why)
            else:
                chosen |= {_ref(each): each for each in (*above, partner)}
        if not any(ref.partition("/")[0] in PARTNERS for ref in chosen):
            raise BadDirectory(f"{self.server.base}: nobody who does what we order")
        order = sorted(chosen, key=lambda ref: (KINDS.index(ref.partition("/")[0]), ref))
        self.fetched.resources = [chosen[ref] for ref in order]
        return self.fetched

    def _useless(self, resource: Json) -> str:
        """Why nothing more need be asked about a partner; empty if it does what we order."""
        if resource.get("active") is False:
            return "not active"
        services = map(self._relative, (resource.get("healthcareService") or ())[:1])
        does = (resource, *filter(None, map(self._resource, services)))
        if not any(code in self.wanted for each in does for code in codes_of(each, self.knowledge)):
            return "do nothing that we order"
        return ""

    def _unfit(self, line: tuple[Json, ...]) -> str:
        """Why a partner, with what it belongs to, cannot be named; empty if it can."""
        if not any(each.get("name") or _who(each) for each in line):
            return "without a name"
        payers = {payer.id for payer in self.knowledge.payers}
        programs = [concept for each in line for concept in each.get("program") or ()]
        if not payers.issuperset(codes_named(programs, PAYER)):
            return "for a payer that is not known here"
        return ""

    def _related(self, resource: Json) -> Json:
        """The resource with relative references to what can be had, and nothing nobody reads."""
        kept = {name: value for name, value in resource.items() if name not in _UNREAD}
        for member in _OWNERS:
            given = kept.pop(member, None)
            if self._had(given):
                kept[member] = self._reference(given)
        services = [each for each in (kept.pop("healthcareService", ()))[:1] if self._had(each)]
        if services:
            kept["healthcareService"] = [self._reference(services[0])]
        person = self._person(kept.pop("practitioner", None))
        return {**kept, "practitioner": person} if person else kept

    def _person(self, given: Any) -> Json:
        """The practitioner, with a name to show if there is one."""
        ref = self._relative(given)
        shown = given.get("display") if isinstance(given, dict) else None
        said = {"reference": ref, "display": shown or _full_name(self._resource(ref))}
        return {member: text for member, text in said.items() if text}

    def _had(self, given: Any) -> bool:
        return self._resource(self._relative(given)) is not None

    def _reference(self, given: Any) -> Json:
        return {"reference": self._relative(given)}

    def _relative(self, given: Any) -> str:
        """`Organization/1`, however the server wrote the reference; empty for one elsewhere."""
        base = urlsplit(self.server.base)
        split = urlsplit(str(given.get("reference", "")) if isinstance(given, dict) else "")
        path = split.path
        if split.netloc:
            inside = path.startswith(base.path.rstrip("/") + "/")
            if (split.netloc, inside) != (base.netloc, True):
                return ""
            path = path[len(base.path.rstrip("/")) + 1 :]
        kind, _, rest = path.strip("/").partition("/")
        identity = rest.partition("/")[0]
        return f"{kind}/{identity}" if kind in (*KINDS, PRACTITIONER) and identity else ""

    def _resource(self, ref: str) -> Json | None:
        """A resource that came, or is asked for now, once. Raises BadDirectory."""
        if not ref:
            return None
        if ref not in self.found:
            came = self.server.ask(ref)
            if came.fault and came.fault != "not found":
                raise BadDirectory(f"{self.server.base}: {ref.partition('/')[0]}: {came.fault}")
            self.found[ref] = came.resources[0] if came.resources else {}
        return self.found[ref] or None

    def _above(self, partner: Json) -> list[Json]:
        """What a partner belongs to, nearest first."""
        above: dict[str, Json] = {}
        owners = (*partner.get("healthcareService", ()), *(partner.get(m) for m in _OWNERS))
        for ref in (owner["reference"] for owner in owners if owner):
            related = self._related(self.found[ref])
            above[ref] = related
            if ref.startswith(PARTNERS[0]):
                above |= {_ref(each): each for each in self._above(related)}
        return list(above.values())


def _who(resource: Mapping[str, Any]) -> Any:
    return (resource.get("practitioner") or {}).get("display")


def _full_name(resource: Mapping[str, Any] | None) -> str:
    """A practitioner's name as one would say it."""
    names = (resource or {}).get("name") or ()
    for name in names if isinstance(names, list) else ():
        said = name.get("text") or " ".join(
            str(part)
            for part in (*name.get("prefix", ()), *name.get("given", ()), name.get("family"))
            if part
        )
        if said:
            return str(said)
    return ""
