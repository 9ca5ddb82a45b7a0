"""Structured doses, units, rates and routes, as the standard and as vendors write them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from cds_service.knowledge.drugs.model import Component, Drug, Route
from tests.fhir.instructions import INGREDIENT, LIQUID, PATCH, TABLET, only, sig, tablets


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1, "{tbl}", ("1", "unit", "tablet")),
        (1, "tablet(s)", ("1", "unit", "tablet")),
        (2, "Caps", ("2", "unit", "capsule")),
        (1, "TAB", ("1", "unit", "tablet")),
        (1, "Extended Release Oral Tablet", ("1", "unit", "tablet")),
        (1, "lozenge", ("1", "unit", "lozenge")),
        (1, "suppositories", ("1", "unit", "suppository")),
        (3, "drops", ("3", "unit", "drop")),
        (2, "sprays", ("2", "unit", "spray")),
        (1, "EA", ("1", "unit", "")),
        (10, "MG", ("10", "mg", "")),
        (0.01, "g", ("10", "mg", "")),
        (200, "µg", ("200", "mcg", "")),
        ("7.5", "mL", ("7.5", "mL", "")),
        (1, "tsp", ("5", "mL", "")),
        (75, "mcg/hr", ("75", "mcg/h", "")),
        (0.075, "mg/h", ("75", "mcg/h", "")),
        (1, "428673006", ("1", "unit", "tablet")),
        (1, "732937005", ("1", "unit", "capsule")),
    ],
)
def test_units(value: Any, unit: str, expected: tuple[str, str, str]) -> None:
    instruction = tablets(frequency=1, period=1, periodUnit="d")
    instruction["doseAndRate"] = [{"doseQuantity": {"value": value, "unit": unit}}]
    dose = only(sig(instruction))
    assert (dose.amount, dose.unit, dose.unit_text) == (Fraction(expected[0]), *expected[1:])


@pytest.mark.parametrize(
    ("quantity", "why"),
    [
        ({"value": 0, "unit": "tablet"}, "zero or negative"),
        ({"value": -2, "unit": "tablet"}, "zero or negative"),
        ({"value": 500, "unit": "tablet"}, "not believable"),
        ({"value": "NaN", "unit": "tablet"}, "not a plain number"),
        ({"value": "Infinity", "unit": "tablet"}, "not a plain number"),
        ({"value": "1e300", "unit": "tablet"}, "not a plain number"),
        ({"value": 5}, "no unit"),
        ({"value": "2.5"}, "no unit"),
        ({"value": 4}, "no unit"),
        ({"value": 1, "comparator": "<"}, "no unit"),
        ({"value": 1, "unit": "dose"}, "unit dose is not known"),
        ({"value": 5, "unit": "mg/kg"}, "unit mg/kg is not known"),
        ({"unit": "mg"}, "no number"),
        ({"value": 1, "unit": "tablet", "comparator": ">="}, "no upper end"),
        (
            {"value": 10, "unit": "mg", "code": "{tbl}"},
            "in {tbl} by its code and in mg by its words",
        ),
        ({"value": 1, "unit": "tablet", "code": "mg"}, "in mg by its code"),
        ({"value": 5, "unit": "tsp", "code": "mL"}, "in mL by its code and in tsp by its words"),
        ({"value": 200, "unit": "mg", "code": "ug"}, "in ug by its code"),
    ],
)
def test_doses_that_cannot_be_read(quantity: dict[str, Any], why: str) -> None:
    instruction = tablets(frequency=1, period=1, periodUnit="d")
    instruction["doseAndRate"] = [{"doseQuantity": quantity}]
    assert why in (sig(instruction).unread or "")


def test_the_high_end_of_a_range_counts() -> None:
    instruction = tablets(frequency=1, period=1, periodUnit="d")
    instruction["doseAndRate"] = {
        "doseRange": {"low": {"value": 1, "unit": "tablet"}, "high": {"value": 2}}
    }
    assert only(sig(instruction)).amount == 2
    instruction["doseAndRate"] = {"doseRange": {"low": {"value": 1, "unit": "tablet"}}}
    assert "no upper end" in (sig(instruction).unread or "")


@pytest.mark.parametrize(
    ("low", "high", "amount"),
    [
        ({"value": 2, "unit": "tablet"}, {"value": 1, "unit": "tab"}, 2),
        ({"value": 2, "unit": "tablet"}, {"value": 1}, 2),
        ({"value": 500, "unit": "ug"}, {"value": 1, "unit": "mg"}, 1),
        ({"unit": "tablet"}, {"value": 1}, 1),
    ],
)
def test_the_greater_end_of_a_range_counts(low: Any, high: Any, amount: int) -> None:
    instruction = tablets(frequency=1, period=1, periodUnit="d")
    instruction["doseAndRate"] = {"doseRange": {"low": low, "high": high}}
    assert only(sig(instruction)).amount == amount


def test_the_stu3_place() -> None:
    old = tablets(frequency=2, period=1, periodUnit="d")
    old["doseQuantity"] = old.pop("doseAndRate")[0]["doseQuantity"]
    assert only(sig(old)).daily == 2


def test_ordered_wins_over_calculated() -> None:
    def entry(kind: str, value: float, unit: str) -> dict[str, Any]:
        return {
            "type": {"coding": [{"code": kind}], "text": kind},
            "doseQuantity": {"value": value, "unit": unit},
        }

    instruction = tablets(frequency=1, period=1, periodUnit="d")
    instruction["doseAndRate"] = [entry("calculated", 2, "tablet"), entry("ordered", 10, "mg")]
    assert (only(sig(instruction)).amount, only(sig(instruction)).unit) == (10, "mg")
    instruction["doseAndRate"] = [entry("ordered", 1, "mg/kg"), entry("calculated", 2, "tablet")]
    assert only(sig(instruction)).unit == "unit"
    instruction["doseAndRate"] = [entry("", 1, "tablet"), entry("", 2, "tablet")]
    assert only(sig(instruction)).amount == 2


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            {
                "rateRatio": {
                    "numerator": {"value": 1, "unit": "tablet"},
                    "denominator": {"value": 6, "unit": "h"},
                }
            },
            ("1", "unit", "4"),
        ),
        ({"rateQuantity": {"value": 5, "unit": "mL/h"}}, ("5", "mL", "24")),
        (
            {
                "rateRange": {
                    "low": {"value": 12, "unit": "ug/h"},
                    "high": {"value": 25, "unit": "ug/h"},
                }
            },
            ("25", "mcg/h", "1"),
        ),
        ({"rateQuantity": {"value": 600, "unit": "ug/24h"}}, ("600", "mcg", "1")),
    ],
)
def test_rates(entry: dict[str, Any], expected: tuple[str, str, str]) -> None:
    dose = only(sig({"doseAndRate": [entry]}))
    assert (dose.amount, dose.unit, dose.per_day) == (
        Fraction(expected[0]),
        expected[1],
        Fraction(expected[2]),
    )


def test_without_a_strength_the_rate_of_a_patch_counts() -> None:
    both = {
        "doseAndRate": [
            {
                "doseQuantity": {"value": 1, "unit": "patch"},
                "rateQuantity": {"value": 25, "unit": "ug/h"},
            }
        ]
    }
    fentanyl = Drug("4337", "fentanyl", "IN", (Component("fentanyl", "4337"),))
    assert only(sig(both, drug=fentanyl)).unit == "mcg/h"
    assert only(sig(both, drug=PATCH)).unit == "unit"


@pytest.mark.parametrize(
    ("drug", "read"),
    [(TABLET, True), (PATCH, True), (LIQUID, False), (INGREDIENT, False), (None, False)],
)
def test_a_number_without_a_unit_counts_what_can_be_counted(drug: Drug | None, read: bool) -> None:
    one = {
        **tablets(frequency=1, period=3, periodUnit="d"),
        "doseAndRate": [{"doseQuantity": {"value": 1}}],
    }
    found = sig(one, drug=drug)
    assert (only(found).unit == "unit") if read else ("no unit" in (found.unread or ""))


def test_maxima_cap_the_day_and_the_dose() -> None:
    instruction = tablets(2, frequency=6, period=1, periodUnit="d")
    instruction["maxDosePerPeriod"] = {
        "numerator": {"value": 8, "unit": "tablet"},
        "denominator": {"value": 24, "unit": "h"},
    }
    assert only(sig(instruction)).daily == 8
    instruction["maxDosePerPeriod"]["denominator"] = {"value": 12, "unit": "hours"}
    assert only(sig(instruction)).daily == 12
    instruction["maxDosePerPeriod"]["numerator"] = {"value": -1, "unit": "tablet"}
    instruction["maxDosePerAdministration"] = {"value": 1, "unit": "tablet"}
    assert only(sig(instruction)).daily == 6
    no_frequency = {
        **tablets(2),
        "maxDosePerPeriod": [
            {"numerator": {"value": 8, "unit": "tablet"}, "denominator": {"unit": "d"}}
        ],
    }
    assert only(sig(no_frequency)).daily == 8


def test_a_patch_needs_no_interval() -> None:
    one = {"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "patch"}}]}
    assert only(sig(one, drug=PATCH)).per_day == Fraction(1, 3)
    assert "no interval" in sig(one, drug=PATCH).notes[0]


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ({"coding": [{"code": "26643006"}]}, Route.ORAL),
        ({"coding": [{"code": "IVINJ"}]}, Route.INJECTION),
        ({"text": "Intravenous push"}, Route.INJECTION),
        ({"coding": [{"code": "15", "display": "oral"}]}, Route.ORAL),
        ({"text": "somewhere"}, Route.UNKNOWN),
        ("IV", Route.INJECTION),
    ],
)
def test_routes(route: dict[str, Any] | str, expected: Route) -> None:
    assert sig({**tablets(frequency=1, period=1, periodUnit="d"), "route": route}).route is expected


def test_plain_words_in_the_place_of_concepts_leave_the_dose_readable() -> None:
    words = {"route": "oral", "method": "swallow", "site": "mouth", "timing": {"code": "Q6H"}}
    found = sig({**tablets(2), **words})
    assert (only(found).daily, found.route) == (8, Route.ORAL)


@pytest.mark.parametrize(
    ("rate", "why"),
    [
        ({"denominator": {"value": 1, "unit": "h"}}, "no number"),
        ({"numerator": {"value": 1, "unit": "tablet"}}, "unit of the rate"),
        (
            {"numerator": {"value": 1, "unit": "foo"}, "denominator": {"value": 1, "unit": "h"}},
            "unit of the rate",
        ),
    ],
)
def test_rates_that_cannot_be_read(rate: dict[str, Any], why: str) -> None:
    assert why in (sig({"doseAndRate": [{"rateRatio": rate}]}).unread or "")
