"""Calls whose every name, id, comment and token holds the word "canary", and everything that may be
sent to us.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient

from cds_service.shipped import shipped
from tests.server.fhir_server import TOKEN, FhirServer

CHARTS = sorted((shipped("fhir_fixtures") / "patients").glob("*.json"))
HOOKS = (
    ("low-back-pain", "patient-view"),
    ("opioid-safety", "patient-view"),
    ("opioid-safety", "order-sign"),
)
BEARER = {"Authorization": "Bearer canary.canary.canary"}


def marked(chart: Path) -> list[dict[str, Any]]:
    """The resources of a chart whose patient's id is a canary too."""
    resources = [entry["resource"] for entry in json.loads(chart.read_bytes())["entry"]]
    patient = next(each["id"] for each in resources if each["resourceType"] == "Patient")
    written = json.dumps(resources).replace(f'"Patient/{patient}"', '"Patient/canary-id"')
    whole: list[dict[str, Any]] = json.loads(written)
    next(each for each in whole if each["resourceType"] == "Patient")["id"] = "canary-id"
    return whole


def call(hook: str, resources: list[dict[str, Any]], **members: Any) -> dict[str, Any]:
    """A hook request; the order hooks sign an opioid."""
    context: dict[str, Any] = {
        "userId": "Practitioner/canary-doctor",
        "patientId": "canary-id",
        "encounterId": "canary-encounter",
    }
    if hook != "patient-view":
        coding = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1049621"}
        order = {
            "resourceType": "MedicationRequest",
            "id": "canary-order",
            "status": "draft",
            "intent": "order",
            "subject": {"reference": "Patient/canary-id"},
            "medicationCodeableConcept": {"coding": [coding], "text": "oxycodone for Mr Canary"},
            "dosageInstruction": [{"text": "10 mg six times a day, says Mr Canary"}],
        }
        context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": order}]}
    kinds: dict[str, list[dict[str, Any]]] = {}
    for resource in resources:
        kinds.setdefault(resource["resourceType"], []).append(resource)
    prefetch: dict[str, Any] = {
        f"{kind[0].lower()}{kind[1:]}s": {
            "resourceType": "Bundle",
            "entry": [{"resource": r} for r in found],
        }
        for kind, found in kinds.items()
        if kind != "Patient"
    }
    prefetch["patient"] = kinds.get("Patient", [None])[0]
    request = {"hook": hook, "hookInstance": str(uuid4()), "context": context, "prefetch": prefetch}
    return {name: value for name, value in (request | members).items() if value is not ...}


def authorized(server: str, token: str) -> dict[str, Any]:
    granted = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "canary",
        "subject": "canary",
        "patient": "canary-id",
    }
    return {"fhirServer": server, "fhirAuthorization": granted, "prefetch": ...}


def overrides(web: FlaskClient, service: str, cards: list[dict[str, Any]]) -> None:
    """Every card is overridden in Mr Canary's name."""
    items = [
        {
            "card": card["uuid"],
            "outcome": "overridden",
            "outcomeTimestamp": "2026-03-01T10:00:00Z",
            "overrideReason": {
                "reason": card["overrideReasons"][0] if card.get("overrideReasons") else {},
                "userComment": "Mr Canary will have none of it",
            },
        }
        for card in cards
    ]
    answer = web.post(
        f"/cds-services/{service}/feedback", json={"feedback": [*items, {"card": ["Canary"]}]}
    )
    assert answer.status_code == 200


def everyday(web: FlaskClient) -> None:
    """Each chart by each service, twice: the second time after everything was overridden."""
    for chart in CHARTS:
        resources = marked(chart)
        for service, hook in HOOKS:
            for _ in range(2):
                answer = web.post(
                    f"/cds-services/{service}", json=call(hook, resources), headers=BEARER
                )
                assert answer.status_code == 200, answer.get_json()
                overrides(web, service, answer.get_json()["cards"])


def fetched(web: FlaskClient, server: FhirServer) -> None:
    """From a FHIR server: one that answers, refuses the token, is not there, or is not to
    be called.
    """
    server.hold(marked(CHARTS[0]))
    nowhere, abroad = "http://127.0.0.1:9/canary", "https://canary.example.org/fhir"
    for base, token in (
        (server.base, TOKEN),
        (server.base, "canary"),
        (nowhere, "canary"),
        (abroad, "canary"),
    ):
        for service, hook in HOOKS:
            sent = call(hook, [], **authorized(base, token))
            web.post(f"/cds-services/{service}", json=sent)


def provoked(web: FlaskClient) -> Iterator[bytes]:
    """The bodies of errors."""
    whole = call("order-sign", [])
    wrong = [
        *(
            whole | {"hook": "canary"},
            whole | {"hookInstance": "canary"},
            whole | {"context": {"canary": 1}},
        ),
        *(
            whole | {"prefetch": "canary"},
            whole | {"prefetch": {"patient": "canary"}},
            ["canary"],
            "canary",
        ),
        *(
            whole | {"fhirServer": "canary"},
            whole | {"context": whole["context"] | {"draftOrders": "canary"}},
        ),
        whole
        | {"fhirServer": "http://127.0.0.1:9", "fhirAuthorization": {"patient": "canary-other"}},
    ]
    for sent in wrong:
        yield web.post("/cds-services/opioid-safety?patient=canary", json=sent).data
    for data in (b'{"canary', b"\xff canary", b'{"a":' * 5000, b"canary" * 2_000_000):
        yield web.post(
            "/cds-services/opioid-safety", data=data, content_type="application/json"
        ).data
        yield web.post(
            "/cds-services/opioid-safety/feedback", data=data, content_type="application/json"
        ).data
    yield web.post("/cds-services/canary", json=whole).data
    yield web.get("/canary?patient=canary", headers=BEARER).data
    yield web.put("/cds-services/opioid-safety/canary", json=whole).data
    yield web.post("/cds-services/opioid-safety", json=whole, content_type="text/canary").data
