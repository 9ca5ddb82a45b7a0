"""Hook calls as an EHR makes them, sent to our own addresses in process: the JSON shown is
the real one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from uuid import uuid4

from flask import current_app

from cds_service.protocol.services import ORDER_HOOKS, PATIENT_VIEW, SERVICES
from cds_service.service import Service
from cds_service.web.demo.identity import credentials
from cds_service.web.demo.patients import Patient, Resource

CLINICIAN = "Practitioner/demo-physician"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One POST and its answer, as they went over the wire."""

    path: str
    hook: str
    request: Mapping[str, Any]
    status: int
    answer: Mapping[str, Any]
    milliseconds: float

    @property
    def service(self) -> str:
        """The id of the service called."""
        return self.path.split("/")[2]

    @property
    def sent(self) -> str:
        """The request for reading."""
        return pretty(self.request)

    @property
    def received(self) -> str:
        """The answer for reading."""
        return pretty(self.answer)

    @property
    def cards(self) -> tuple[Mapping[str, Any], ...]:
        """The cards of the answer."""
        return tuple(self.answer.get("cards", ()))

    @property
    def trouble(self) -> str:
        """What an answer without cards says went wrong."""
        if self.status == 200:
            return ""
        issues = self.answer.get("issue") or [{}]
        return str(
            issues[0].get("details", {}).get("text") or issues[0].get("diagnostics") or "no details"
        )

    def extension(self, name: str) -> Any:
        """A member of the root extension, or None."""
        return self.answer.get("extension", {}).get(f"cds-service.{name}")


def pretty(content: Any) -> str:
    """JSON for reading."""
    return json.dumps(content, indent=2, ensure_ascii=False)


def open_chart(patient: Patient, clinician: str = CLINICIAN) -> tuple[Exchange, ...]:
    """What every service says when the chart is opened."""
    return _all(PATIENT_VIEW, patient, {"userId": clinician})


def ask_about(
    patient: Patient,
    hook: str,
    drafts: Sequence[Resource],
    selected: Iterable[str] = (),
    clinician: str = CLINICIAN,
) -> tuple[Exchange, ...]:
    """What the order services say about unsigned orders; `selected` are references, for
    order-select.
    """
    assert hook in ORDER_HOOKS
    entries = [{"resource": draft} for draft in drafts]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    context: dict[str, Any] = {"userId": clinician, "draftOrders": bundle}
    if selected:
        context["selections"] = list(selected)
    return _all(hook, patient, context)


def send_feedback(service: str, item: Mapping[str, Any]) -> Exchange:
    """Tell a service what became of its card."""
    return _post(f"/cds-services/{service}/feedback", "feedback", {"feedback": [item]})


def _all(hook: str, patient: Patient, context: Mapping[str, Any]) -> tuple[Exchange, ...]:
    offers = [offer for offer in SERVICES if hook in offer.hooks]
    return tuple(_call(offer.id, hook, patient, context) for offer in offers)


def _call(service: str, hook: str, patient: Patient, context: Mapping[str, Any]) -> Exchange:
    request = {
        "hook": hook,
        "hookInstance": str(uuid4()),
        "context": {"patientId": patient.id, **context},
        "prefetch": _prefetch(service, hook, patient),
    }
    return _post(f"/cds-services/{service}", hook, request)


def _prefetch(service: str, hook: str, patient: Patient) -> dict[str, Any]:
    """What discovery asks for, out of the chart."""
    ours: Service = current_app.extensions["cds-service"]
    offered = ours.discovery()["services"]
    entry = next(each for each in offered if (each["id"], each["hook"]) == (service, hook))
    return {key: _found(query, patient) for key, query in entry.get("prefetch", {}).items()}


def _found(query: str, patient: Patient) -> Resource:
    kind, search, _ = query.partition("?")
    if not search:
        return patient.of("Patient")[0]
    found = [{"resource": resource} for resource in patient.of(kind)]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": found}


def _post(path: str, hook: str, request: Mapping[str, Any]) -> Exchange:
    start = perf_counter()
    body = json.dumps(request).encode()
    answer = current_app.test_client().post(
        path,
        data=body,
        content_type="application/json",
        headers=credentials(path),
        buffered=True,  # and so sent to its end
    )
    spent = (perf_counter() - start) * 1000
    return Exchange(path, hook, request, answer.status_code, answer.get_json(), round(spent, 1))
