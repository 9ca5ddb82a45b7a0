"""Silent cards and roll-outs: worked out and recorded, but no trace of them in the answer."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from cds_service.answer import Answer
from cds_service.clients import ANYONE, Client
from cds_service.protocol.profiles import Profile
from cds_service.service import Service
from tests.changes import replace
from tests.protocol.hook_requests import INSTANCE, OXYCODONE, PATIENT, body, order_sign

EMPTY = {"resourceType": "Bundle", "type": "searchset"}
FENTANYL = OXYCODONE | {
    "id": "rx2",
    "medicationCodeableConcept": {"text": "fentanyl 50 MCG/HR transdermal patch"},
    "dosageInstruction": [{"text": "apply 1 patch every 72 hours"}],
}
DIAZEPAM = OXYCODONE | {
    "id": "benzo",
    "status": "active",
    "medicationCodeableConcept": {"text": "diazepam 5 MG oral tablet"},
}


def ask(
    service: Service,
    client: Client = ANYONE,
    user: str = "Practitioner/example",
    without: tuple[str, ...] = (),
    instance: str = INSTANCE,
) -> Answer:
    """Two opioids beside a benzodiazepine: several warnings and some notes."""
    keys = next(
        e
        for e in service.discovery()["services"]
        if (e["id"], e["hook"]) == ("opioid-safety", "order-sign")
    )["prefetch"]
    active = EMPTY | {"entry": [{"resource": DIAZEPAM}]}
    prefetch = dict.fromkeys(keys, EMPTY) | {"patient": PATIENT, "medicationRequests": active}
    kept = {key: value for key, value in prefetch.items() if key not in without}
    request = order_sign(OXYCODONE, FENTANYL, prefetch=kept, hookInstance=instance)
    request["context"]["userId"] = user
    return service.respond("opioid-safety", body(request), client=client)


def topics(answer: Answer) -> list[str]:
    return [card["source"]["topic"]["code"] for card in answer.body["cards"]]


def criteria(answer: Answer) -> set[str]:
    return {
        reason["criterion"]
        for card in answer.body["cards"]
        for reason in card.get("extension", {}).get("cds-service.reasons", ())
        if reason["status"] == "met"
    }


def recorded(answer: Answer, *, shown: bool) -> dict[str, tuple[str, ...]]:
    return {card.card: card.criteria for card in answer.trace.cards if card.shown is shown}


def test_the_control_has_cards_of_its_own_and_a_folding_one(service: Service) -> None:
    answer = ask(service)
    assert {"opioid-dose", "opioid-with-sedative", "opioid-checklist"} <= set(topics(answer))
    assert recorded(answer, shown=False) == {}


@pytest.mark.parametrize(
    "card", ["opioid-dose", "opioid-with-sedative", "opioid-nonopioid-first", "naloxone-offer"]
)
def test_a_silent_card_leaves_no_trace_in_the_answer(service: Service, card: str) -> None:
    whole = ask(service)
    answer = ask(service, Client("quiet", silent=frozenset({card})))
    hidden = recorded(answer, shown=False)
    assert set(hidden) == {card}
    assert hidden[card]
    assert not criteria(answer) & {c.name for c in service.rules[card].criteria.values()}
    assert criteria(answer) == {
        name for name in criteria(whole) if name not in service.rules[card].criteria
    }


def test_all_silent_is_an_empty_answer_and_a_full_record(service: Service) -> None:
    answer = ask(service, Client("quiet", silent=frozenset({"all"})))
    assert answer.body == {"cards": []}
    assert set(recorded(answer, shown=False)) > {"opioid-dose", "opioid-with-sedative"}
    assert recorded(answer, shown=True) == {}
    for card in answer.trace.cards:
        UUID(card.uuid)
    whole = ask(service)
    names = {name for found in recorded(whole, shown=True).values() for name in found}
    assert {name for found in recorded(answer, shown=False).values() for name in found} == names


def test_a_silent_folding_card_hides_notes_but_no_warning(service: Service) -> None:
    whole = ask(service)
    answer = ask(service, Client("quiet", silent=frozenset({"opioid-checklist"})))
    severe = {
        reason["criterion"]
        for card in whole.body["cards"]
        for reason in card.get("extension", {}).get("cds-service.reasons", ())
        if reason["status"] == "met" and reason["indicator"] != "info"
    }
    assert severe <= criteria(answer)
    assert {card.indicator for card in answer.trace.cards if not card.shown} <= {"info"}


def test_a_gap_of_a_silent_card_is_not_told(service: Service) -> None:
    whole = ask(service, without=("conditions", "observations"))
    gaps = whole.body["extension"]["cds-service.notEvaluated"]
    assert gaps
    names = {gap["criterion"] for gap in gaps}
    cards = {name for name, rule in service.rules.items() if names & set(rule.criteria)}
    answer = ask(
        service, Client("quiet", silent=frozenset(cards)), without=("conditions", "observations")
    )
    assert "cds-service.notEvaluated" not in answer.body.get("extension", {})
    assert "could-not-check" not in topics(answer)


def test_could_not_check_can_be_silent_and_is_recorded(service: Service) -> None:
    without = ("conditions", "observations", "procedures")
    assert "could-not-check" in topics(ask(service, without=without))
    answer = ask(service, Client("quiet", silent=frozenset({"could-not-check"})), without=without)
    assert "could-not-check" in recorded(answer, shown=False)
    assert "could-not-check" not in topics(answer)
    assert answer.body["extension"]["cds-service.notEvaluated"]  # machines may still know


def test_a_share_of_the_users_sees_a_card(service: Service) -> None:
    client = Client("pilot", rollout=(("opioid-dose", 25),))
    users = [f"Practitioner/{number}" for number in range(2000)]
    seen = {user for user in users if client.shows("opioid-dose", user, "secret key")}
    assert 420 < len(seen) < 580
    more = replace(client, rollout=(("opioid-dose", 50),))
    assert seen < {user for user in users if more.shows("opioid-dose", user, "secret key")}
    assert seen != {user for user in users if client.shows("opioid-dose", user, "another key")}
    assert all(client.shows("pdmp-review", user, "secret key") for user in users)
    none, every = (replace(client, rollout=(("opioid-dose", share),)) for share in (0, 100))
    assert not any(none.shows("opioid-dose", user, "k") for user in users)
    assert all(every.shows("opioid-dose", user, "k") for user in users)


def test_two_cards_reach_different_users() -> None:
    client = Client("pilot", rollout=(("opioid-dose", 50), ("pdmp-review", 50)))
    users = [f"Practitioner/{number}" for number in range(400)]
    both = [
        user
        for user in users
        if client.shows("opioid-dose", user) and client.shows("pdmp-review", user)
    ]
    assert 60 < len(both) < 140


def test_a_user_outside_the_roll_out_is_recorded(service: Service) -> None:
    client = Client("pilot", rollout=(("opioid-dose", 50),))
    users = [f"Practitioner/{number}" for number in range(20)]
    answers = {user: ask(service, client, user) for user in users}
    inside = {user for user in users if client.shows("opioid-dose", user)}
    assert 0 < len(inside) < 20
    for user, answer in answers.items():
        assert ("opioid-dose" in topics(answer)) is (user in inside)
        assert ("opioid-dose" in recorded(answer, shown=False)) is (user not in inside)
        assert answer.body == ask(service, client, user).body


@pytest.mark.parametrize("profile", list(Profile))
def test_silence_holds_in_every_profile(service: Service, profile: Profile) -> None:
    answer = ask(service, Client("quiet", silent=frozenset({"all"}), profile=profile))
    assert answer.body == {"cards": []}


def test_the_record_is_written_with_what_was_shown(service: Service, database: Path) -> None:
    client = Client(f"quiet-{uuid4()}", silent=frozenset({"opioid-dose"}))
    answer = ask(service, client, instance=str(uuid4()))
    deadline = time.monotonic() + 5
    rows: list[Any] = []
    while len(rows) < len(answer.trace.cards) and time.monotonic() < deadline:
        time.sleep(0.02)
        with closing(sqlite3.connect(database)) as connection:
            query = "SELECT card, shown, criteria FROM issued_card WHERE client = ?"
            rows = connection.execute(query, (client.id,)).fetchall()
    shown = {card: bool(flag) for card, flag, _ in rows}
    assert shown.pop("opioid-dose") is False
    assert shown
    assert all(shown.values())
    assert next(text for card, _, text in rows if card == "opioid-dose")
