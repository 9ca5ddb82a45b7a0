"""Made-up calls that run every rule and card once before the first patient. Pure."""

from __future__ import annotations

import json
from typing import Any

_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_SUBJECT = {"reference": "Patient/warm"}


def _order(id: str, code: str, status: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": id,
        "status": status,
        "intent": "order",
        "subject": _SUBJECT,
        "authoredOn": "2020-01-01",
        "medicationCodeableConcept": {"coding": [{"system": _RXNORM, "code": code}]},
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 6, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": 2, "unit": "tablet", "code": "{tbl}"}}],
            }
        ],
        "dispenseRequest": {"quantity": {"value": 360}},
    }


def _bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": r} for r in resources],
    }


_BACK_PAIN = {
    "resourceType": "Condition",
    "id": "back",
    "subject": _SUBJECT,
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.50"}]},
    "onsetDateTime": "2020-01-01",
}
_NOTHING = (
    "medicationDispenses",
    "medicationStatements",
    "observations",
    "procedures",
    "encounters",
    "coverages",
)
_PREFETCH = {key: _bundle() for key in _NOTHING} | {
    "patient": {"resourceType": "Patient", "id": "warm", "birthDate": "1950-01-01"},
    "conditions": _bundle(_BACK_PAIN),
    "medicationRequests": _bundle(
        _order("oxycodone", "1049621", "active"), _order("diazepam", "197591", "active")
    ),
}


def _request(hook: str) -> bytes:
    context: dict[str, Any] = {"userId": "Practitioner/warm", "patientId": "warm"}
    if hook != "patient-view":
        context["draftOrders"] = _bundle(_order("draft", "1049621", "draft"))
    return json.dumps(
        {
            "hook": hook,
            "hookInstance": "00000000-0000-4000-8000-000000000000",
            "context": context,
            "prefetch": _PREFETCH,
        }
    ).encode()


REQUESTS = {hook: _request(hook) for hook in ("patient-view", "order-select", "order-sign")}
