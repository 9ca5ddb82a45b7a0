"""How often and for how long: timing rules and codes, steps and bounds."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from tests.fhir.instructions import only, sig, tablets


@pytest.mark.parametrize(
    ("repeat", "per_day"),
    [
        ({"frequency": 4, "period": 1, "periodUnit": "d"}, "4"),
        ({"frequency": "2", "period": "1.0", "periodUnit": "d"}, "2"),
        ({"frequency": 1, "frequencyMax": 3, "period": 1, "periodUnit": "d"}, "3"),
        ({"frequency": 1, "period": 4, "periodMax": 6, "periodUnit": "h"}, "6"),
        ({"frequency": 1, "period": 6, "periodMax": 4, "periodUnit": "h"}, "6"),
        ({"frequency": 4, "frequencyMax": 3, "period": 1, "periodUnit": "d"}, "4"),
        ({"period": 8, "periodUnit": "h"}, "3"),
        ({"frequency": 1, "period": 90, "periodUnit": "min"}, "16"),
        ({"frequency": 1, "period": 43200, "periodUnit": "s"}, "2"),
        ({"frequency": 3, "period": 1, "periodUnit": "wk"}, "3/7"),
        ({"frequency": 1, "period": 1, "periodUnit": "mo"}, "1/30"),
        ({"frequency": 365, "period": 1, "periodUnit": "a"}, "1"),
        ({"timeOfDay": ["08:00:00", "20:00:00"]}, "2"),
        ({"timeOfDay": "08:00:00"}, "1"),
        (
            {"timeOfDay": ["08:00:00", "20:00:00"], "frequency": 1, "period": 1, "periodUnit": "d"},
            "2",
        ),
        ({"when": ["MORN", "HS"]}, "2"),
        ({"when": ["PC"]}, "3"),
        ({"dayOfWeek": ["mon", "wed", "fri"]}, "3/7"),
        ({"dayOfWeek": ["mon", "wed"], "timeOfDay": ["08:00", "20:00"]}, "4/7"),
        (
            {"dayOfWeek": ["mon", "wed", "fri"], "frequency": 2, "period": 1, "periodUnit": "d"},
            "6/7",
        ),
        (
            {"dayOfWeek": ["mon", "wed", "fri"], "frequency": 1, "period": 1, "periodUnit": "wk"},
            "3/7",
        ),
        (
            {
                "dayOfWeek": ["mon", "wed"],
                "timeOfDay": ["08:00", "20:00"],
                "frequency": 1,
                "period": 1,
                "periodUnit": "wk",
            },
            "4/7",
        ),
        # Weekdays say nothing more of what is rarer than daily.
        ({"dayOfWeek": ["mon", "wed"], "frequency": 1, "period": 2, "periodUnit": "d"}, "1/2"),
        ({"dayOfWeek": "mon", "frequency": 1, "period": 1, "periodUnit": "mo"}, "1/30"),
        (
            {"timeOfDay": ["08:00", "20:00"], "frequency": 1, "period": 12, "periodUnit": "h"},
            "2",
        ),
        ({"timeOfDay": ["08:00", "20:00"], "frequency": 2}, "2"),
        ({"frequency": 96, "period": 1, "periodUnit": "d"}, "96"),
    ],
)
def test_timing_rules(repeat: dict[str, Any], per_day: str) -> None:
    assert only(sig(tablets(**repeat))).per_day == Fraction(per_day)


@pytest.mark.parametrize(
    ("code", "per_day"),
    [
        (
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation",
                        "code": "TID",
                    }
                ]
            },
            "3",
        ),
        ({"coding": {"code": "Q8H"}}, "3"),
        ({"coding": [{"code": "Q5H"}]}, "24/5"),
        ({"coding": [{"code": "AM"}]}, "1"),
        ({"coding": [{"code": "BED"}]}, "1"),
        ({"coding": [{"code": "WK"}]}, "1/7"),
        ({"coding": [{"code": "MO"}]}, "1/30"),
        (
            {"coding": [{"system": "urn:oid:1.2", "code": "17", "display": "Every 6 hours PRN"}]},
            "4",
        ),
        ({"coding": [{"code": "BID"}, {"code": "QID"}]}, "4"),
        ({"text": "QOD"}, "1/2"),
        ({"text": "twice daily"}, "2"),
        ({"text": "q4-6h prn"}, "6"),
        ({"coding": [{"system": "http://snomed.info/sct", "code": "229799001"}]}, "2"),
        ({"coding": [{"code": "x", "display": "Every 6 hours (qualifier value)"}]}, "4"),
        ({"coding": [{"code": "BID PRN"}]}, "2"),
        ({"coding": [{"code": "BID"}], "text": "as told"}, "2"),
        ({"coding": [{"display": "twice daily"}]}, "2"),
        ({"coding": [{"code": " wk "}]}, "1/7"),
        ({"text": " wk "}, "1/7"),
        ({"coding": [{"code": "Q12H"}]}, "2"),
        ({"coding": [{"code": "q72h"}]}, "1/3"),
    ],
)
def test_timing_codes(code: dict[str, Any], per_day: str) -> None:
    instruction = tablets()
    instruction["timing"] = {"code": code}
    assert only(sig(instruction)).per_day == Fraction(per_day)


@pytest.mark.parametrize("code", ["Q46H", "Q612H", "QH", "Q0H", "Q²H", "4H", "Q-4H"])
def test_a_code_that_names_no_interval_is_no_frequency(code: str) -> None:
    """`Q46H` is every four to six hours written together, and not every 46."""
    instruction = {**tablets(), "timing": {"code": {"coding": [{"code": code}]}}}
    assert "no frequency" in (sig(instruction).unread or ""), code


def test_code_and_rule_that_differ_count_at_the_more() -> None:
    instruction = tablets(frequency=2, period=1, periodUnit="d")
    instruction["timing"]["code"] = {"coding": [{"code": "QID"}]}
    assert only(sig(instruction)).per_day == 4


@pytest.mark.parametrize(
    "repeat",
    [
        {"frequency": 4},
        {"frequency": 4, "periodUnit": "d"},
        {"frequency": 4, "timeOfDay": ["08:00", "20:00"]},
        {"period": 4, "timeOfDay": ["08:00", "20:00"]},
        {"frequency": 4, "period": 1},
        {"period": 4},
        {"count": 10},
        {"frequency": 1, "period": 1, "periodUnit": "x"},
    ],
)
def test_a_number_without_its_period_is_no_frequency(repeat: dict[str, Any]) -> None:
    assert "no frequency" in (sig(tablets(**repeat)).unread or "")


@pytest.mark.parametrize(
    "repeat",
    [
        {"frequency": 0, "period": 1, "periodUnit": "d"},
        {"frequency": 1, "frequencyMax": -2, "period": 1, "periodUnit": "d"},
        {"frequency": 1, "period": -1, "periodUnit": "d"},
        {"frequency": 1, "period": 0, "periodUnit": "d"},
        {"frequency": 1, "period": 1, "periodUnit": "s"},
        {"frequency": "NaN", "period": 1, "periodUnit": "d"},
    ],
)
def test_frequencies_that_cannot_be(repeat: dict[str, Any]) -> None:
    found = sig(tablets(**repeat), quantity={"value": 120, "unit": "tablet"}, days=30)
    assert "the frequency is not" in (found.unread or "")


def test_a_frequency_that_cannot_be_is_not_mended_by_a_code() -> None:
    for repeat in ({"frequency": 0}, {"frequency": 200}):
        instruction = tablets(**repeat, period=1, periodUnit="d")
        instruction["timing"]["code"] = {"coding": [{"code": "BID"}]}
        assert "the frequency is not" in (sig(instruction).unread or "")


def test_steps_and_what_is_taken_together() -> None:
    def step(number: int | None, value: int) -> dict[str, Any]:
        said = tablets(
            value, frequency=1, period=1, periodUnit="d", boundsDuration={"value": 7, "unit": "d"}
        )
        return said if number is None else {**said, "sequence": number}

    def amounts(*numbered: tuple[int | None, int]) -> list[list[int]]:
        return [[int(d.amount) for d in s] for s in sig(*(step(*pair) for pair in numbered)).steps]

    assert amounts((1, 4), (2, 2)) == [[4], [2]]
    assert amounts((1, 4), (1, 2)) == [[4, 2]]
    assert amounts((None, 4), (None, 2)) == [[4, 2]]
    assert amounts((1, 4), (None, 1), (2, 2)) == [[4, 1], [1, 2]]
    assert sig(step(1, 4), step(2, 2)).bounds_days == 14
    assert sig(step(1, 4), step(1, 2)).bounds_days == 7


def test_dates_that_do_not_overlap_are_steps() -> None:
    def week(value: int, start: str, end: str) -> dict[str, Any]:
        return tablets(
            value, frequency=1, period=1, periodUnit="d", boundsPeriod={"start": start, "end": end}
        )

    assert (
        len(sig(week(4, "2024-03-01", "2024-03-07"), week(2, "2024-03-08", "2024-03-14")).steps)
        == 2
    )
    assert (
        len(sig(week(4, "2024-03-01", "2024-03-09"), week(2, "2024-03-08", "2024-03-14")).steps)
        == 1
    )


@pytest.mark.parametrize(
    ("repeat", "days"),
    [
        ({"boundsDuration": {"value": 2, "unit": "wk"}}, 14),
        (
            {
                "boundsRange": {
                    "low": {"value": 3, "unit": "d"},
                    "high": {"value": 5, "unit": "days"},
                }
            },
            5,
        ),
        ({"boundsPeriod": {"start": "2024-03-01", "end": "2024-03-07"}}, 7),
        ({"boundsPeriod": {"start": "2024-03-01T00:00:00Z", "end": "2024-03-08T00:00:00Z"}}, 7),
        ({"boundsPeriod": {"start": "2024-03"}}, None),
        ({"boundsPeriod": {"start": "2024-03-01", "end": "2024-03-01"}}, 1),
        ({"boundsPeriod": {"start": "2024-03-01", "end": "2024-03-01T00:00:00Z"}}, None),
        ({"boundsPeriod": {"start": "2024-03-08", "end": "2024-03-01"}}, None),
        ({"boundsPeriod": {"start": "2024-03", "end": "2024-03-07"}}, None),
        ({"boundsPeriod": {"start": "2024-03-01", "end": "2024-04"}}, None),
        ({"boundsPeriod": {"end": "2024-03-07"}}, None),
        ({"boundsDuration": {"unit": "d"}}, None),
        ({"count": 10}, 3),
        ({"count": 1}, 1),
        ({"count": 0}, None),
        ({"count": 10, "boundsDuration": {"value": 5, "unit": "d"}}, 5),
        ({"boundsDuration": {"value": 2, "unit": "fortnight"}}, None),
        ({"boundsDuration": {"value": 90000, "unit": "d"}}, None),
    ],
)
def test_bounds(repeat: dict[str, Any], days: int | None) -> None:
    assert sig(tablets(frequency=4, period=1, periodUnit="d", **repeat)).bounds_days == days


def test_a_bare_code_that_says_nothing() -> None:
    instruction = tablets()
    instruction["timing"] = {"code": {"coding": [{"code": "XYZ"}, {"code": "BID"}]}}
    assert only(sig(instruction)).per_day == 2
    instruction["timing"] = {"code": {"coding": [{"code": "XYZ", "display": "as told"}]}}
    assert "no frequency" in (sig(instruction).unread or "")
