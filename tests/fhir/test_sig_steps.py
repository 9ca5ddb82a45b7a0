"""Free-text instructions of doses that follow one another, replace or repeat one another."""

from __future__ import annotations

import pytest

from cds_service.fhir.sig_text import read_text


def daily(text: str) -> list[list[float]] | None:
    """The amounts a day of each step, as far as a rhythm or a maximum tells them."""
    said = read_text(text)
    if said is None:
        return None
    found = []
    for step in said.steps:
        amounts = []
        for dose in step:
            most = [] if dose.cap is None else [dose.cap[0]]
            often = [] if dose.per_day is None else [dose.amount * dose.per_day]
            amounts.append(float(min(most + often)))
        found.append(amounts)
    return found


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("Week 1: 1 tablet twice daily. Week 2: 1 tablet daily.", [[2], [1]]),
        ("Days 1-3: 1 tab bid, days 4-7: 1 tab daily", [[2], [1]]),
        ("Day 1-3: 2 tabs q6h; Day 4 to 6: 1 tab q6h; then stop", [[8], [4]]),
        ("week 1 - 2 tabs qid; week 2 - 1 tab qid", [[8], [4]]),
        ("Weeks 1-2: take 1 tablet 4 times daily. Week 3: 1 tablet 3 times daily.", [[4], [3]]),
        ("Days 1-3, take 1 tablet daily. Week 2: 1 tablet twice daily", [[1], [2]]),
        ("Week 1: 1 tablet qam and 2 tablets qhs. Week 2: 1 tablet bid", [[1, 2], [2]]),
        ("On day 1: 1 tablet qid, then 1 tablet tid thereafter", [[4], [3]]),
        ("4 tabs daily x 3 days, 3 tabs daily x 3 days, 1 tab daily x 3 days", [[4], [3], [1]]),
        ("1 tab qid for 5 days then 1 tab bid for 5 days then d/c", [[4], [2]]),
        ("1 tablet daily then increase to 2 tablets daily", [[1], [2]]),
        ("1 tab bid, may increase to tid", [[2], [3]]),
        ("1 tab q6h; may increase to 2 tablets if needed", [[4], [8]]),
        ("1 tablet at bedtime, may increase to 2 tablets at bedtime", [[1], [2]]),
        ("1 tab q4h prn moderate pain, 2 tabs q4h prn severe pain", [[6], [12]]),
        ("1 tab for moderate pain or 2 tabs for severe pain every 6 hours", [[4], [8]]),
        ("1 tab q8h prn mild pain and 1 tab q4h prn moderate to severe pain", [[3], [6]]),
        ("1 tablet at bedtime, may repeat once in 4 hours", [[2]]),
        ("1 tab q6h prn pain, may repeat x1", [[8]]),
        ("1 tab bid, may repeat the dose after 1 hour one time", [[4]]),
        ("1 tab q6h, may repeat x 1, max 3 times a day", [[3]]),
        ("1 tab prn, repeat if needed after 1 h; not more than 3 in 24 h", [[3]]),
        ("1 tablet q6h, may repeat in 1 hour, max 6 tablets per day", [[6]]),
        ("2 tablets, may repeat every 6 hours as needed", [[8]]),
        ("1 tablet, may repeat in 2 hours, no more than 3 times a day", [[3]]),
    ],
)
def test_the_doses_of_each_step(text: str, steps: list[list[float]]) -> None:
    assert daily(text) == steps


@pytest.mark.parametrize(
    "text",
    [
        "Days 1-3: 1 tab bid, days 3-7: 1 tab daily",  # together on the third
        "Week 1: 1 tab bid. Week 1: 1 tab daily",
        "Days 3-1: 1 tab bid",
        "Days 0-3: 1 tab bid",
        "Week 1 1 tab bid",
        "Week one or so: 1 tab bid",
        "Days 1-1.5: 1 tab bid",
        "1 tablet every 4 hours day 1, every 6 hours day 2",
        "Day 1: 2 tablets. Day 2: 1 tablet",
        "Week 1: 1 tablet twice daily. Week 2:",
        "4 tabs daily x 3 days and 3 tabs daily x 3 days, 1 tab daily",
        "3 tabs daily x 3 days, 2 tabs daily x 3 days, 1 tab daily prn x 3 days",
        "2 tablets daily for 7 days. Take 1 tablet daily for 5 days",  # together, or in turn
        "3 tabs daily x 3 days, 1 tab daily x 3 days, 2 tabs daily x 3 days",
        "10 mg daily x 3 days, 2 tablets daily x 3 days, 3 tablets daily x 3 days",
        "1 tablet twice daily. Days 1-3: 1 tablet daily",
        "1 tab bid, may increase to",
        "may increase to 2 tablets daily",
        "1 tab q6h prn moderate pain, 1 tab at bedtime for severe pain",
        "1 tab q6h prn moderate pain, 2 tabs q6h prn moderate to severe pain",
        "1 tab q6h prn moderate pain, 2 tabs q6h",
        "1 tab for moderate pain or 2 tabs for severe pain",
        "1 tablet as needed, may repeat once",
        "1 tablet every 6 hours, may repeat in 1 hour",
        "may repeat once",
        "1 tablet at bedtime, may repeat every 4 hours",
        "1 tablet q6h, may repeat in case of pain",
    ],
)
def test_what_is_none_is_not_read(text: str) -> None:
    assert daily(text) is None
