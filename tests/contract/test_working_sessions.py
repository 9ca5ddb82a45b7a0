"""Sessions that go on: orders change, advice is taken, and feedback comes in every spelling."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.client_habits import STRICT, Spelling, but
from tests.contract.sessions import criteria, ehr, opioid
from tests.protocol.hook_requests import OXYCODONE, PATIENT, body, order_sign

pytestmark = pytest.mark.slow


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
