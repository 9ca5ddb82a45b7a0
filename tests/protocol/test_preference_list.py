"""Which order file a created order came from, and its entry in Epic's preference list."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.card_files import read_orders
from cds_service.card_orders import filled
from cds_service.knowledge.loader import load_knowledge
from cds_service.protocol.preference_list import ORDERED, OrderNames, in_words, with_entry
from cds_service.shipped import shipped

ORDERS = read_orders((shipped("cards"),), load_knowledge())
NAMES = OrderNames({name: order.resource for name, order in ORDERS.items()})
REFERRAL = {"resourceType": "ServiceRequest", "code": {"text": "Care"}, "subject": "$subject"}
FILLED = {
    "$subject": {"reference": "Patient/1"},
    "$requester": {"reference": "Practitioner/1"},
    "$as_of": "2026-03-01",
    "$reasons": [{"text": "Low back pain"}],
    "$performer": [{"reference": "PractitionerRole/1"}],
}


@pytest.mark.parametrize("values", [{}, FILLED], ids=["empty", "filled"])
def test_every_order_of_ours_is_told_from_every_other(values: dict[str, Any]) -> None:
    asked = {name: order for name, order in ORDERS.items() if order.kind in ORDERED}
    assert asked
    found = {name: NAMES.of(filled(order, values)) for name, order in asked.items()}
    assert found == {name: (name,) for name in asked}


def test_the_most_particular_file_is_meant() -> None:
    names = OrderNames({"any": REFERRAL, "soon": REFERRAL | {"priority": "urgent"}})
    made = REFERRAL | {"subject": {"reference": "Patient/1"}}
    assert names.of(made) == ("any",)
    assert names.of(made | {"priority": "urgent"}) == ("soon",)
    assert names.of(made | {"priority": "stat"}) == ("any",)
    assert names.of({"resourceType": "Task"}) == ()


def test_of_two_files_for_the_same_the_one_with_an_entry_counts() -> None:
    names = OrderNames({"ours": REFERRAL, "theirs": REFERRAL})
    assert names.entries([("theirs", "9")])(REFERRAL) == "9"
    assert names.entries([("other", "9")])(REFERRAL) == ""
    assert names.entries([])(REFERRAL) == ""


def test_an_entry_stands_first_and_the_order_is_left_as_it_was() -> None:
    drug = {"coding": [{"system": "s", "code": "1"}], "text": "T"}
    order = {"resourceType": "MedicationRequest", "medicationCodeableConcept": drug}
    made = with_entry(order, "17")
    codes = [each["code"] for each in made["medicationCodeableConcept"]["coding"]]
    assert codes == ["17", "1"]
    assert made["medicationCodeableConcept"]["text"] == "T"
    assert drug["coding"] == [{"system": "s", "code": "1"}]


def test_an_order_is_told_in_words() -> None:
    assert in_words(ORDERS["naproxen"].resource) == (
        "Naproxen 500 mg tablet",
        "One tablet twice a day with food, for at most 10 days",
    )
    coded = {"resourceType": "ServiceRequest", "code": {"coding": [{"display": "MRI"}]}}
    assert in_words(coded) == ("MRI",)
    assert in_words({"resourceType": "Task", "code": {"text": "Call"}}) == ()
