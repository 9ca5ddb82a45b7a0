"""Our service as EHRs see it: vendors' ways, every state of prefetch, tokens that end, odd
feedback.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.contract.answers import DIAZEPAM
from tests.contract.fhir_store import FhirStore
from tests.contract.loopback import Loopback
from tests.protocol.hook_requests import OXYCODONE, PATIENT, body, order_sign
from tests.simulator import (
    ALL,
    CALLS_BACK,
    EPIC,
    FIXTURES,
    HOSTILE,
    KNOWN_EMPTY,
    ORACLE,
    STRICT,
    UNKNOWN,
    Answer,
    Ehr,
    ErrorCard,
    Habits,
    Spelling,
    State,
    but,
    drawn,
)

pytestmark = pytest.mark.slow

TOKEN = "canary-access-token"
SERVICES = ("low-back-pain", "spine-orders", "opioid-safety")


def ehr(web: FlaskClient, habits: Habits = STRICT) -> Ehr:
    return Ehr(web, habits, PATIENT, [DIAZEPAM])


def opioid(answers: list[Answer]) -> Answer:
    return next(answer for answer in answers if answer.service == "opioid-safety")


def criteria(answer: Answer) -> set[str]:
    """The criteria met in the cards of an answer."""
    return {
        reason["criterion"]
        for card in answer.cards
        for reason in card.get("extension", {}).get("cds-service.reasons", ())
        if reason["status"] == "met"
    }


@pytest.mark.parametrize("habits", ALL, ids=lambda habits: habits.name)
def test_every_client_is_answered(web: FlaskClient, habits: Habits) -> None:
    session = ehr(web, habits)
    answers = [*session.open_chart(), *session.select(OXYCODONE), *session.sign()]
    assert answers
    assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("habits", [EPIC, FIXTURES, HOSTILE], ids=lambda habits: habits.name)
def test_the_advice_does_not_depend_on_the_spelling(web: FlaskClient, habits: Habits) -> None:
    wanted = criteria(opioid(ehr(web).sign(OXYCODONE)))
    assert {"opioid-dose-threshold", "opioid-with-sedative"} <= wanted
    assert criteria(opioid(ehr(web, habits).sign(OXYCODONE))) == wanted


def test_oracle_calls_on_opening_a_chart_only(web: FlaskClient) -> None:
    session = ehr(web, ORACLE)
    assert session.sign(OXYCODONE) == []
    assert {answer.service for answer in session.open_chart()} == {"low-back-pain", "opioid-safety"}


def test_a_client_may_strip_the_drafts(web: FlaskClient) -> None:
    answers = ehr(web, but(EPIC, strips_drafts=True)).sign(OXYCODONE)
    assert [(answer.status, answer.body) for answer in answers] == [(200, {"cards": []})] * 2


def test_links_lead_only_to_hosts_that_can_be_allowed(web: FlaskClient) -> None:
    session = ehr(web, but(EPIC, link_hosts=()))
    session.sign(OXYCODONE)
    assert session.dropped_links
    assert all(url.startswith("https://") and "canary" not in url for url in session.dropped_links)


@pytest.mark.parametrize("state", list(State))
def test_every_state_of_every_search_is_answered(web: FlaskClient, state: State) -> None:
    session = ehr(web, but(STRICT, states={"*": state}))
    for answer in [*session.open_chart(), *session.sign(OXYCODONE)]:
        assert answer.status in (200, 412)
        if answer.status == 412:
            assert state in UNKNOWN


def test_the_power_set_of_three_keys(web: FlaskClient) -> None:
    keys = ("patient", "medicationRequests", "conditions")
    some = (State.VALUE, State.NULL, State.WARNED, State.FAILED, State.PAGED, State.OMITTED)
    for states in product(some, repeat=len(keys)):
        session = ehr(web, but(STRICT, states=dict(zip(keys, states, strict=True))))
        answer = opioid(session.sign(OXYCODONE))
        assert answer.status in (200, 412), states
        if (
            answer.status == 200
            and states[1] in (State.VALUE, State.PAGED)
            and states[0] is State.VALUE
        ):
            assert "opioid-with-sedative" in criteria(answer), states


@pytest.mark.parametrize("state", KNOWN_EMPTY)
def test_known_empty_is_the_same_in_every_spelling(web: FlaskClient, state: State) -> None:
    plain = opioid(ehr(web, but(STRICT, states={"*": State.EMPTY})).sign(OXYCODONE))
    other = opioid(ehr(web, but(STRICT, states={"*": state})).sign(OXYCODONE))
    assert criteria(other) == criteria(plain)
    assert other.body.get("extension") == plain.body.get("extension")


@pytest.mark.parametrize("state", [State.COLLECTION, State.BARE])
def test_the_same_data_in_another_wrapping_give_the_same_advice(
    web: FlaskClient, state: State
) -> None:
    plain, other = ehr(web), ehr(web, but(STRICT, states={"*": state}))
    assert criteria(opioid(other.sign(OXYCODONE))) == criteria(opioid(plain.sign(OXYCODONE)))


def test_without_patient_and_without_access_there_is_no_advice(web: FlaskClient) -> None:
    session = ehr(web, but(STRICT, states={"patient": State.OMITTED, "*": State.OMITTED}))
    assert {answer.status for answer in session.open_chart()} == {412}


class TestCallingBack:
    """A client that gives a token instead of data."""

    @pytest.fixture
    def store(self) -> FhirStore:
        return FhirStore(PATIENT, DIAZEPAM, token=TOKEN, page=1)

    @pytest.fixture
    def session(self, web: FlaskClient, store: FhirStore) -> Iterator[Ehr]:
        with Loopback(store) as base:
            session = ehr(web, CALLS_BACK)
            granted = {
                "access_token": TOKEN,
                "token_type": "Bearer",
                "expires_in": 300,
                "scope": "patient/*.rs Observation.Read (Labs) (R4)",
                "subject": "cds-service",
                "patient": "canary",
            }
            session.access = {"fhirServer": base, "fhirAuthorization": granted}
            yield session

    def test_the_advice_is_that_of_prefetch(self, web: FlaskClient, session: Ehr) -> None:
        fetched, sent = opioid(session.sign(OXYCODONE)), opioid(ehr(web).sign(OXYCODONE))
        assert criteria(fetched) == criteria(sent)
        assert len(fetched.cards) == len(sent.cards)

    def test_each_query_is_asked_once(self, session: Ehr, store: FhirStore) -> None:
        opioid(session.sign(OXYCODONE))
        each = [url for url in store.asked if not url.startswith("/Medication/")]
        services = 2  # on order-sign
        assert all(each.count(url) <= services for url in each)
        assert not any("rx1" in url for url in each)  # a draft is never read

    def test_only_what_is_missing_is_asked(
        self, web: FlaskClient, session: Ehr, store: FhirStore
    ) -> None:
        half = ehr(web, but(STRICT, states={"medicationRequests": State.OMITTED}))
        half.access = session.access
        assert "opioid-with-sedative" in criteria(opioid(half.sign(OXYCODONE)))
        assert {url for url in store.asked if "?" in url} == {"/MedicationRequest?patient=canary"}

    def test_an_error_in_prefetch_is_not_asked_again(
        self, web: FlaskClient, session: Ehr, store: FhirStore
    ) -> None:
        failed = ehr(web, but(STRICT, states={"conditions": State.FAILED}))
        failed.access = session.access
        failed.sign(OXYCODONE)
        assert not any(url.startswith("/Condition") for url in store.asked)

    def test_pages_are_turned(self, session: Ehr, store: FhirStore) -> None:
        store.resources += [DIAZEPAM | {"id": f"rx-{n}"} for n in range(3)]
        assert opioid(session.sign(OXYCODONE)).status == 200
        assert sum("_offset" in url for url in store.asked) >= 3

    def test_a_type_the_user_may_not_see_is_unknown(self, session: Ehr, store: FhirStore) -> None:
        store.hidden = ["Condition"]
        answer = opioid(session.sign(OXYCODONE))
        assert answer.status == 200
        assert "opioid-dose-threshold" in criteria(answer)

    def test_a_revoked_token_is_missing_data_and_never_401(
        self, session: Ehr, store: FhirStore
    ) -> None:
        session.sign(OXYCODONE)
        asked = len(store.asked)
        store.revoked = True
        assert {answer.status for answer in session.open_chart()} == {412}
        assert len(store.asked) > asked

    def test_nothing_is_asked_after_the_answer(self, session: Ehr, store: FhirStore) -> None:
        session.sign(OXYCODONE)
        store.revoked, asked = True, len(store.asked)
        assert session.report("opioid-safety", {"card": "x", "outcome": "overridden"}) == 200
        assert len(store.asked) == asked

    def test_the_token_goes_nowhere_else(
        self, session: Ehr, capsys: pytest.CaptureFixture[str]
    ) -> None:
        answers = session.sign(OXYCODONE)
        told = capsys.readouterr()
        assert TOKEN not in json.dumps([answer.body for answer in answers]) + told.out + told.err

    def test_a_token_for_another_patient_gets_no_advice(self, session: Ehr) -> None:
        session.access["fhirAuthorization"]["patient"] = "other"
        assert {answer.status for answer in session.open_chart()} == {400}


class TestWorking:
    """A session goes on: orders change, advice is taken, cards go."""

    def test_advice_is_withdrawn_when_its_cause_is_gone(self, web: FlaskClient) -> None:
        session = ehr(web)
        session.select(OXYCODONE)
        assert session.screen["opioid-safety"]
        session.drafts.clear()
        session.sign()
        assert not any(
            card["source"]["topic"]["code"] == "opioid-dose"
            for card in session.screen["opioid-safety"]
        )

    def test_taking_the_advice_ends_it(self, web: FlaskClient) -> None:
        session = ehr(web)
        answer = opioid(session.sign(OXYCODONE))
        card = next(c for c in answer.cards if c["source"]["topic"]["code"] == "opioid-dose")
        for suggestion in card["suggestions"]:
            assert session.accept("opioid-safety", card, suggestion) == 200
        again = opioid(session.sign())
        assert "opioid-dose-threshold" not in criteria(again)
        labels = [s["label"] for c in again.cards for s in c.get("suggestions", ())]
        assert not any("naloxone" in label.lower() for label in labels)

    def test_a_retried_call_gets_the_same_ids(self, web: FlaskClient) -> None:
        session = ehr(web, but(STRICT, instance=lambda _: "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"))
        assert opioid(session.sign(OXYCODONE)).body == opioid(session.sign()).body

    def test_other_calls_get_other_ids(self, web: FlaskClient) -> None:
        session = ehr(web)
        first, second = opioid(session.sign(OXYCODONE)), opioid(session.sign())
        ids = [{card["uuid"] for card in answer.cards} for answer in (first, second)]
        assert not ids[0] & ids[1]

    def test_services_may_be_called_at_once(self, app: Flask) -> None:
        def once(_: int) -> list[int]:
            session = ehr(app.test_client())
            return [answer.status for answer in session.sign(OXYCODONE)]

        with ThreadPoolExecutor(8) as pool:
            assert {status for found in pool.map(once, range(24)) for status in found} == {200}

    def test_a_client_that_hangs_up_harms_nobody(self, address: str) -> None:
        where = urlsplit(address)
        sent = body(order_sign(OXYCODONE, prefetch={"patient": PATIENT}))
        for cut in (0, 20, len(sent)):
            with socket.create_connection(
                (where.hostname or "", where.port or 0), timeout=5
            ) as line:
                head = "POST /cds-services/opioid-safety HTTP/1.1\r\nHost: x\r\n"
                head += f"Content-Length: {len(sent)}\r\n"
                line.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + sent[:cut])
        with socket.create_connection((where.hostname or "", where.port or 0), timeout=5) as line:
            line.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            assert b"200" in line.recv(100)


class TestFeedback:
    """What became of cards, as clients write it."""

    @pytest.mark.parametrize("spelling", list(Spelling))
    def test_every_spelling_is_taken(self, web: FlaskClient, spelling: Spelling) -> None:
        session = ehr(web, but(STRICT, spelling=spelling))
        card = opioid(session.sign(OXYCODONE)).cards[0]
        reason = {"code": card["overrideReasons"][0]["code"]}  # system and display may be missing
        assert session.override("opioid-safety", card, reason, "seen") == 200
        assert session.accept("opioid-safety", card, card["suggestions"][0]) == 200

    @pytest.mark.parametrize(
        "item",
        [
            {"card": "unknown", "outcome": "accepted", "acceptedSuggestions": []},
            {"card": "x" * 500, "outcome": "overridden", "overrideReason": {}},
            {
                "card": "x",
                "outcome": "overridden",
                "overrideReason": {"reason": {"code": "theirs"}},
            },
            {
                "card": "x",
                "outcome": "overridden",
                "outcomeTimestamp": "2024-03-01T10:00:00.123+05:30",
            },
            {"card": "x", "outcome": "overridden", "outcomeTimestamp": "yesterday"},
            {"card": 5},
            {},
            "text",
            None,
        ],
    )
    def test_an_odd_item_harms_no_other(self, web: FlaskClient, item: Any) -> None:
        session = ehr(web)
        assert session.report("opioid-safety", {"card": "y", "outcome": "overridden"}, item) == 200

    def test_feedback_may_repeat_and_change(self, web: FlaskClient) -> None:
        session = ehr(web)
        card = opioid(session.sign(OXYCODONE)).cards[0]
        ignored = {"card": card["uuid"], "outcome": "overridden"}
        acted = {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": "s"}]}
        assert session.report("opioid-safety", *[ignored] * 50, acted) == 200
        assert session.report("opioid-safety", ignored) == 200


def test_a_strict_client_knows_an_error_card() -> None:
    good = {"summary": "s", "indicator": "info"}
    assert drawn(good) == good
    for change in ({"selectionBehavior": "all"}, {"suggestions": [{}]}, {"summary": "x" * 140}):
        with pytest.raises(ErrorCard):
            drawn({**good, **change})
