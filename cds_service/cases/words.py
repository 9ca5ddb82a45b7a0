"""How the words of a case line become FHIR types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Line = Mapping[str, Any]
Resource = dict[str, Any]

HL7 = "http://terminology.hl7.org/CodeSystem/"
QUANTITY = re.compile(r"^(-?\d+(?:\.\d+)?)\s+(\S.*)$")


class LineError(ValueError):
    """A line of a case that is not understood."""


@dataclass(frozen=True, slots=True)
class Words:
    """How the words of a line become FHIR types."""

    systems: Mapping[str, str]

    def concept(self, text: object) -> Resource:
        """A CodeableConcept."""
        return concept(text, self.systems)

    def concepts(self, said: object) -> list[Resource] | None:
        """CodeableConcepts of a word or a list of words."""
        if said is None:
            return None
        return [self.concept(one) for one in (said if isinstance(said, (list, tuple)) else (said,))]


def concept(text: object, systems: Mapping[str, str], system: str | None = None) -> Resource:
    """A CodeableConcept of `SYSTEM#code Display` or plain words; `system` is the URL of a bare
    code.

    >>> concept("LOINC#91147-9 PEG", {"LOINC": "http://loinc.org"})["coding"][0]["display"]
    'PEG'
    """
    words = str(text)
    code, hash_mark, rest = words.partition("#")
    if not hash_mark or " " in code:
        return {"coding": [{"system": system, "code": words}]} if system else {"text": words}
    if code not in systems and "://" not in code and not code.startswith("urn:"):
        raise LineError(
            f"unknown code system {code!r} in {words!r} (allowed: {', '.join(sorted(systems))})"
        )
    number, _, display = rest.partition(" ")
    coding = put({"system": systems.get(code, code), "code": number}, display=display or None)
    return put({"coding": [coding]}, text=display or None)


def put(resource: Resource, **members: object) -> Resource:
    """`resource` with the members that have a value."""
    resource.update({name: value for name, value in members.items() if value is not None})
    return resource


def plain(value: object) -> str | None:
    """A date or word as JSON text."""
    return None if value is None else str(value)


def start(line: Line) -> str | None:
    """The `from` of a line, else its `on`."""
    return plain(line.get("from", line.get("on")))


def period(line: Line) -> Resource | None:
    """The Period from `from` to `to`; `on` is both."""
    period = put({}, start=start(line), end=plain(line.get("to", line.get("on"))))
    return period or None


def coded(system: str, code: str) -> Resource:
    """A CodeableConcept of one code."""
    return {"coding": [{"system": system, "code": code}]}
