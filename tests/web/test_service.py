"""From a call to an answer: the extensions at its root, its trace, and what happens when
something fails.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from cds_service.clients import Client
from cds_service.clinical.criteria import MET, WARNING, Criterion
from cds_service.clinical.facts import Facts
from cds_service.clinical.rule import Judge, Known, always
from cds_service.errors import Forbidden, UnknownService
from cds_service.protocol.linter import lint
from cds_service.service import Service
from tests.changes import replace
from tests.protocol.hook_requests import (
    INSTANCE,
    OXYCODONE,
    PATIENT,
    body,
    order_sign,
    patient_view,
)

NOTHING = {"resourceType": "Bundle", "type": "searchset", "total": 0}
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def keys(service: Service, service_id: str, hook: str) -> list[str]:
    entries = service.discovery()["services"]
    return list(next(e for e in entries if (e["id"], e["hook"]) == (service_id, hook))["prefetch"])


def signing(service: Service, *drafts: dict[str, Any], **prefetch: Any) -> bytes:
    sent = (
        dict.fromkeys(keys(service, "opioid-safety", "order-sign"), NOTHING)
        | {"patient": PATIENT}
        | prefetch
    )
    return body(order_sign(*(drafts or (OXYCODONE,)), prefetch=sent))


def test_an_opioid_order_is_answered_with_its_arithmetic(service: Service) -> None:
    answer = service.respond("opioid-safety", signing(service))
    assert answer.status == 200
    mme = answer.body["extension"]["cds-service.mme"]
    assert (mme["perDay"], mme["isLowerBound"], mme["factors"]) == (90, False, "cdc-2022")
    (order,) = mme["orders"]
    assert (order["reference"], order["perDay"], order["counted"]) == (
        "MedicationRequest/rx1",
        90,
        True,
    )
    assert "why" not in order
    assert "opioid-dose" in {card.card for card in answer.trace.cards}


def test_the_same_call_gets_the_same_answer(service: Service) -> None:
    assert (
        service.respond("opioid-safety", signing(service)).body
        == service.respond("opioid-safety", signing(service)).body
    )


def test_a_button_orders_for_the_patient_of_the_call_even_without_a_chart(service: Service) -> None:
    answer = service.respond("opioid-safety", signing(service, patient=None))
    actions = [
        action
        for card in answer.body["cards"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]
    drafted = [action["resource"] for action in actions if action["type"] == "create"]
    assert drafted
    assert all(each["subject"] == {"reference": "Patient/canary"} for each in drafted)
    assert all(each["requester"] == {"reference": "Practitioner/example"} for each in drafted)


def test_an_order_that_cannot_be_counted_says_why(service: Service) -> None:
    bare = {name: value for name, value in OXYCODONE.items() if name != "dosageInstruction"}
    mme = service.respond("opioid-safety", signing(service, bare)).body["extension"][
        "cds-service.mme"
    ]
    assert (mme["perDay"], mme["isLowerBound"]) == (0, True)
    assert mme["orders"][0]["counted"] is False
    assert mme["orders"][0]["why"]


def test_without_an_opioid_there_is_no_mme(service: Service) -> None:
    naproxen = OXYCODONE | {
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "849574"}]}
    }
    answer = service.respond("opioid-safety", signing(service, naproxen))
    assert "cds-service.mme" not in answer.body.get("extension", {})


def test_the_trace_says_how_each_need_came_and_what_each_rule_read(service: Service) -> None:
    trace = service.respond("opioid-safety", signing(service, conditions=None)).trace
    assert (trace.service, trace.hook, trace.as_of) == (
        "opioid-safety",
        "order-sign",
        date(2024, 3, 1),
    )
    assert trace.needs["patient"] == "prefetch"
    assert trace.needs["conditions"] == "empty"
    assert trace.knowledge == service.knowledge.version
    dose = next(rule for rule in trace.rules if rule.rule == "opioid-dose")
    assert dict(dose.criteria)["opioid-dose-threshold"] == "met"
    assert dose.numbers == ("opioid.dose_caution",)
    assert "Canaryvale" not in repr(trace)


def test_every_mix_of_sent_and_missing_keys_is_answered(service: Service) -> None:
    for service_id, hook in (("opioid-safety", "order-sign"), ("low-back-pain", "patient-view")):
        known = keys(service, service_id, hook)
        request = order_sign(OXYCODONE) if hook == "order-sign" else patient_view()
        for size in (0, 1, 2, len(known) - 1, len(known)):
            for sent in combinations(known, size):
                prefetch = {key: PATIENT if key == "patient" else NOTHING for key in sent}
                answer = service.respond(service_id, body(request | {"prefetch": prefetch}))
                assert answer.status in (200, 412)
                if answer.status == 200:
                    assert lint(answer.body, hook, request["context"].get("draftOrders")) == []
        assert answer.status == 200


def test_another_hook_is_refused_and_another_service_unknown(service: Service) -> None:
    with pytest.raises(UnknownService):
        service.respond("greeting", b"{}")
    with pytest.raises(Forbidden):
        service.respond(
            "opioid-safety", b"{}", client=Client("c", services=frozenset({"spine-orders"}))
        )


def test_silent_cards_are_recorded_and_not_shown(service: Service, database: Path) -> None:
    instance = "11111111-1111-4111-8111-111111111111"
    sent = signing(service).replace(INSTANCE.encode(), instance.encode())
    answer = service.respond(
        "opioid-safety", sent, client=Client("unheard", silent=frozenset({"all"}))
    )
    assert answer.body["cards"] == []
    assert answer.trace.cards
    deadline = time.monotonic() + 5
    while not (rows := _issued(database, "unheard")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert {row[0] for row in rows} == {card.card for card in answer.trace.cards}
    assert {row[1] for row in rows} == {0}


def _issued(database: Path, client: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(
            "SELECT card, shown FROM issued_card WHERE client = ?", (client,)
        ).fetchall()


def boom(facts: Facts, known: Known) -> Iterator[Criterion]:
    raise ValueError("Canaryvale")
    yield


def wordless(facts: Facts, known: Known) -> Iterator[Criterion]:
    yield Criterion("opioid-dose-threshold", MET, WARNING)


def broken(service: Service, *cards: str, function: Judge = boom) -> tuple[Service, list[str]]:
    """The same service with rules that fail, and what it reports."""
    heard: list[str] = []
    rules = {
        name: replace(rule, function=function) if name in cards else rule
        for name, rule in service.rules.items()
    }
    return (
        Service(
            service.settings,
            service.knowledge,
            service.vocabulary,
            rules,
            service.library,
            failed=lambda what, _error: heard.append(what),
        ),
        heard,
    )


def test_one_failing_rule_never_silences_the_others(service: Service) -> None:
    ailing, heard = broken(service, "opioid-dose")
    answer = ailing.respond("opioid-safety", signing(service))
    assert answer.status == 200
    assert heard == ["opioid-dose"]
    gaps = answer.body["extension"]["cds-service.notEvaluated"]
    assert {"criterion": "opioid-dose-threshold", "why": "internal error"} in gaps
    assert len(answer.trace.cards) > 0
    assert "Canaryvale" not in repr(answer)


def test_a_patient_as_the_user_gets_neither_cards_nor_what_they_rest_on(service: Service) -> None:
    prefetch = {"patient": PATIENT}
    for sent in (patient_view(prefetch=prefetch), order_sign(OXYCODONE, prefetch=prefetch)):
        sent["context"]["userId"] = "Patient/canary"
        answer = service.respond("opioid-safety", body(sent))
        assert (answer.status, answer.body) == (200, {"cards": []})
        assert answer.trace.notes == ("the user is a patient or a related person",)


def test_a_card_that_cannot_be_written_was_not_evaluated(service: Service) -> None:
    ailing, heard = broken(service, "opioid-dose", function=wordless)
    answer = ailing.respond("opioid-safety", signing(service))
    assert (answer.status, heard) == (200, ["opioid-dose"])
    gaps = answer.body["extension"]["cds-service.notEvaluated"]
    assert gaps == [{"criterion": "opioid-dose-threshold", "why": "internal error"}]
    assert [rule.rule for rule in answer.trace.rules if rule.failed] == ["opioid-dose"]
    assert "could-not-check" in {card.card for card in answer.trace.cards}


def test_when_nothing_ran_the_answer_is_an_error(service: Service) -> None:
    failing = {
        name: replace(rule, function=boom, applies=always) for name, rule in service.rules.items()
    }
    ailing = Service(
        service.settings, service.knowledge, service.vocabulary, failing, service.library
    )
    answer = ailing.respond("opioid-safety", signing(service))
    assert answer.status == 500
    assert answer.body["resourceType"] == "OperationOutcome"


def updates(answer: Any) -> list[dict[str, Any]]:
    actions = [
        action
        for card in answer.body["cards"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]
    return [action["resource"] for action in actions if action["type"] == "update"]


def test_an_order_without_an_id_is_named_by_its_words_and_changed_where_it_stands_alone(
    service: Service,
) -> None:
    nameless = {name: value for name, value in OXYCODONE.items() if name != "id"}
    for drafts, several in (([nameless], False), ([nameless] * 2, True)):
        answer = service.respond("opioid-safety", signing(service, *drafts))
        assert "unnamed" not in repr(answer.body)
        assert bool(updates(answer)) is not several
        orders = answer.body["extension"]["cds-service.mme"]["orders"]
        assert [order.get("reference") for order in orders].count(None) == drafts.count(nameless)
        sent = {"entry": [{"resource": draft} for draft in drafts]}
        assert lint(answer.body, "order-sign", sent) == []


def test_what_the_chart_says_of_an_order_stands_on_one_line_of_the_extension(
    service: Service,
) -> None:
    said = {"text": "oxycodone\u202e\n5 mg *daily*"}
    draft = OXYCODONE | {"medicationCodeableConcept": said}
    answer = service.respond("opioid-safety", signing(service, draft))
    (order,) = answer.body["extension"]["cds-service.mme"]["orders"]
    assert order["label"] == "oxycodone 5 mg *daily*"
