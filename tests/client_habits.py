"""The ways of clients: what they prefetch, how they spell it; like vendors', and one is hostile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class State(StrEnum):
    """In which state a client sends a prefetch key."""

    VALUE = "value"
    NULL = "null"
    EMPTY = "empty bundle"
    NO_ENTRIES = "bundle without entries"
    WARNED = "empty bundle with a warning"
    FAILED = "outcome of an error"
    PARTLY = "bundle with an error"
    PAGED = "first page"
    BARE = "bare resource"
    COLLECTION = "collection"
    OMITTED = "omitted"


KNOWN_EMPTY = (State.NULL, State.EMPTY, State.NO_ENTRIES, State.WARNED)
UNKNOWN = (State.FAILED, State.OMITTED)


class Spelling(StrEnum):
    """How a client writes feedback."""

    SPECIFICATION = "specification"
    EPIC = "epic"
    HEALTHCHAIN = "healthchain"


@dataclass(frozen=True)
class Habits:
    """The ways of one client. `reshape` is done to every draft order, `rename` to every key."""

    name: str
    hooks: tuple[str, ...] = ("patient-view", "order-select", "order-sign")
    prefetches: bool = True
    states: Mapping[str, State] = field(default_factory=dict)
    rename: Callable[[str], str] = str
    extra: Mapping[str, Any] = field(default_factory=dict)
    strips_drafts: bool = False
    patient_prefix: str = ""
    instance: Callable[[str], str] = str
    reshape: Callable[[Json], Json] = dict
    request_extension: Any = None
    sends_selections: bool = True
    spelling: Spelling = Spelling.SPECIFICATION
    link_hosts: tuple[str, ...] | None = None  # None: any


def as_epic_sends(order: Json) -> Json:
    """The dose in its STU3 place, category as an object, systems as OIDs, an id longer than
    64 characters.
    """
    shaped = {**order, "id": order["id"] + "e" * 80}
    if "dosageInstruction" in shaped:
        shaped["dosageInstruction"] = [
            {**{k: v for k, v in dose.items() if k != "doseAndRate"}, **_stu3(dose)}
            for dose in shaped["dosageInstruction"]
        ]
    shaped["category"] = {"coding": [{"code": "community"}]}
    concept = shaped.pop("medicationCodeableConcept", None)
    if concept:
        codings = [
            {**coding, "system": "urn:oid:2.16.840.1.113883.6.88"} for coding in concept["coding"]
        ]
        shaped["contained"] = [
            {"resourceType": "Medication", "id": "m", "code": {**concept, "coding": codings}}
        ]
        shaped["medicationReference"] = {"reference": "#m"}
    return shaped


def _stu3(dose: Json) -> Json:
    rates = dose.get("doseAndRate") or [{}]
    return {"doseQuantity": rates[0]["doseQuantity"]} if "doseQuantity" in rates[0] else {}


STRICT = Habits("strict")
EPIC = Habits(
    "epic-like",
    states={"*": State.VALUE},
    rename=lambda key: f"-{key}",
    instance=str.upper,
    reshape=as_epic_sends,
    request_extension={
        "com.epic.cdshooks.request.bpa-trigger-action": "23",
        "com.epic.cdshooks.request.cds-hooks-specification-version": "1.1",
    },
    sends_selections=False,
    spelling=Spelling.EPIC,
    link_hosts=("www.cdc.gov",),
)
ORACLE = Habits("oracle-like", hooks=("patient-view",), link_hosts=("www.cdc.gov",))
SANDBOX = Habits("sandbox-like", instance=lambda text: text, patient_prefix="")
HEALTHCHAIN = Habits(
    "healthchain-like", request_extension=[{"a": 1}], spelling=Spelling.HEALTHCHAIN
)
CALLS_BACK = Habits("token only", prefetches=False)
FIXTURES = Habits(
    "fixtures-like", patient_prefix="Patient/", instance=lambda text: f"urn:uuid:{text}"
)
HOSTILE = Habits(
    "hostile",
    rename=lambda key: key.upper(),
    extra={
        "__proto__": {"resourceType": "Basic"},
        "nothing": 5,
        "text": "x",
        "deep": {"a": {"b": [[[[]]]]}},
        "wrapper": {"response": {"status": "200"}, "resource": {"resourceType": "Patient"}},
    },
    patient_prefix="Patient/",
    request_extension="text",
)
ALL = (STRICT, EPIC, ORACLE, SANDBOX, HEALTHCHAIN, FIXTURES, HOSTILE)


def but(habits: Habits, **changes: Any) -> Habits:
    """The same habits with something changed."""
    return replace(habits, **changes)
