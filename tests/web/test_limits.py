"""How much one client may ask, and what it is told beyond that."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.clients import Client, Limits
from cds_service.service import Service
from cds_service.web.app import create_app
from cds_service.web.gate import close_gate
from tests.pace import allowed
from tests.protocol.hook_requests import OXYCODONE, PATIENT, body, order_sign
from tests.web.signed import BASE, ISSUER, SERVICE_PATH, Keys, bearer, claims, known_to, pair, token

KEY = pair("ES384", "limits")
EMPTY = {"resourceType": "Bundle", "type": "searchset"}


@pytest.fixture
def keys() -> Iterator[Keys]:
    with Keys(KEY) as published:
        yield published
        published.shutdown()


def limited(service: Service, keys: Keys, folder: Path, **limits: int) -> FlaskClient:
    small = Client("small", issuer=ISSUER, jku=keys.jku, limits=Limits(**limits))
    large = Client("large", issuer="https://large.example", jku=keys.jku)
    return create_app(known_to(service, folder / "seen.db", small, large)).test_client()


def post(ehr: FlaskClient, data: bytes = b"{}", **said: Any) -> TestResponse:
    path = SERVICE_PATH + said.pop("path", "")
    return ehr.post(path, data=data, headers=bearer(token(KEY, claims(**said))))


def refused(answer: TestResponse, status: int, code: str) -> None:
    assert answer.status_code == status
    assert answer.get_json()["issue"][0]["code"] == code


def test_each_client_has_a_rate_of_its_own(service: Service, keys: Keys, tmp_path: Path) -> None:
    ehr = limited(service, keys, tmp_path, requests_per_minute=2)
    assert [post(ehr).status_code for _ in range(3)] == [400, 400, 429]
    last = post(ehr)
    refused(last, 429, "throttled")
    assert int(last.headers["Retry-After"]) > 0
    assert [post(ehr, iss="https://large.example").status_code for _ in range(4)] == [400] * 4


def test_a_refused_token_counts_for_no_client(service: Service, keys: Keys, tmp_path: Path) -> None:
    ehr = limited(service, keys, tmp_path, requests_per_minute=1)
    for _ in range(5):
        assert post(ehr, aud="https://elsewhere.example").status_code == 401
    assert post(ehr).status_code == 400


def test_a_client_has_so_many_calls_in_hand(
    service: Service, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ehr = limited(service, keys, tmp_path, concurrent=1)
    inside, go = Event(), Event()
    respond = Service.respond

    def slow(self: Service, *args: Any, **named: Any) -> Any:
        inside.set()
        assert go.wait(5)
        return respond(self, *args, **named)

    monkeypatch.setattr(Service, "respond", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(post, ehr.application.test_client())
        assert inside.wait(5)
        second = post(ehr)
        refused(second, 429, "throttled")
        assert second.headers["Retry-After"] == "1"
        go.set()
        assert first.result().status_code == 400
    assert post(ehr).status_code == 400  # the place is free again


def test_a_place_is_given_back_whatever_happens(
    service: Service, keys: Keys, tmp_path: Path
) -> None:
    ehr = limited(service, keys, tmp_path, concurrent=1, requests_per_minute=100)
    for data in (b"", b"{", b"[" * 100_000, b"{}"):
        assert post(ehr, data).status_code == 400
    assert ehr.get("/cds-services").status_code == 200
    assert post(ehr, b"{}", path="/feedback").status_code == 400


def test_a_client_has_a_body_limit_of_its_own(service: Service, keys: Keys, tmp_path: Path) -> None:
    ehr = limited(service, keys, tmp_path, body_mb=1)
    refused(post(ehr, b" " * 1_100_000), 413, "too-long")
    assert post(ehr, b" " * 1_100_000, iss="https://large.example").status_code == 400
    refused(post(ehr, b" " * 5_300_000, iss="https://large.example"), 413, "too-long")


def test_too_many_entries_are_413(service: Service, keys: Keys, tmp_path: Path) -> None:
    ehr = limited(service, keys, tmp_path, entries=3)
    for resource in ({"resourceType": "Condition"}, {"resourceType": "Basic"}, {}):
        for key in ("conditions", "problemList"):
            for count, status in ((1, 200), (2, 413)):  # and the patient, and one draft
                bundle = EMPTY | {"entry": [{"resource": resource}] * count}
                sent = order_sign(OXYCODONE, prefetch={"patient": PATIENT, key: bundle})
                assert post(ehr, body(sent)).status_code == status
    item = {"card": "c", "outcome": "accepted"}
    for count, status in ((3, 200), (4, 413)):
        sent = {"feedback": [item] * count}
        assert post(ehr, body(sent), path="/feedback").status_code == status


@pytest.mark.parametrize("entry", ['{"resource":{}}', '{"resource":{"resourceType":"Condition"}}'])
@pytest.mark.parametrize("key", ["conditions", "problemList"])
def test_a_body_full_of_tiny_entries_is_refused_at_once(
    service: Service, keys: Keys, tmp_path: Path, key: str, entry: str
) -> None:
    ehr = limited(service, keys, tmp_path)
    sent = body(order_sign(OXYCODONE, prefetch={"patient": PATIENT, key: "HERE"}))
    bundle = f'{{"resourceType":"Bundle","entry":[{",".join([entry] * 120_000)}]}}'
    start = time.perf_counter()
    refused(post(ehr, sent.replace(b'"HERE"', bundle.encode())), 413, "too-long")
    assert time.perf_counter() - start < allowed(1)


@pytest.mark.parametrize("deep", [101, 900, 100_000])
def test_a_draft_or_feedback_nested_too_deeply_is_refused(
    service: Service, keys: Keys, tmp_path: Path, deep: int
) -> None:
    ehr = limited(service, keys, tmp_path)
    nested = b'{"a":' * deep + b"1" + b"}" * deep
    sent = body(order_sign(OXYCODONE)).replace(b'"draft"', b'"draft","x":' + nested, 1)
    refused(post(ehr, sent), 400, "invalid")
    feedback = b'{"feedback":[{"card":"c","outcome":"accepted","x":' + nested + b"}]}"
    refused(post(ehr, feedback, path="/feedback"), 400, "invalid")


@pytest.mark.parametrize(("deep", "status"), [(90, 200), (800, 200), (100_000, 400)])
def test_what_is_read_into_types_may_nest_as_deep_as_the_decoder_goes(
    service: Service, keys: Keys, tmp_path: Path, deep: int, status: int
) -> None:
    ehr = limited(service, keys, tmp_path)
    sent = body(order_sign(OXYCODONE, prefetch={"patient": PATIENT | {"x": "NEST"}}))
    answer = post(ehr, sent.replace(b'"NEST"', b'{"a":' * deep + b"1" + b"}" * deep))
    assert answer.status_code == status


@pytest.mark.parametrize(
    "change",
    [
        {"medicationCodeableConcept": {"text": "oxycodone 5 MG " * 200_000}},
        {
            "medicationCodeableConcept": {
                "coding": [{"code": "1", "display": "oxycodone 5 MG " * 200_000}]
            }
        },
        {"medicationCodeableConcept": {"coding": [{"code": "1" * 3_000_000}], "text": "oxycodone"}},
        {"dosageInstruction": [{"text": "take 1 tablet every 4 hours " * 100_000}]},
        {"dosageInstruction": [{"text": "(" * 3_000_000}]},
        {
            "dosageInstruction": [
                {"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tab " * 700_000}}]}
            ]
        },
    ],
)
def test_endless_words_cost_little_and_an_opioid_stays_one(
    service: Service, change: dict[str, Any]
) -> None:
    keys = next(e for e in service.discovery()["services"] if e["id"] == "opioid-safety")[
        "prefetch"
    ]
    sent = order_sign(
        OXYCODONE | change, prefetch=dict.fromkeys(keys, EMPTY) | {"patient": PATIENT}
    )
    start = time.perf_counter()
    answer = service.respond("opioid-safety", body(sent))
    assert time.perf_counter() - start < 1
    assert answer.status == 200
    assert answer.body["cards"]
    extension = answer.body["extension"]
    assert extension.get("cds-service.unread") or extension["cds-service.mme"]["isLowerBound"]


def test_a_worker_that_stops_takes_no_more(service: Service, keys: Keys, tmp_path: Path) -> None:
    ehr = limited(service, keys, tmp_path)
    assert post(ehr).status_code == 400
    close_gate(ehr.application)
    answer = post(ehr)
    refused(answer, 503, "transient")
    assert answer.headers["Retry-After"] == "1"
    refused(post(ehr, path="/feedback"), 503, "transient")
    assert ehr.get("/ready").status_code == 503
    assert ehr.get("/health").status_code == 200


def test_a_browser_may_ask_before_it_is_known(service: Service, keys: Keys, tmp_path: Path) -> None:
    own = Client("own", issuer=ISSUER, jku=keys.jku, origins=("https://app.example",))
    made = known_to(service, tmp_path / "c.db", own, mode="production")
    ehr = create_app(made).test_client()
    asks = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    allowed = ehr.options(SERVICE_PATH, headers=asks | {"Origin": "https://app.example"})
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (
        200,
        "https://app.example",
    )
    other = ehr.options(SERVICE_PATH, headers=asks | {"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers
    denied = ehr.post(SERVICE_PATH, json={}, headers={"Origin": "https://app.example"})
    assert (denied.status_code, denied.headers["Access-Control-Allow-Origin"]) == (
        401,
        "https://app.example",
    )
    listed = ehr.get("/cds-services", headers={"Origin": "https://app.example"})
    for answer in (allowed, other, denied, listed):
        assert ", ".join(answer.headers.getlist("Vary")).count("Origin") == 1


def test_refusals_are_logged_with_the_client_and_not_the_token(
    service: Service, keys: Keys, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ehr = limited(service, keys, tmp_path)
    text = token(KEY, claims(tenant="north", aud=f"{BASE}/elsewhere"))
    capsys.readouterr()
    ehr.post(SERVICE_PATH, data=b"{}", headers=bearer(text))
    post(ehr)
    first, second = map(json.loads, capsys.readouterr().out.strip().splitlines())
    assert (first["issuer"], first["tenant"], first["why"]) == (
        ISSUER,
        "north",
        "meant for another address",
    )
    assert first["token_id"]
    assert not any(part in json.dumps(first) for part in text.split("."))
    assert (second["client"], second["status"]) == ("small", 400)
