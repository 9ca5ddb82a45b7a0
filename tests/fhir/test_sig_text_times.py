"""Moments of the day, hours of the clock and counts before them, in free-text instructions."""

from __future__ import annotations

import pytest

from cds_service.fhir.sig_text import read_text

READ = {
    "1 tablet 2 pm": ["1 x1"],
    "1 tablet 8 am, 2 pm, 8 pm": ["1 x3"],
    "1 tablet 1:30 am, 2 pm": ["1 x2"],
    "1 tablet at 2 am": ["1 x1"],
    "1 tablet at 8 am, 8:00 am": ["1 x1"],
    "1 tablet at 0830 and 2030": ["1 x2"],
    "4 am 1 tablet": ["1 x1"],
    "1 tablet 12 pm, in the afternoon": ["1 x2"],
    "1 tablet at noon, at 2 pm": ["1 x2"],
    "1 tablet every evening, 10 pm": ["1 x2"],
    "1 tablet at 6 pm, in the afternoon": ["1 x2"],
    "1 tablet at 3 am, in the morning": ["1 x2"],
    "1 tablet at 4 am, in the morning": ["1 x1"],
    "1 tablet at bedtime at 12 am": ["1 x1"],
    "1 tablet at bedtime at 19:00": ["1 x1"],
    "1 tablet at bedtime, 18:00": ["1 x2"],
    "1 tablet in the evening at 4 pm": ["1 x1"],
    "1 tablet at noon, 11 am": ["1 x1"],
    "1 tablet at noon, 10:59": ["1 x2"],
    "1 tablet 8 am, noon, and bedtime": ["1 x3"],
    "1 tablet three times daily for 3 days, then 1 tablet at bedtime": ["1 x3", "1 x1"],
    "1 tablet at noon at 11:30": ["1 x1"],
    "1 tablet in the morning at 0830": ["1 x1"],
    "1 tablet at bedtime at 2030": ["1 x1"],
    "1 tablet at bedtime at 3 am": ["1 x1"],
    "1 tablet per week": ["1 x1/7"],
    "2 tablets per 12 hours": ["2 x2"],
    "1 tab q4h prn, max 14 tablets per week": ["1 x6 <=2"],
    "1 tab q4h prn, 14 per week max": ["1 x6 <=2"],
    "1 tab up to once daily": ["1 x1"],
    "1 tablet every 1 hour": ["1 x24"],
    "3 po q6h": ["3 x4"],
    "1 tab no more than once every 6 hours": ["1 x4"],
}


@pytest.mark.parametrize("text", READ)
def test_moments_and_hours(text: str) -> None:
    said = read_text(text)
    assert said is not None
    found = []
    for dose in (dose for step in said.steps for dose in step):
        cap = "" if dose.cap is None else f" <={dose.cap[0]}"
        found.append(f"{dose.amount} x{dose.per_day}{cap}")
    assert found == READ[text]


@pytest.mark.parametrize(
    "text",
    [
        "1 am and 2 hs",
        "3 am, 1 hs",
        "1 tablet am, 2 pm",
        "1 tablet morning, 2 pm",
        "1 tablet twice daily then 1 tablet at bedtime",
        "1 tablet every 6 hours then 1 tablet at 10 pm",
        "1 tablet in the morning, 8 am, 8 pm",
        "1 tablet twice daily at bedtime",
        "1-5 tablets every 6 hours",
        "1 tablet every other day in the morning and at bedtime",
        "1 tablet in the morning and at noon, at 11 am",
        "1 tablet in the morning and evening, 8 am, 10 pm",
    ],
)
def test_a_number_that_may_count_and_times_that_may_be_the_same(text: str) -> None:
    assert read_text(text) is None
