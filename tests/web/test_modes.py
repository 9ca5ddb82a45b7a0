"""What production refuses, and what a site may limit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.service import Service
from cds_service.settings import Mode, Settings
from cds_service.web.app import create_app
from tests.protocol.hook_requests import OXYCODONE, PATIENT, body, order_sign

ORIGIN = {"Origin": "https://ehr.example.org"}


def opened(service: Service, **members: Any) -> FlaskClient:
    """The same knowledge behind other settings."""
    other = Service(
        Settings(**members), service.knowledge, service.vocabulary, service.rules, service.library
    )
    return create_app(other).test_client()


def test_production_answers_nobody_it_does_not_know(service: Service) -> None:
    web = opened(service, mode=Mode.PRODUCTION)
    answer = web.post("/cds-services/opioid-safety", json={})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.get_json()["issue"][0]["details"]["text"] == "Not authorized."
    assert "Retry-After" not in answer.headers
    assert 'cds_refused_total{service="opioid-safety",status="401"} 1.0' in web.get("/metrics").text
    assert web.post("/cds-services/opioid-safety/feedback", json={}).status_code == 401
    assert web.get("/cds-services").status_code == 200
    assert web.post("/cds-services/greeting", json={}).status_code == 404


@pytest.mark.parametrize(
    ("origins", "allowed"), [((), None), (("https://ehr.example.org",), ORIGIN["Origin"])]
)
def test_production_lets_only_its_origins_call(
    service: Service, origins: tuple[str, ...], allowed: str | None
) -> None:
    web = opened(service, mode=Mode.PRODUCTION, origins=origins)
    answer = web.post("/cds-services/opioid-safety", json={}, headers=ORIGIN)
    assert answer.headers.get("Access-Control-Allow-Origin") == allowed
    other = web.post(
        "/cds-services/opioid-safety", json={}, headers={"Origin": "https://evil.example"}
    )
    assert "Access-Control-Allow-Origin" not in other.headers
    unasked = web.post("/cds-services/opioid-safety", json={})
    assert "Access-Control-Allow-Origin" not in unasked.headers


def test_where_anybody_may_ask_every_answer_says_so(service: Service) -> None:
    web = opened(service, mode=Mode.TEST)
    for headers in ({}, ORIGIN):
        answer = web.get("/cds-services", headers=headers)
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN["Origin"])


def test_callers_are_limited_and_told_when_to_come_back(service: Service) -> None:
    web = opened(service, mode=Mode.TEST, requests_per_minute=2)
    answers = [web.post("/cds-services/opioid-safety", json={}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert answers[2].get_json()["issue"][0]["code"] == "throttled"
    assert int(answers[2].headers["Retry-After"]) > 0
    assert web.get("/health").status_code == 200


def test_nothing_of_the_patient_is_logged_or_counted(
    service: Service, web: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = order_sign(
        OXYCODONE, prefetch={"patient": PATIENT, "conditions": None, "medicationRequests": None}
    )
    answer = web.post(
        "/cds-services/opioid-safety",
        data=body(sent),
        content_type="application/json",
        buffered=True,
    )
    assert answer.status_code == 200
    logged = capsys.readouterr().out
    line = json.loads(logged.strip().splitlines()[-1])
    assert (line["event"], line["service"], line["hook"], line["status"]) == (
        "call",
        "opioid-safety",
        "order-sign",
        200,
    )
    counted = web.get("/metrics").text
    assert 'cds_calls_total{hook="order-sign",service="opioid-safety",status="200"}' in counted
    for text in (logged, counted):
        assert "canary" not in text.lower()
        assert sent["hookInstance"] not in text
