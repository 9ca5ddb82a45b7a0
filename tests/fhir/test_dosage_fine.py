"""The finer points of doses: typed entries, ranges, rates, maxima, what a text adds, and steps."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from cds_service.clinical.facts import Sig
from cds_service.knowledge.drugs.model import Component, Drug, Route
from tests.changes import replace
from tests.fhir.instructions import INGREDIENT, LIQUID, PATCH, TABLET, only, sig, tablets

FOUR = tablets(frequency=4, period=1, periodUnit="d")
DAY = {"value": 1, "unit": "d"}
BOTH = replace(TABLET, components=(*TABLET.components, Component("acetaminophen", "161")))
STRONG = replace(LIQUID, components=(Component("oxycodone", "2", Decimal(5), "mg/mL"),))
UNKNOWN = replace(TABLET, components=(Component("oxycodone", "2", None, "mg"),))


def four(*entries: dict[str, Any], **said: Any) -> dict[str, Any]:
    """These doses four times a day."""
    return {**FOUR, "doseAndRate": list(entries), **said}


def dose(value: Any, unit: str = "", **said: Any) -> dict[str, Any]:
    """One entry of a dose."""
    return {"doseQuantity": {"value": value} | ({"unit": unit} if unit else {}), **said}


@pytest.mark.parametrize(
    "kind",
    [
        {"coding": [{"code": "Ordered"}]},
        {"coding": [{"code": "1", "display": " ordered "}]},
        {"coding": [{"display": "Ordered"}]},
        {"text": " Ordered"},
    ],
)
def test_the_ordered_dose_counts_however_it_is_labelled(kind: dict[str, Any]) -> None:
    assert only(sig(four(dose(2, "tablet"), dose(1, "tablet", type=kind)))).amount == 1


def test_an_untyped_dose_counts_before_a_calculated_one() -> None:
    calculated = dose(2, "tablet", type={"text": "calculated"})
    assert only(sig(four(calculated, dose(1, "tablet")))).amount == 1


def test_doses_in_two_units_are_one_dose_said_twice() -> None:
    said = only(sig(four(dose(1, "tablet"), dose(10, "mg"))))
    assert (said.amount, said.unit) == (1, "unit")
    said = only(sig(four(dose(10, "mg"), dose(20, "tablet"))))
    assert (said.amount, said.unit) == (10, "mg")


@pytest.mark.parametrize(
    ("low", "high", "drug", "amount", "unit"),
    [
        ({"value": 5, "unit": "mL"}, {"value": 10}, LIQUID, 10, "mL"),
        ({"value": 5, "code": "mL"}, {"value": 10}, LIQUID, 10, "mL"),
        ({"value": 500, "unit": "ug"}, {"value": 1, "unit": "mg"}, TABLET, 1, "mg"),
        ({"value": 5}, {"value": 10, "unit": "mg"}, TABLET, 10, "mg"),
        (None, {"value": 2}, TABLET, 2, "unit"),
    ],
)
def test_the_unit_of_the_upper_end(low: Any, high: Any, drug: Drug, amount: int, unit: str) -> None:
    span = {"high": high} | ({"low": low} if low else {})
    said = only(sig(four({"doseRange": span}), drug=drug))
    assert (said.amount, said.unit) == (amount, unit)


@pytest.mark.parametrize(
    ("value", "drug", "read"),
    [
        (3, TABLET, True),
        (1, BOTH, True),
        (0, TABLET, False),
        (-1, TABLET, False),
        (1, STRONG, False),
        (1, UNKNOWN, False),
    ],
)
def test_which_numbers_without_a_unit_count_the_product(value: int, drug: Drug, read: bool) -> None:
    assert bool(sig(four(dose(value)), drug=drug).steps) is read


@pytest.mark.parametrize(
    ("entry", "amount", "unit", "per_day"),
    [
        ({"rateQuantity": {"value": "0.005", "unit": "L/h"}}, 5, "mL", 24),
        (
            {
                "rateRatio": {
                    "numerator": {"value": 300, "unit": "ug"},
                    "denominator": {"value": 12, "unit": "h"},
                }
            },
            25,
            "mcg/h",
            1,
        ),
        ({**dose(1, "dose"), "rateQuantity": {"value": 25, "unit": "ug/h"}}, 25, "mcg/h", 1),
    ],
)
def test_rates_of_other_units(entry: Any, amount: int, unit: str, per_day: int) -> None:
    said = only(sig({"doseAndRate": [entry]}, drug=INGREDIENT))
    assert (said.amount, said.unit, said.per_day) == (amount, unit, per_day)


@pytest.mark.parametrize(
    "entry",
    [
        {"rateRange": {"low": {"value": 12, "unit": "ug/h"}}},
        {"rateRatio": {"numerator": {"value": "NaN", "unit": "ug"}, "denominator": DAY}},
        {"doseQuantity": {"value": 1, "unit": "tablet", "comparator": ">"}},
        {"rateQuantity": {"value": 25, "unit": "foo/h"}},
        {"rateQuantity": {"value": 25, "unit": "ug/0h"}},
    ],
)
def test_amounts_without_an_upper_end_or_a_number(entry: dict[str, Any]) -> None:
    assert sig(four(entry)).unread


@pytest.mark.parametrize(
    ("most", "amount"),
    [
        ({"value": 1, "unit": "tablet"}, 1),
        ({"value": "0.5", "unit": "tablet"}, Fraction(1, 2)),
        ({"value": 1, "unit": "mg"}, 2),
        ({"value": 1, "unit": "foo"}, 2),
        ({"value": 0, "unit": "tablet"}, 2),
        ({"value": -1, "unit": "tablet"}, 2),
    ],
)
def test_the_most_at_once(most: dict[str, Any], amount: Any) -> None:
    limited = four(dose(2, "tablet"), maxDosePerAdministration=most)
    assert only(sig(limited)).amount == amount
    in_mg = four(dose(30, "mg"), maxDosePerAdministration={"value": "0.02", "unit": "g"})
    assert only(sig(in_mg)).amount == 20


@pytest.mark.parametrize(
    ("most", "daily"),
    [
        ([((10, "tablet"), (1, "d")), ((2, "tablet"), (12, "h"))], 4),
        ([((2, "tablet"), (12, "h")), ((10, "tablet"), (1, "d"))], 4),
        ([(("0.5", "tablet"), (1, "d"))], Fraction(1, 2)),
        ([((0, "tablet"), (1, "d"))], 8),
        ([(("-0.5", "tablet"), (1, "d"))], 8),
        ([((2, "foo"), (1, "d"))], 8),
        ([((2, "tablet"), (1, "foo"))], 8),
        ([((2, "tablet"), (0, "d"))], 8),
        ([((2, "tablet"), ("NaN", "d"))], 8),
    ],
)
def test_the_most_a_day(most: Any, daily: Any) -> None:
    ratios = [
        {
            "numerator": {"value": number, "unit": unit},
            "denominator": {"value": times, "unit": period},
        }
        for (number, unit), (times, period) in most
    ]
    assert only(sig(four(dose(2, "tablet"), maxDosePerPeriod=ratios))).daily == daily
    alone = four(dose(2, "tablet"), maxDosePerPeriod=[{"denominator": DAY}, *ratios])
    assert only(sig(alone)).daily == daily


def test_a_maximum_in_grams_limits_a_dose_in_milligrams() -> None:
    most = {"numerator": {"value": "0.04", "unit": "g"}, "denominator": DAY}
    assert only(sig(four(dose(20, "mg"), maxDosePerPeriod=most))).daily == 40
    for text in ("max 0.04 g per day", "20 mg every 6 hours, max 0.04 g per day"):
        assert only(sig(four(dose(20, "mg"), text=text))).daily == 40
    assert only(sig(four(dose(20, "mg")), {"text": "Max 0.04 g per day"})).daily == 40


def test_a_maximum_gives_the_frequency_that_is_not_said() -> None:
    most = {"numerator": {"value": 8, "unit": "tablet"}, "denominator": DAY}
    coded = {**tablets(2), "maxDosePerPeriod": most, "route": {"text": "oral"}}
    assert (only(sig(coded)).per_day, sig(coded).route) == (4, Route.ORAL)
    said = only(sig({"text": "2 tablets as needed, max 8 tablets per day"}))
    assert (said.per_day, said.daily) == (4, 8)
    in_mg = {"numerator": {"value": 40, "unit": "mg"}, "denominator": DAY}
    most_mg = only(sig({**tablets(2), "maxDosePerPeriod": in_mg}))
    assert (most_mg.daily, most_mg.unit) == (40, "mg")


def test_spoons_are_five_and_fifteen_millilitres() -> None:
    def syrup(value: int, text: str) -> Sig:
        return sig(four(dose(value, "mL"), text=text), drug=LIQUID)

    assert only(syrup(5, "1-2 teaspoons every 6 hours")).daily == 40
    assert only(syrup(10, "2 teaspoons every 6 hours, max 30 mL per day")).daily == 30
    assert only(sig({"text": "2 teaspoons every 6 hours"}, drug=LIQUID)).daily == 40
    limited = {"text": "2 teaspoons every 6 hours, max 2 tablespoons per day"}
    assert only(sig(limited, drug=LIQUID)).daily == 30


def test_what_a_text_adds_to_a_coded_dose() -> None:
    assert only(sig({**FOUR, "text": "1-2 tablets by mouth as needed"})).daily == 8
    apart = {**FOUR, "text": "1-2 tablets in the morning and 1 tablet at bedtime"}
    assert only(sig(apart)).daily == 4
    some = sig({**tablets(1), "text": "1 tablet in the morning and 2 tablets at bedtime"})
    assert [each.daily for each in some.steps[0]] == [1, 2]
    most = {"numerator": {"value": 6, "unit": "tablet"}, "denominator": DAY}
    text = "2 tablets every 4 hours, max 8 tablets per day"
    assert only(sig({"text": text, "maxDosePerPeriod": most})).daily == 6
    assert only(sig({"text": "1 tablet every 6 hours", "asNeededBoolean": True})).as_needed
    assert sig({"text": "1 tablet 0 times a day"}).unread


def test_a_patch_in_words_is_changed_as_they_say() -> None:
    assert only(sig({"text": "apply 1 patch every 48 hours"}, drug=PATCH)).per_day == Fraction(1, 2)
    bare = {"doseAndRate": [dose(1, "patch")], "route": {"text": "transdermal"}}
    assert sig(bare, drug=PATCH).route is Route.TRANSDERMAL


def test_the_total_of_a_dose_counts_where_the_product_is_not_known() -> None:
    said = {"text": "Take 2 tablets (10 mg total) by mouth daily"}
    assert (only(sig(said, drug=None)).amount, only(sig(said, drug=None)).unit) == (10, "mg")


def test_the_route_of_a_text_counts_where_none_is_coded() -> None:
    said = {"text": "1 tablet by mouth every 6 hours"}
    assert sig(said).route is Route.ORAL
    assert sig({**said, "route": {"text": "rectal"}}).route is Route.RECTAL


def test_what_an_order_without_a_readable_dose_still_says() -> None:
    week = {"timing": {"repeat": {"boundsDuration": {"value": 7, "unit": "d"}}}}
    told = {**week, "text": "as told", "route": {"text": "oral"}}
    assert (sig(told).bounds_days, sig(told).route) == (7, Route.ORAL)
    assert sig(told, {"text": "as told", "route": {"text": "rectal"}}).route is Route.UNKNOWN
    assert only(sig(week, quantity={"value": 28, "unit": "tablet"})).daily == 4
    longer = {"timing": {"repeat": {"boundsDuration": {"value": 14, "unit": "d"}}}}
    part = sig(
        {**FOUR, "timing": {"repeat": FOUR["timing"]["repeat"] | week["timing"]["repeat"]}}, longer
    )
    assert (bool(part.partly), part.bounds_days) == (True, 14)
    supply: Any = {"quantity": {"value": 30, "unit": "tablet"}, "days": 10}
    assert sig({"text": "Take 1 tablet"}, **supply).partly is None


def test_an_instruction_of_timing_alone_is_not_passed_over_and_an_empty_one_is() -> None:
    assert sig(
        FOUR, {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}
    ).partly
    assert len(sig({**FOUR, "sequence": 1}, {"sequence": 2}).steps) == 1
    assert sig({**FOUR, "sequence": 1}, {"sequence": 2}).partly is None


def test_the_order_of_steps() -> None:
    def day(value: int, **said: Any) -> dict[str, Any]:
        return {**tablets(value, frequency=1, period=1, periodUnit="d"), **said}

    def amounts(*told: dict[str, Any]) -> list[list[int]]:
        return [[int(each.amount) for each in step] for step in sig(*told).steps]

    assert amounts(day(2, sequence=2), day(4, sequence=1)) == [[4], [2]]
    assert amounts({"text": "2 tablets daily"}, {"text": "Then 1 tablet daily"}) == [[2], [1]]
    three = (
        {"text": "2 tablets daily"},
        {"text": "then 1 tablet daily"},
        {"text": "3 tablets daily"},
    )
    assert [len(step) for step in sig(*three).steps] == [3]


def test_dates_tell_steps_in_whatever_order_they_come() -> None:
    def dated(value: int, start: str, end: str) -> dict[str, Any]:
        return tablets(
            value,
            frequency=1,
            period=1,
            periodUnit="d",
            boundsPeriod={"start": f"2024-03-{start}", "end": f"2024-03-{end}"},
        )

    assert len(sig(dated(2, "08", "14"), dated(4, "01", "07")).steps) == 2
    assert len(sig(dated(4, "01", "08"), dated(2, "08", "14")).steps) == 2
    assert len(sig(dated(4, "01", "07"), dated(2, "08", "14"), dated(1, "10", "20")).steps) == 1
    assert sig(dated(4, "01", "07"), dated(2, "01", "09")).bounds_days == 9


def test_maxima_beside_doses_that_have_their_own() -> None:
    three = {"numerator": {"value": 3, "unit": "tablet"}, "denominator": DAY}
    in_mg = {"numerator": {"value": 30, "unit": "mg"}, "denominator": DAY}
    assert (
        only(sig(FOUR | {"maxDosePerPeriod": in_mg}, {"text": "Max 2 tablets per day"})).cap == 30
    )
    # Three and four are more than six; the maximum stands for both, not within the first one's own.
    both = only(sig(FOUR | {"maxDosePerPeriod": three}, FOUR, {"text": "Max 6 tablets per day"}))
    assert both.daily == 6
    other = sig(FOUR, FOUR, {"text": "Max 5 mg per day"})
    assert [each.daily for each in other.steps[0]] == [4, 4]
    assert only(sig(FOUR, {"text": "Max 1 tablet per day"})).daily == 1
    beside = {"text": "Max 9 tablets per day", "maxDosePerPeriod": three}
    assert only(sig(FOUR, beside)).daily == 3
