"""Malformed and awkward requests: each has the answer that a careful service gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.errors import FhirReadError
from cds_service.fhir.client import Pages
from cds_service.protocol.linter import lint
from cds_service.service import Service
from tests.protocol.hook_requests import OXYCODONE, PATIENT, body, order_sign

URL = "/cds-services/opioid-safety"
EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}
PREFETCH: dict[str, Any] = {"patient": PATIENT}


@pytest.fixture(scope="session")
def keys(app: Any) -> list[str]:
    services = app.test_client().get("/cds-services").get_json()["services"]
    found = next(s for s in services if (s["id"], s["hook"]) == ("opioid-safety", "order-sign"))
    return list(found["prefetch"])


def whole(keys: list[str], **prefetch: Any) -> dict[str, Any]:
    """An order-sign request with every key sent, those of `prefetch` as given or left out
    by `...`.
    """
    filled = dict.fromkeys(keys, EMPTY) | PREFETCH | prefetch
    return order_sign(
        OXYCODONE, prefetch={key: value for key, value in filled.items() if value is not ...}
    )


def post(web: FlaskClient, data: bytes, **headers: str) -> TestResponse:
    return web.post(URL, data=data, headers={"Content-Type": "application/json"} | headers)


def assert_outcome(answer: TestResponse, status: int) -> str:
    assert answer.status_code == status
    assert answer.mimetype == "application/json"
    outcome = json.loads(answer.data)
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["severity"] == "error"
    assert "Canaryvale" not in answer.text
    return str(outcome["issue"][0]["details"]["text"])


def changed(keys: list[str], *route: str, to: Any) -> bytes:
    """The whole request with one member replaced, or left out by `...`."""
    request = deepcopy(whole(keys))
    place = request
    for step in route[:-1]:
        place = place[step]
    if to is ...:
        del place[route[-1]]
    else:
        place[route[-1]] = to
    return body(request)


def test_the_control_is_answered(web: FlaskClient, keys: list[str]) -> None:
    answer = post(web, body(whole(keys)))
    assert answer.status_code == 200
    assert lint(json.loads(answer.data), "order-sign", whole(keys)["context"]["draftOrders"]) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"{",
        b'{"hook": "\xff"}',
        b"[" * 100_000,
        b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["empty", "text", "array", "null", "cut", "not UTF-8", "nested", "nested member"],
)
def test_what_is_no_request_is_400(web: FlaskClient, data: bytes) -> None:
    assert_outcome(post(web, data), 400)


@pytest.mark.parametrize(
    ("route", "to"),
    [
        (("hook",), ...),
        (("hook",), "patient-discharge"),
        (("hookInstance",), ...),
        (("hookInstance",), "abc"),
        (("context",), ...),
        (("context",), "text"),
        (("context", "patientId"), ...),
        (("context", "userId"), ...),
        (("context", "draftOrders"), "text"),
        (("context", "draftOrders"), {"resourceType": "Bundle", "entry": "text"}),
        (("prefetch",), "text"),
        (("fhirServer",), "not a url"),
    ],
)
def test_a_wrong_member_is_400(
    web: FlaskClient, keys: list[str], route: tuple[str, ...], to: Any
) -> None:
    text = assert_outcome(post(web, changed(keys, *route, to=to)), 400)
    assert route[-1] in text or "patient" in text


@pytest.mark.parametrize("value", [12, [], [PATIENT], {"resourceType": "Bundle", "entry": "x"}])
def test_an_odd_value_in_the_prefetch_costs_its_own_need(
    web: FlaskClient, keys: list[str], value: Any
) -> None:
    answer = post(web, body(whole(keys, conditions=value, medicationRequests=value)))
    assert answer.status_code == 200
    assert b'"code":"opioid-dose"' in answer.data
    assert_outcome(post(web, body(whole(keys, patient=value))), 412)


def test_drafts_of_another_patient_get_no_guidance(web: FlaskClient, keys: list[str]) -> None:
    request = whole(keys)
    other = OXYCODONE | {"id": "rx2", "subject": {"reference": "Patient/other"}}
    request["context"]["draftOrders"]["entry"].append({"resource": other})
    assert_outcome(post(web, body(request)), 400)


@pytest.mark.parametrize("prefetch", [..., {}, None])
def test_nothing_to_read_is_412(web: FlaskClient, prefetch: Any) -> None:
    text = assert_outcome(post(web, body(order_sign(OXYCODONE, prefetch=prefetch))), 412)
    assert "conditions, patient (not in prefetch, and no access to the FHIR server)" in text


def test_a_server_that_is_down_is_412(web: FlaskClient) -> None:
    sent = order_sign(OXYCODONE, prefetch={}, fhirServer="http://127.0.0.1:9/fhir")
    answer = post(web, body(sent))
    assert "(the FHIR server: no connection)" in assert_outcome(answer, 412)
    assert json.loads(answer.data)["issue"][0]["code"] == "transient"


def test_a_server_elsewhere_is_never_called(web: FlaskClient) -> None:
    sent = order_sign(OXYCODONE, prefetch={}, fhirServer="http://169.254.169.254/fhir")
    text = assert_outcome(post(web, body(sent)), 412)
    assert "fhirServer is not one this client may name" in text


class Failing:
    """A FHIR server that answers every question the same way."""

    def __init__(self, why: str) -> None:
        self._why = why

    def gather(self, queries: Mapping[str, str]) -> dict[str, Pages | FhirReadError]:
        """The failure, by the names that were asked."""
        return {name: FhirReadError(self._why) for name in queries}


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("timeout", "timeout"),
        ("status 429", "transient"),
        ("status 503", "transient"),
        ("busy", "transient"),
        ("status 401", "incomplete"),
        ("status 404", "incomplete"),
    ],
)
def test_what_a_server_said_tells_whether_to_try_again(
    service: Service, why: str, code: str
) -> None:
    sent = body(order_sign(OXYCODONE, prefetch={}))
    answer = service.respond("opioid-safety", sent, fetch=Failing(why))
    issue = answer.body["issue"][0]
    assert (answer.status, issue["code"]) == (412, code)
    assert f"(the FHIR server: {why})" in issue["details"]["text"]


@pytest.mark.parametrize("value", [None, EMPTY, {"resourceType": "Bundle", "entry": []}])
def test_known_empty_data_is_200(web: FlaskClient, keys: list[str], value: Any) -> None:
    for key in keys:
        if key != "patient":
            assert post(web, body(whole(keys, **{key: value}))).status_code == 200


def test_each_key_may_be_missing_alone(web: FlaskClient, keys: list[str]) -> None:
    for key in keys:
        assert post(web, body(whole(keys, **{key: ...}))).status_code in (200, 412)


def test_the_chart_of_another_patient_is_dropped_and_counted(
    web: FlaskClient, keys: list[str]
) -> None:
    theirs = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/other"},
        "code": {"text": "x"},
    }
    answer = post(web, body(whole(keys, conditions=EMPTY | {"entry": [{"resource": theirs}]})))
    assert answer.status_code == 200
    assert json.loads(answer.data)["extension"]["cds-service.dropped"] == 1


def dosage(instruction: Any) -> dict[str, Any]:
    return OXYCODONE | {"dosageInstruction": instruction}


@pytest.mark.parametrize(
    "draft",
    [
        dosage([{"doseAndRate": [{"doseQuantity": {"value": "two", "unit": "tablet"}}]}]),
        {name: value for name, value in OXYCODONE.items() if name != "dosageInstruction"},
        dosage(
            [
                {
                    "timing": {"code": {"text": "QID"}},
                    "doseAndRate": [{"doseQuantity": {"value": 1, "code": "TAB"}}],
                }
            ]
        ),
        {name: value for name, value in OXYCODONE.items() if name != "medicationCodeableConcept"}
        | {
            "medicationReference": {"reference": "#m"},
            "contained": [{"resourceType": "Medication", "id": "m"}],
        },
        OXYCODONE | {"category": {"coding": [{"code": "community"}]}, "id": "x" * 90},
    ],
    ids=["words as numbers", "no dosage", "TAB", "reference", "object for array"],
)
def test_awkward_orders_are_answered(
    web: FlaskClient, keys: list[str], draft: dict[str, Any]
) -> None:
    request = whole(keys)
    request["context"]["draftOrders"]["entry"] = [{"resource": draft}]
    answer = post(web, body(request))
    assert answer.status_code == 200
    assert lint(json.loads(answer.data), "order-sign", request["context"]["draftOrders"]) == []


def test_a_warning_outcome_beside_an_empty_result_is_no_error(
    web: FlaskClient, keys: list[str]
) -> None:
    issue = {"severity": "warning", "code": "processing", "details": {"coding": [{"code": "4101"}]}}
    entry = {
        "search": {"mode": "outcome"},
        "resource": {"resourceType": "OperationOutcome", "issue": [issue]},
    }
    assert post(web, body(whole(keys, conditions=EMPTY | {"entry": [entry]}))).status_code == 200


@pytest.mark.parametrize("empty", [..., None, {}])
def test_order_hooks_without_orders_get_no_cards(
    web: FlaskClient, keys: list[str], empty: Any
) -> None:
    answer = post(web, changed(keys, "context", "draftOrders", to=empty))
    assert (answer.status_code, json.loads(answer.data)) == (200, {"cards": []})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Content-Encoding": "br"}, 415),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({"Content-Type": "application/fhir+json"}, 200),
        ({"Accept": "text/html"}, 200),
    ],
)
def test_media_types(
    web: FlaskClient, keys: list[str], headers: dict[str, str], status: int
) -> None:
    answer = post(web, body(whole(keys)), **headers)
    assert answer.status_code == status
    if status != 200:
        assert_outcome(answer, status)


def test_a_body_beyond_the_limit_is_413(web: FlaskClient) -> None:
    assert_outcome(post(web, b" " * 1_100_000), 413)


def test_unknown_addresses_are_404(web: FlaskClient) -> None:
    assert_outcome(web.post("/cds-services/greeting", json={}), 404)
    assert_outcome(web.post("/cds-services/greeting/feedback", json={}), 404)
    assert_outcome(web.get("/nowhere"), 404)


def test_wrong_methods_are_405(web: FlaskClient) -> None:
    answer = web.get(URL)
    assert_outcome(answer, 405)
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) == {"POST", "OPTIONS"}
    assert_outcome(web.delete("/cds-services"), 405)
