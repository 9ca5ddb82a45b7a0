"""Made-up requests for any hook and any prefetch, with enough in them to draw cards. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

Json = dict[str, Any]

PATIENT = "conformance-patient"
_SUBJECT = {"reference": f"Patient/{PATIENT}"}
_USER = "Practitioner/conformance-user"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
REQUIRED = {  # the members of the context that a client must send, by hook
    "patient-view": ("userId", "patientId"),
    "order-select": ("userId", "patientId", "draftOrders"),
    "order-sign": ("userId", "patientId", "draftOrders"),
    "order-dispatch": ("patientId", "dispatchedOrders", "performer"),
    "encounter-start": ("userId", "patientId", "encounterId"),
    "encounter-discharge": ("userId", "patientId", "encounterId"),
    "problem-list-item-create": ("userId", "patientId", "conditions"),
    "medication-refill": ("patientId", "medications"),
    "appointment-book": ("userId", "patientId", "appointments"),
}


def order(identity: str, code: str, display: str, status: str) -> Json:
    """A prescription of two tablets six times a day."""
    return {
        "resourceType": "MedicationRequest",
        "id": identity,
        "status": status,
        "intent": "order",
        "subject": _SUBJECT,
        "authoredOn": "2024-01-01",
        "medicationCodeableConcept": {
            "coding": [{"system": _RXNORM, "code": code, "display": display}]
        },
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 6, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": 2, "unit": "tablet", "code": "{tbl}"}}],
            }
        ],
    }


_CHART: Mapping[str, Json] = {
    "Patient": {
        "resourceType": "Patient",
        "id": PATIENT,
        "birthDate": "1970-05-01",
        "gender": "female",
    },
    "Condition": {
        "resourceType": "Condition",
        "id": "conformance-condition",
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                    "code": "active",
                }
            ]
        },
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.50"}]},
        "subject": _SUBJECT,
        "onsetDateTime": "2024-01-01",
    },
    "MedicationRequest": order(
        "conformance-order", "197591", "diazepam 5 MG Oral Tablet", "active"
    ),
}
_DRAFT = order("conformance-draft", "1049621", "oxycodone hydrochloride 5 MG Oral Tablet", "draft")


def bundle(*resources: Json, kind: str = "searchset") -> Json:
    """A Bundle of some resources."""
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [{"resource": resource} for resource in resources],
    }


def context(hook: str) -> Json | None:
    """The context of a hook; None for one we do not know."""
    whole: Json = {
        "userId": _USER,
        "patientId": PATIENT,
        "encounterId": "conformance-encounter",
        "draftOrders": bundle(_DRAFT, kind="collection"),
        "dispatchedOrders": ["MedicationRequest/conformance-order"],
        "performer": "Organization/conformance-pharmacy",
        "conditions": bundle(_CHART["Condition"], kind="collection"),
        "medications": bundle(_DRAFT, kind="collection"),
        "appointments": bundle(kind="collection"),
    }
    if hook not in REQUIRED:
        return None
    found = {name: whole[name] for name in REQUIRED[hook]}
    if hook == "order-select":
        found["selections"] = [f"MedicationRequest/{_DRAFT['id']}"]
    return found


def prefetched(templates: Mapping[str, Any]) -> Json:
    """What a client finds for the templates of a discovery entry."""
    found: Json = {}
    for key, template in templates.items():
        kind, search, _ = str(template).partition("?")
        known = _CHART.get(kind.partition("/")[0])
        if search:
            found[key] = bundle(known) if known else bundle()
        else:
            found[key] = known
    return found


def sample(entry: Mapping[str, Any]) -> Json | None:
    """A whole request for a discovery entry; None if its hook is not one we know."""
    about = context(str(entry.get("hook")))
    if about is None:
        return None
    request: Json = {"hook": entry["hook"], "hookInstance": str(uuid4()), "context": about}
    templates = entry.get("prefetch")
    if isinstance(templates, Mapping) and templates:
        request["prefetch"] = prefetched(templates)
    return request
