"""Discovery, probes, CORS and headers."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.protocol.linter import lint_discovery
from cds_service.protocol.services import SERVICES
from cds_service.service import Service

ORIGIN = "https://sandbox.cds-hooks.org"


def test_discovery_lists_each_service_and_hook_in_order(web: FlaskClient) -> None:
    document = web.get("/cds-services").get_json()
    assert lint_discovery(document) == []
    listed = [(entry["id"], entry["hook"]) for entry in document["services"]]
    assert listed == [(service.id, hook) for service in SERVICES for hook in service.hooks]
    for entry in document["services"]:
        assert next(iter(entry["prefetch"])) == "patient"


def test_prefetch_is_what_the_rules_of_that_hook_ask_for(
    web: FlaskClient, service: Service
) -> None:
    from cds_service.clinical.evaluate import needs_of

    for entry in web.get("/cds-services").get_json()["services"]:
        offer = next(s for s in SERVICES if s.id == entry["id"])
        asked = [service.rules[c] for c in offer.cards[entry["hook"]] if c in service.rules]
        asked = [rule for rule in asked if entry["hook"] in rule.hooks]
        assert set(entry["prefetch"]) == {need.value for rule in asked for need in needs_of(rule)}


def test_discovery_is_cacheable_and_takes_head_and_a_trailing_slash(web: FlaskClient) -> None:
    first = web.get("/cds-services")
    assert "max-age" in first.headers["Cache-Control"]
    again = web.get("/cds-services", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert web.head("/cds-services").status_code == 200
    assert web.get("/cds-services/").data == first.data


@pytest.mark.parametrize(
    "path", ["/cds-services", "/cds-services/opioid-safety", "/cds-services/opioid-safety/feedback"]
)
def test_browsers_may_ask_before_they_call(web: FlaskClient, path: str) -> None:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    answer = web.options(path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN)
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"].lower() == "authorization, content-type"
    assert answer.headers["Access-Control-Max-Age"] == "600"


def test_errors_carry_cors_headers_too(web: FlaskClient) -> None:
    answer = web.post("/cds-services/opioid-safety", json={}, headers={"Origin": ORIGIN})
    assert answer.status_code == 400
    assert "Access-Control-Allow-Origin" in answer.headers
    assert (
        "Access-Control-Allow-Origin" not in web.get("/health", headers={"Origin": ORIGIN}).headers
    )


def test_a_caller_without_an_origin_hears_once_that_any_may_call(web: FlaskClient) -> None:
    for path in ("/cds-services/opioid-safety", "/cds-services/none"):
        answer = web.post(path, json={})
        assert answer.headers.getlist("Access-Control-Allow-Origin") == ["*"]
        assert answer.headers.getlist("Vary") == ["Origin"]
    assert web.get("/cds-services").headers.getlist("Access-Control-Allow-Origin") == ["*"]
    assert "Access-Control-Allow-Origin" not in web.post("/health", json={}).headers


def test_answers_stay_out_of_caches(web: FlaskClient) -> None:
    answer = web.post("/cds-services/opioid-safety", json={})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_probes(web: FlaskClient, service: Service) -> None:
    assert web.get("/health").get_json() == {"status": "ok"}
    assert web.get("/ready").status_code == 200
    assert web.get("/version").get_json()["knowledge"] == service.knowledge.version
    assert web.get("/metrics").mimetype == "text/plain"


def test_a_failure_of_ours_is_500_with_a_number(
    web: FlaskClient,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("Canaryvale")

    monkeypatch.setattr(service, "respond", broken)
    answer = web.post("/cds-services/opioid-safety", json={})
    assert answer.status_code == 500
    text = answer.get_json()["issue"][0]["details"]["text"]
    logged = capsys.readouterr().out
    assert text.split()[-1].rstrip(".") in logged
    assert "Canaryvale" not in answer.text + logged
