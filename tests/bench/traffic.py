"""Generated order-sign requests of a chosen number of resources, about 1.1 kB each."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson

AS_OF = date(2026, 3, 1)
PATIENT = "bench-1"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_SPACE = UUID("9d9e2f0c-9a55-4c6e-8b11-f5b8b6f0a001")
_ORDERS = (
    ("1049621", "oxycodone hydrochloride 5 MG Oral Tablet"),
    ("310431", "gabapentin 300 MG Oral Capsule"),
    ("197696", "72 HR fentanyl 0.075 MG/HR Transdermal System"),
    ("849574", "naproxen sodium 275 MG Oral Tablet"),
    ("857002", "acetaminophen 325 MG / hydrocodone bitartrate 5 MG Oral Tablet"),
)
_CONDITIONS = (
    ("M54.50", "Low back pain, unspecified"),
    ("I10", "Essential (primary) hypertension"),
    ("E11.9", "Type 2 diabetes mellitus without complications"),
    ("F32.9", "Major depressive disorder, single episode, unspecified"),
)
_OBSERVATIONS = (
    ("72514-3", "Pain severity - 0-10 verbal numeric rating", 6, "{score}"),
    ("8310-5", "Body temperature", 36.8, "Cel"),
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", 98, "mg/dL"),
    ("29463-7", "Body weight", 81.4, "kg"),
)
_PROCEDURES = (
    ("97110", "Therapeutic exercises"),
    ("97140", "Manual therapy"),
    ("99213", "Office visit"),
)
_EMPTY = (
    "medicationDispenses",
    "medicationStatements",
    "encounters",
    "serviceRequests",
    "carePlans",
    "coverages",
    "goals",
    "claims",
    "explanationOfBenefits",
)


def request(resources: int, number: int = 0) -> bytes:
    """One order-sign request: a fifth each of orders, conditions and procedures, the rest
    observations.
    """
    draft = _order(0) | {"id": "draft-1", "status": "draft", "authoredOn": AS_OF.isoformat()}
    body = {
        "hook": "order-sign",
        "hookInstance": str(uuid5(_SPACE, f"{resources}/{number}")),
        "context": {
            "userId": "Practitioner/p1",
            "patientId": PATIENT,
            "draftOrders": _bundle([draft]) | {"type": "collection"},
        },
        "prefetch": _prefetch(resources),
    }
    return orjson.dumps(body)


def _prefetch(resources: int) -> dict[str, Any]:
    prefetch: dict[str, Any] = {key: _bundle(found) for key, found in _chart(resources).items()}
    prefetch |= {key: _bundle([]) for key in _EMPTY}
    prefetch["patient"] = {
        "resourceType": "Patient",
        "id": PATIENT,
        "gender": "female",
        "birthDate": "1970-05-01",
        "name": [{"family": "Canary", "given": ["Bench"]}],
    }
    return prefetch


def _chart(resources: int) -> dict[str, list[dict[str, Any]]]:
    """The resources by prefetch key; the patient and the draft make up the number."""
    kinds: dict[str, list[dict[str, Any]]] = {
        "medicationRequests": [],
        "conditions": [],
        "procedures": [],
        "observations": [],
    }
    for n in range(resources - 2):
        match n % 5:
            case 0:
                kinds["medicationRequests"].append(_order(n))
            case 1:
                kinds["conditions"].append(_condition(n))
            case 2:
                kinds["procedures"].append(_procedure(n))
            case _:
                kinds["observations"].append(_observation(n))
    return kinds


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [
        {"fullUrl": f"https://ehr.example.org/fhir/{r['resourceType']}/{r['id']}", "resource": r}
        for r in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _common(kind: str, n: int) -> dict[str, Any]:
    return {
        "resourceType": kind,
        "id": f"{kind.lower()}-{n}",
        "meta": {
            "versionId": "1",
            "lastUpdated": "2026-01-05T10:00:00Z",
            "profile": [f"urn:profile:{kind}"],
        },
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"x" * 170}</div>',
        },
        "identifier": [{"system": "urn:ehr:ids", "value": f"{kind}-{n:08d}"}],
        "subject": {"reference": f"Patient/{PATIENT}"},
        "encounter": {"reference": f"Encounter/e{n}"},
    }


def _day(n: int) -> str:
    return (AS_OF - timedelta(days=20 + n % 600)).isoformat()


def _concept(system: str, code: str, text: str) -> dict[str, Any]:
    local = {"system": "urn:ehr:local", "code": f"L{code}", "display": text}
    return {"coding": [local, {"system": system, "code": code, "display": text}], "text": text}


def _order(n: int) -> dict[str, Any]:
    code, text = _ORDERS[n // 5 % len(_ORDERS)]
    dose = {"value": 1, "unit": "tablet", "system": "http://unitsofmeasure.org", "code": "{tbl}"}
    repeat = {"frequency": 2, "period": 1, "periodUnit": "d"}
    return _common("MedicationRequest", n) | {
        "status": "active" if n < 40 else "completed",
        "intent": "order",
        "medicationCodeableConcept": _concept(_RXNORM, code, text),
        "authoredOn": _day(n) if n >= 40 else (AS_OF - timedelta(days=10)).isoformat(),
        "requester": {"reference": "Practitioner/p1"},
        "dosageInstruction": [
            {"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": dose}]}
        ],
        "dispenseRequest": {
            "quantity": {"value": 60, "unit": "tablet"},
            "expectedSupplyDuration": {"value": 30, "unit": "days", "code": "d"},
        },
    }


def _condition(n: int) -> dict[str, Any]:
    code, text = _CONDITIONS[n // 5 % len(_CONDITIONS)]
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    return _common("Condition", n) | {
        "clinicalStatus": {
            "coding": [{"system": clinical, "code": "active" if n < 40 else "resolved"}]
        },
        "category": [{"coding": [{"code": "problem-list-item"}]}],
        "code": _concept("http://hl7.org/fhir/sid/icd-10-cm", code, text),
        "onsetDateTime": _day(n),
        "recordedDate": _day(n),
    }


def _observation(n: int) -> dict[str, Any]:
    code, text, value, unit = _OBSERVATIONS[n % len(_OBSERVATIONS)]
    return _common("Observation", n) | {
        "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": _concept("http://loinc.org", code, text),
        "effectiveDateTime": f"{_day(n)}T09:30:00Z",
        "valueQuantity": {
            "value": value,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }


def _procedure(n: int) -> dict[str, Any]:
    code, text = _PROCEDURES[n // 5 % len(_PROCEDURES)]
    return _common("Procedure", n) | {
        "status": "completed",
        "code": _concept("http://www.ama-assn.org/go/cpt", code, text),
        "performedDateTime": _day(n),
    }
