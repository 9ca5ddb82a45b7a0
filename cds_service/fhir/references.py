"""References as EHRs write them, brought to one form: `Type/id`.

Servers send relative and absolute references, versions, `urn:uuid:` names of bundle entries and contained ones.
"""

from __future__ import annotations

import re

_TYPED = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([^/#?]+)(?:/_history/[^/]*)?/?$")


def plain(reference: str | None) -> str:
    """`Type/id` without base, version or surrounding blanks; `urn:` and `#` references come back as they are.

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


class Directory:
    """Where the entries of the bundles of one call stand: by `fullUrl` and by `Type/id`."""

    __slots__ = ("_by_name", "_names")

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._by_name: dict[str, object] = {}

    def add(self, full_url: str | None, ref: str, resource: object) -> None:
        """Enter a resource under its names; the first one of a name stays."""
        if full_url:
            self._names.setdefault(full_url, ref)
        if ref:
            self._by_name.setdefault(ref, resource)

    def resolved(self, reference: str | None) -> str:
        """The reference as `Type/id`, through the `fullUrl` of an entry where it names one."""
        if not reference:
            return ""
        return self._names.get(reference) or plain(reference)

    def find(self, reference: str | None) -> object | None:
        """The entry a reference names, or None."""
        return self._by_name.get(self.resolved(reference))
