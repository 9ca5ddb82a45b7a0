"""The OperationOutcome that every answer but 200 carries. Pure."""

from __future__ import annotations

from typing import Any


def outcome(code: str, text: str, severity: str = "error") -> dict[str, Any]:
    """One issue: `code` is the FHIR issue type, `text` what is wrong and what to do, without
    patient data.

    >>> outcome("not-found", "No such service.")["issue"][0]["details"]
    {'text': 'No such service.'}
    """
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "details": {"text": text}}],
    }
