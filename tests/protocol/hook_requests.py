"""Small CDS Hooks requests for the tests of the protocol and of the web."""

from __future__ import annotations

import json
from typing import Any

INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
PATIENT = {
    "resourceType": "Patient",
    "id": "canary",
    "birthDate": "1970-05-01",
    "name": [{"family": "Canaryvale"}],
}
OXYCODONE = {
    "resourceType": "MedicationRequest",
    "id": "rx1",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/canary"},
    "medicationCodeableConcept": {
        "coding": [
            {
                "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                "code": "1049621",
                "display": "oxycodone hydrochloride 5 MG Oral Tablet",
            }
        ]
    },
    "dosageInstruction": [
        {
            "timing": {"repeat": {"frequency": 6, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": 2, "unit": "tablet", "code": "{tbl}"}}],
        }
    ],
}


def patient_view(**members: Any) -> dict[str, Any]:
    """A patient-view request, with `members` replaced; a member given as `...` is left out."""
    request: dict[str, Any] = {
        "hook": "patient-view",
        "hookInstance": INSTANCE,
        "context": {"userId": "Practitioner/example", "patientId": "canary"},
    }
    return _changed(request, members)


def order_sign(*drafts: dict[str, Any], **members: Any) -> dict[str, Any]:
    """An order-sign request of `drafts`, with `members` replaced; a member given as `...`
    is left out.
    """
    request: dict[str, Any] = {
        "hook": "order-sign",
        "hookInstance": INSTANCE,
        "context": {
            "userId": "Practitioner/example",
            "patientId": "canary",
            "draftOrders": {
                "resourceType": "Bundle",
                "entry": [{"resource": draft} for draft in drafts],
            },
        },
    }
    return _changed(request, members)


def body(request: Any) -> bytes:
    """As it travels."""
    return json.dumps(request).encode()


def _changed(request: dict[str, Any], members: dict[str, Any]) -> dict[str, Any]:
    merged = request | members
    return {name: value for name, value in merged.items() if value is not ...}
