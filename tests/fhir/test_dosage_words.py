"""Words beside the numbers of an instruction: the most that either allows counts, within the least
maximum.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.instructions import only, sig, tablets


@pytest.mark.parametrize(
    ("text", "daily", "basis"),
    [
        ("Take 2 tablets every 4 hours", 12, "text"),
        ("Take 1 tablet every 4 to 6 hours as needed", 6, "text"),
        ("every 4-6 hours as needed", 6, "text"),
        ("1 tablet up to 4 times a day", 4, "text"),
        ("2 tablets every 4 hours, max 5 tablets per day", 5, "text"),
        ("Take 2 tablets every 4 hours or as told", 3, "structured"),
        ("Take 1 tablet every 12 hours", 3, "structured"),
        ("Take 2 tablets at bedtime", 3, "structured"),
        ("max 4 times a day", 3, "structured"),
        ("1 tablet every 5 minutes", 3, "structured"),
        ("Take 30 mL every 6 hours", 3, "structured"),
        ("Take 1-2 tablets, max 2 tablets per day", 2, "structured"),
    ],
)
def test_the_most_that_numbers_or_words_allow_counts(text: str, daily: int, basis: str) -> None:
    found = sig({**tablets(frequency=3, period=1, periodUnit="d"), "text": text})
    assert (only(found).daily, found.basis) == (daily, basis)
    assert any("allow more" in note for note in found.notes) is (basis == "text")


def test_words_of_several_doses_are_those_of_the_only_instruction() -> None:
    coded = tablets(frequency=3, period=1, periodUnit="d")
    both = {**coded, "text": "2 tablets in the morning and 2 tablets at bedtime"}
    assert [dose.daily for dose in sig(both).steps[0]] == [2, 2]
    assert [dose.daily for dose in sig(both, both).steps[0]] == [3, 3]
    steps = sig({**coded, "text": "1 tablet q8h for 3 days, then 2 tablets q8h"}).steps
    assert [dose.daily for (dose,) in steps] == [3, 6]
    less = sig({**coded, "text": "1 tablet q8h for 3 days, then 1 tablet q12h"})
    assert (only(less).daily, less.basis) == (3, "structured")


def test_a_count_in_the_words_is_weighed_against_milligrams() -> None:
    """5 mg of a 10 mg tablet is half of one; a total of 5 mg in the words says the same again."""
    half = {
        "doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg"}}],
        "timing": {"repeat": {"frequency": 4, "period": 1, "periodUnit": "d"}},
    }
    whole = only(sig({**half, "text": "Take 1-2 tablets every 6 hours"}))
    assert (whole.amount, whole.unit, whole.daily) == (2, "unit", 8)
    for text in (
        "Take 1/2 tablet every 6 hours",
        "Take 5 mg every 6 hours",
        "Take 1 tablet (5 mg total) every 6 hours",
    ):
        assert only(sig({**half, "text": text})).unit == "mg"


def test_the_more_of_count_and_total_in_a_text_counts() -> None:
    """Two tablets of 10 mg are 20 mg, whatever the words add."""
    for text, said in (
        ("Take 2 tablets (40 mg total) daily", (40, "mg")),
        ("Take 2 tablets (20 mg total) daily", (2, "unit")),
        ("Take 2 tablets (10 mg total) daily", (2, "unit")),
    ):
        dose = only(sig({"text": text}))
        assert (dose.amount, dose.unit) == said


@pytest.mark.parametrize(
    "further",
    [
        {"additionalInstruction": [{"text": "Max 3 tablets per day"}]},
        {"additionalInstruction": {"coding": [{"code": "1", "display": "max 3 per day"}]}},
        {"additionalInstruction": ["Take with food", "Max 3 tablets per day"]},
        {"additionalInstruction": [{"coding": [{"code": "1"}]}, {"text": "Max 30 mg/day"}]},
        {"patientInstruction": "no more than 3 tablets in 24 hours"},
    ],
)
def test_further_words_limit_a_dose_of_numbers_or_of_text(further: dict[str, Any]) -> None:
    text = {"text": "Take 1 tablet every 6 hours"}
    for told in (text, tablets(frequency=4, period=1, periodUnit="d") | text):
        assert only(sig(told)).daily == 4
        dose = only(sig(told | further))
        assert dose.cap == (30 if dose.cap_unit == "mg" else 3)


def test_further_words_may_allow_more() -> None:
    told = {
        "text": "Take 1 tablet every 6 hours",
        "patientInstruction": "1-2 tablets every 6 hours",
    }
    assert only(sig(told)).daily == 8
