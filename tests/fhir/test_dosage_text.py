"""Instructions whose text fills what the structured part lacks."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.fhir.instructions import INGREDIENT, LIQUID, PATCH, TABLET, only, sig, tablets


def test_text_fills_what_the_structure_lacks() -> None:
    half = {**tablets(), "text": "Take 1 tablet every 6 hours as needed. Max 3 tablets per day"}
    assert (only(sig(half)).daily, sig(half).basis, only(sig(half)).as_needed) == (3, "text", True)
    other = {**tablets(2), "text": "Take 1 tablet every 6 hours"}
    assert "disagree" in (sig(other).unread or "")
    in_mg = tablets()
    in_mg["doseAndRate"] = [{"doseQuantity": {"value": 10, "unit": "mg"}}]
    assert only(sig({**in_mg, "text": "Take 1 tablet every 6 hours"})).unit == "mg"
    timed = {"timing": {"code": {"text": "BID"}}, "patientInstruction": "Take 2 tablets daily"}
    assert only(sig(timed)).daily == 4
    assert (
        len(sig({"text": "2 tablets daily for 3 days then 1 tablet daily for 3 days"}).steps) == 2
    )


def test_a_daily_maximum_that_only_the_text_names_limits_the_structured_dose() -> None:
    whole = tablets(2, frequency=1, period=4, periodUnit="h")
    limited = {**whole, "text": "Take 2 tablets every 4 hours as needed, max 8 tablets per day"}
    assert (only(sig(limited)).cap, only(sig(limited)).daily) == (8, 8)
    another = {**whole, "text": "Take 1 tablet every 4 hours as needed, max 4 tablets per day"}
    assert only(sig(another)).cap is None
    stated = {
        **limited,
        "maxDosePerPeriod": {
            "numerator": {"value": 6, "unit": "tablet"},
            "denominator": {"value": 1, "unit": "d"},
        },
    }
    assert only(sig(stated)).daily == 6


def test_a_text_that_says_only_how_often_completes_a_structured_dose() -> None:
    often = {**tablets(), "text": "every 6 hours as needed"}
    assert only(sig(often)).daily == 4
    assert sig(often).basis == "text"
    limited = sig(
        {**tablets(), "text": "every 4 hours as needed for 5 days, max 4 tablets per day"}
    )
    assert (only(limited).daily, only(limited).as_needed, limited.bounds_days) == (4, True, 5)
    stepped = sig({**tablets(), "text": "every 6 hours for 3 days, then every 12 hours for 3 days"})
    assert [dose.daily for step in stepped.steps for dose in step] == [4, 2]
    for text in ("as needed for pain", "every 6 hours and 2 tablets at bedtime"):
        assert not sig({**tablets(), "text": text}).steps


def test_a_text_of_the_daily_maximum_alone_limits_the_structured_dose() -> None:
    whole = tablets(2, frequency=1, period=4, periodUnit="h")
    for text in (
        "Max 8 tablets per day",
        "as needed for pain, max 8 per day",
        "2 tablets every 4 hours as needed, no more than 4 times a day",
        "max 4 times a day",
    ):
        assert only(sig({**whole, "text": text})).daily == 8
    seldom = tablets(2, frequency=3, period=1, periodUnit="d")
    assert only(sig({**seldom, "text": "2 tablets up to 4 times a day"})).cap is None


def test_unity_counts_tablets() -> None:
    one = tablets(frequency=4, period=1, periodUnit="d")
    one["doseAndRate"] = [{"doseQuantity": {"value": 1, "unit": "1", "code": "1"}}]
    assert only(sig(one)).unit == "unit"


def test_the_total_in_a_text_counts_where_no_strength_is_known() -> None:
    said = {"text": "Take 2 tablets (10 mg total) by mouth daily"}
    assert only(sig(said, drug=INGREDIENT)).unit == "mg"
    assert only(sig(said, drug=TABLET)).unit == "unit"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2 tablets of 5 mg every 6 hours", (10, "mg")),
        ("2 tablets = 10 mg every 6 hours", (10, "mg")),
        ("1 tablet 5 mg every 6 hours", (5, "mg")),
        ("1 tablet (5 mg) every 6 hours", (5, "mg")),
        # of each, or of all
        ("2 tablets 5 mg every 6 hours", (2, "unit")),
        ("2 tablets (5 mg) every 6 hours", (2, "unit")),
        ("1 patch 25 mcg/hr every 72 hours", (1, "unit")),
        ("1 tablet (5 mL) every 6 hours", (1, "unit")),
    ],
)
def test_a_mass_beside_a_count_is_the_dose_where_it_can_only_be_of_all(
    text: str, said: tuple[int, str]
) -> None:
    dose = only(sig({"text": text}, drug=INGREDIENT))
    assert (dose.amount, dose.unit) == said


def test_the_total_may_be_a_range() -> None:
    said = {
        "text": "Take 1-2 tablets (10-20 mg total) by mouth every 6 (six) hours as needed for Pain"
    }
    assert (only(sig(said)).amount, only(sig(said)).daily) == (2, 8)
    assert (only(sig(said, drug=INGREDIENT)).amount, only(sig(said, drug=INGREDIENT)).unit) == (
        20,
        "mg",
    )


def test_a_text_that_says_only_how_much_needs_a_rule_that_says_how_often() -> None:
    amount = {"text": "Take 1 tablet (10 mg total) by mouth"}
    assert only(sig({**amount, "timing": {"code": {"text": "TID"}}})).daily == 3
    assert sig(amount).unread is not None
    two = {"text": "Take 1 tablet and 2 tablets", "timing": {"code": {"text": "TID"}}}
    assert sig(two).unread is not None


def test_of_several_instructions_those_that_can_be_read_are_a_bound() -> None:
    known = tablets(frequency=4, period=1, periodUnit="d")
    told = sig(known, {"text": "and as told for breakthrough"})
    assert (only(told).daily, told.unread) == (4, None)
    assert "could not be read" in (told.partly or "")
    assert sig(known).partly is None
    later = sig({**known, "sequence": 1}, {"sequence": 2, "text": "as told"})
    assert (only(later).daily, bool(later.partly)) == (4, True)
    supplied = sig(known, {"text": "as told"}, quantity={"value": 150, "unit": "tablet"}, days=30)
    assert (only(supplied).daily, supplied.basis, bool(supplied.partly)) == (5, "supply", True)
    # What can be read uses more a day than the supply spread over its days: that is the least there is.
    short = sig(known, {"text": "and as told"}, quantity={"value": 60, "unit": "tablet"}, days=30)
    assert (only(short).daily, bool(short.partly), short.basis) == (4, True, "structured")
    first = {**tablets(2, frequency=6, period=1, periodUnit="d"), "sequence": 1}
    taper = sig(
        first,
        {"text": "less as told", "sequence": 2},
        quantity={"value": 60, "unit": "tablet"},
        days=30,
    )
    assert (only(taper).daily, bool(taper.partly)) == (12, True)
    # In units that cannot be compared the supply speaks.
    apart = sig(
        known, {"text": "as told"}, quantity={"value": 60, "unit": "mL"}, days=30, drug=LIQUID
    )
    assert (only(apart).unit, apart.basis) == ("mL", "supply")
    absurd = sig(known, {"text": "as told"}, tablets(-1, frequency=4, period=1, periodUnit="d"))
    assert absurd.unread is not None and not absurd.steps


def test_instructions_by_text_alone() -> None:
    assert len(sig({"text": "2 tablets daily"}, {"text": "then 1 tablet daily"}).steps) == 2
    stepped = {"text": "2 tablets daily for 3 days then 1 tablet daily for 3 days"}
    assert "steps of their own" in (sig(stepped, {"text": "1 tablet at bedtime"}).unread or "")
    assert only(sig({"text": "1 tablet as needed, max 6 tablets per day"})).daily == 6
    assert only(sig({"text": "25 mcg/hr"}, drug=PATCH)).amount == 25
    assert only(sig({"text": "apply 1 patch"}, drug=PATCH)).per_day == Fraction(1, 3)
    mixed = {"text": "1 tablet as needed, max 40 mg per day"}
    assert "no frequency" in (sig(mixed).unread or "")
    morning = {**tablets(3), "text": "1 tablet in the morning and 2 tablets at bedtime"}
    assert "disagree" in (sig(morning).unread or "")
    often = {"text": "1 tablet every 5 minutes"}
    assert "not believable" in (sig(often).unread or "")
    capped = {**tablets(2, frequency=6, period=1, periodUnit="d")}
    capped["doseAndRate"] = [{"doseQuantity": {"value": 20, "unit": "mg"}}]
    capped["maxDosePerPeriod"] = {
        "numerator": {"value": 40000, "unit": "ug"},
        "denominator": {"value": 1, "unit": "d"},
    }
    assert only(sig(capped)).daily == 40
    in_mcg = {**capped, "doseAndRate": [{"doseQuantity": {"value": 20000, "unit": "ug"}}]}
    in_mcg["maxDosePerPeriod"] = {
        "numerator": {"value": 40, "unit": "mg"},
        "denominator": {"value": 1, "unit": "d"},
    }
    assert only(sig(in_mcg)).daily == 40000


@pytest.mark.parametrize(
    ("text", "daily"),
    [
        ("1-2 tablets every 6 hours", 8),
        ("take one or two tablets every 6 hours", 8),
        ("1 to 2 tabs every 4-6 hours as needed, max 6 tabs per day", 6),
        ("2-3 tablets every 6 hours", 12),
        ("1-2 tablets as the nurse says", 4),
        ("5-10 mg every 6 hours", 4),
        ("three to four tablets every 6 hours", 16),
        ("1-2 every 6 hours as needed", 8),
        ("1-2 q6h prn pain", 8),
        ("one or two every 6 hours", 8),
        ("1-2 T PO q6h", 8),
        ("i-ii tabs q6h", 8),
        ("1 tablet or 2 tablets every 6 hours", 8),
        ("1 to four tablets every 6 hours", 16),
        ("1-2 orally 4 times daily", 8),
    ],
)
def test_a_range_in_the_text_counts_at_its_upper_end(text: str, daily: int) -> None:
    coded = tablets(frequency=4, period=1, periodUnit="d")
    assert only(sig({**coded, "text": text})).daily == daily


def test_a_range_in_the_text_completes_a_dose_without_a_frequency() -> None:
    one = {"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}]}
    assert only(sig({**one, "text": "1-2 tablets every 6 hours"})).daily == 8
    assert "disagree" in (sig({**one, "text": "2-3 tablets every 6 hours"}).unread or "")


@pytest.mark.parametrize(
    ("text", "daily"),
    [
        ("1 tablet once every 12 hours", 2),
        ("1 tablet once each day", 1),
        ("1 tablet once at bedtime", 1),
        ("1 tablet once in the morning", 1),
        ("1 tablet once nightly", 1),
        ("1 tablet once q 12 hours", 2),
        ("1 tablet once or twice daily", 2),
        ("2 tablets one dose daily", 2),
        ("1 tablet each 8 hours", 3),
        ("1 tablet up to every 8 hours", 3),
        ("1 tablet 3-4 times daily", 4),
    ],
)
def test_how_often_a_text_says(text: str, daily: int) -> None:
    assert only(sig({"text": text})).daily == daily


def test_a_patch_is_worn_and_a_tablet_without_a_frequency_is_not_read() -> None:
    bare = {"doseAndRate": [{"doseQuantity": {"value": 1}}]}
    assert only(sig(bare, drug=PATCH)).per_day == Fraction(1, 3)
    in_mg = {"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "mg"}}]}
    for told, drug in ((bare, TABLET), (in_mg, PATCH), (tablets(1), PATCH)):
        assert "no frequency" in (sig(told, drug=drug).unread or "")


def test_an_instruction_that_says_nothing_stands_between_no_steps() -> None:
    told = sig({"text": "2 tablets daily"}, {}, {"text": "then 1 tablet daily"})
    assert [[each.daily for each in step] for step in told.steps] == [[2], [1]]
