"""Hook calls and resources for the tests of reading; every patient here is synthetic and
named Canary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from cds_service.clinical.facts import Facts, Need
from cds_service.errors import FhirReadError
from cds_service.fhir.client import Pages
from cds_service.fhir.prefetch import Fetch, Reading, read_facts
from cds_service.fhir.sent import Prefetched
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.knowledge.codes import Code, ValueSet
from cds_service.knowledge.drugs.table import DrugTable
from cds_service.knowledge.loader import load_knowledge
from tests.changes import replace

AS_OF = date(2026, 3, 1)
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
CPT = "http://www.ama-assn.org/go/cpt"
OXYCODONE = {
    "coding": [{"system": RXNORM, "code": "1049621", "display": "oxycodone 5 MG Oral Tablet"}]
}
PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "birthDate": "1970-05-01",
    "gender": "female",
    "name": [{"family": "Canary"}],
}
_WANTED = ValueSet(
    "asked",
    exact=frozenset({Code("LOINC", "72514-3"), Code("LOINC", "44261-6"), Code("CPT", "97110")}),
    prefixes=frozenset({Code("ICD10CM", "M54")}),
    displays={Code("ICD10CM", "M54"): "Dorsalgia"},
)


@dataclass(frozen=True)
class Call:
    """A hook request as reading sees it."""

    prefetch: Mapping[str, Any] | None = None
    draft_orders: Any = None
    selections: Sequence[str] | None = None
    hook: str = "order-sign"
    patient_id: str = "p1"
    encounter_id: str | None = None
    user_id: str | None = "Practitioner/1"
    typed: Any = None


@dataclass
class Server:
    """A FHIR server that answers from a table of URLs and remembers what it was asked."""

    answers: Mapping[str, Any]
    asked: list[str] = field(default_factory=list)

    def gather(self, queries: Mapping[str, str]) -> dict[str, Pages | FhirReadError]:
        """Answers by URL; a URL it does not know is a 404."""
        self.asked.extend(queries.values())
        return {name: self._answer(url) for name, url in queries.items()}

    def _answer(self, url: str) -> Pages | FhirReadError:
        found = self.answers.get(url)
        if found is None:
            return FhirReadError("status 404")
        if isinstance(found, FhirReadError | Pages):
            return found
        return Pages((raw(found),))


@cache
def vocabulary(zone: str = "") -> Vocabulary:
    """What is known, with a few codes that rules ask for."""
    return Vocabulary(_knowledge(), _drugs(), [_WANTED], ZoneInfo(zone) if zone else None)


@cache
def _knowledge() -> Any:
    return load_knowledge()


@cache
def _drugs() -> DrugTable:
    return DrugTable.load()


def raw(value: Any) -> bytes:
    """JSON as it travels; bytes are taken as they are."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def bundle(*resources: Any, **members: Any) -> dict[str, Any]:
    """A search result."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": r} for r in resources],
        **members,
    }


def mine(kind: str, identity: str, **members: Any) -> dict[str, Any]:
    """A resource of the patient."""
    return {"resourceType": kind, "id": identity, "subject": {"reference": "Patient/p1"}, **members}


def condition(identity: str = "c1", code: str = "M54.50", **members: Any) -> dict[str, Any]:
    """A condition with an ICD-10-CM code."""
    return mine(
        "Condition", identity, code={"coding": [{"system": ICD10, "code": code}]}, **members
    )


def order(identity: str = "m1", **members: Any) -> dict[str, Any]:
    """An active order of oxycodone 5 mg."""
    return mine(
        "MedicationRequest",
        identity,
        **{
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": OXYCODONE,
            **members,
        },
    )


def outcome(severity: str) -> dict[str, Any]:
    """What a server says besides a result."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": "processing"}],
    }


def read(
    call: Call,
    needs: Sequence[Need],
    fetch: Fetch | None = None,
    templates: Mapping[Need, str] | None = None,
    zone: str = "",
) -> Reading:
    """Read a call whose prefetch and drafts are plain objects; where the prefetch fits its type, it
    says the same in it.
    """
    sent = (
        None
        if call.prefetch is None
        else {k: msgspec.Raw(raw(v)) for k, v in call.prefetch.items()}
    )
    drafts = None if call.draft_orders is None else msgspec.Raw(raw(call.draft_orders))
    on_the_wire = Call(
        sent, drafts, call.selections, call.hook, call.patient_id, call.encounter_id, call.user_id
    )
    how: dict[str, Any] = {
        "as_of": AS_OF,
        "needs": needs,
        "vocabulary": vocabulary(zone),
        "fetch": fetch,
        "templates": templates,
    }
    typed = None if sent is None else fitting(sent)
    if typed is None:
        return read_facts(on_the_wire, **how)
    found = read_facts(replace(on_the_wire, typed=typed), **how)
    if fetch is None:
        assert found == read_facts(on_the_wire, **how)
    return found


def fitting(sent: Mapping[str, msgspec.Raw]) -> Any:
    """The prefetch in its type, None where it does not fit."""
    whole = b",".join(json.dumps(key).encode() + b":" + bytes(value) for key, value in sent.items())
    try:
        return msgspec.json.decode(b"{" + whole + b"}", type=Prefetched)
    except msgspec.DecodeError:
        return None


def facts(need: Need, *resources: Any, patient: bool = True, zone: str = "") -> Facts:
    """The facts of one kind of data that came by prefetch."""
    prefetch: dict[str, Any] = {need.value: bundle(*resources)}
    if patient:
        prefetch[Need.PATIENT.value] = PATIENT
    return read(Call(prefetch), [Need.PATIENT, need] if patient else [need], zone=zone).facts
