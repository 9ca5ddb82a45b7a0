"""Instructions that only stand beside a dose: words for the patient, and daily maxima."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.knowledge.drugs.model import Route
from tests.fhir.instructions import only, sig, tablets

FOUR = tablets(frequency=4, period=1, periodUnit="d")
MOST_3 = {"numerator": {"value": 3, "unit": "tablet"}, "denominator": {"value": 1, "unit": "d"}}


@pytest.mark.parametrize(
    "said",
    [
        {"text": "Take with food"},
        {"text": "as needed for pain"},
        {"text": "Take as directed"},
        {"text": "by mouth"},
        {"text": "Max 9 tablets per day"},
        {"text": "Max 0 tablets per day"},
        {"text": "Do not drive.", "sequence": 2},
    ],
)
def test_words_that_are_understood_take_nothing_from_a_dose(said: dict[str, Any]) -> None:
    found = sig(FOUR, said)
    assert (found.partly, found.unread) == (None, None)
    assert only(found).daily == 4


@pytest.mark.parametrize(
    "said",
    [
        {"text": "as told"},
        {"text": "for 7 days"},
        {"text": "every 4 hours"},
        {"text": "by mouth, under the tongue"},
        {"text": "1 tablet"},
        {"text": "Take with food", "timing": {"repeat": {"frequency": 1}}},
    ],
)
def test_other_words_leave_it_open(said: dict[str, Any]) -> None:
    assert sig(FOUR, said).partly


def test_a_maximum_beside_a_dose_limits_it() -> None:
    assert only(sig(FOUR, {"text": "Max 3 tablets per day"})).daily == 3
    assert only(sig(FOUR, {"maxDosePerPeriod": MOST_3})).daily == 3
    assert (
        only(sig(FOUR | {"maxDosePerPeriod": MOST_3}, {"text": "Max 2 tablets per day"})).daily == 2
    )
    assert (
        only(sig(FOUR | {"maxDosePerPeriod": MOST_3}, {"text": "Max 9 tablets per day"})).daily == 3
    )
    both = only(sig(FOUR, FOUR, {"text": "Max 6 tablets per day"}))
    assert (both.amount, both.per_day) == (6, 1)
    few = sig(FOUR, FOUR, {"text": "Max 9 tablets per day"})
    assert [dose.daily for dose in few.steps[0]] == [4, 4]
    other = sig(FOUR, FOUR, {"text": "Max 60 mg per day"})
    assert [dose.daily for dose in other.steps[0]] == [4, 4]


@pytest.mark.parametrize(
    ("said", "daily", "unit"),
    [
        ({"maxDosePerPeriod": MOST_3}, 3, "unit"),
        ({"text": "Take as directed", "maxDosePerPeriod": MOST_3}, 3, "unit"),
        ({"text": "less each week as told", "maxDosePerPeriod": MOST_3}, 3, "unit"),
        ({"text": "as needed for pain, no more than 4 tablets per day"}, 4, "unit"),
        ({"text": "Take as directed. Max 30 mg per day"}, 30, "mg"),
        (
            {
                "doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "tablet"}}}],
                "timing": FOUR["timing"],
                "maxDosePerPeriod": MOST_3,
            },
            3,
            "unit",
        ),
    ],
)
def test_a_maximum_counts_where_nothing_else_is_told(
    said: dict[str, Any], daily: int, unit: str
) -> None:
    found = sig(said, quantity={"value": 60, "unit": "tablet"}, days=30)
    assert (only(found).daily, only(found).unit, found.partly) == (daily, unit, None)
    assert "daily maximum counts" in found.notes[0]


def test_a_maximum_that_is_none_counts_nothing() -> None:
    absurd = {**MOST_3, "numerator": {"value": 3_000_000, "unit": "tablet"}}
    for said in ({"text": "Max 0 tablets per day"}, {"maxDosePerPeriod": absurd}):
        assert sig(said).unread == "the instruction names no dose"
    assert sig({"text": "as told", "maxDosePerPeriod": MOST_3}, {"text": "as told"}).unread


def test_words_alone_are_no_dose() -> None:
    assert sig({"text": "Take as directed"}).unread == "the instruction names no dose"
    assert only(sig({"text": "Take as directed"}, quantity={"value": 90}, days=30)).per_day == 3


def test_the_route_of_words_counts() -> None:
    assert sig(FOUR, {"text": "by mouth"}).route is Route.ORAL
    assert sig(FOUR, {"text": "Take with food", "route": {"text": "rectal"}}).route is Route.RECTAL


@pytest.mark.parametrize(
    "said",
    [
        {"additionalInstruction": [{"text": "Max 3 tablets per day"}]},
        {
            "additionalInstruction": [
                {"coding": [{"display": "Do not exceed 3 tablets in 24 hours"}]}
            ]
        },
        {"additionalInstruction": ["With food", "Max 3 tablets per day"]},
        {"additionalInstruction": {"text": "Max 3 tablets per day"}},
        {"text": "by mouth", "patientInstruction": "Do not take more than 3 tablets in 24 hours"},
        {
            "additionalInstruction": [
                {"text": "Max 3 tablets per day"},
                {"text": "Max 9 tablets per day"},
            ]
        },
    ],
)
def test_a_maximum_among_the_further_words_of_an_instruction_limits_it(
    said: dict[str, Any],
) -> None:
    assert only(sig(FOUR | said)).daily == 3
    untimed = {"text": "Take 1 tablet every 4 hours as needed"} | said
    if said.get("text") is None:
        assert only(sig(untimed)).daily == 3
    both = sig(FOUR | said, {"text": "as told"})
    assert both.partly and only(both).daily == 3


@pytest.mark.parametrize(
    "words",
    [
        [],
        None,
        [None],
        [{}],
        "",
        [{"text": "With food"}],
        [{"text": "As told"}],
        [{"text": "Max 0 tablets per day"}],
        [{"text": "1 tablet"}],
        [{"text": "Max 4000 mg acetaminophen per day"}],
    ],
)
def test_other_further_words_change_nothing(words: Any) -> None:
    found = sig(FOUR | {"additionalInstruction": words})
    assert found == sig(FOUR)
