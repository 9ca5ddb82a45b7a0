"""Free-text instructions that are not wholly understood are not read, and no text does harm."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.fhir.sig_text import read_text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "as directed",
        "Take as directed",
        "Take 1 tablet",
        "Take 1 tablet once",
        "Take 1 tablet as needed",
        "every 6 hours",
        "1 spray in each nostril twice daily",
        "1 tab q6h, 2 tabs q6h for severe pain",
        "1 tablet every 6 hours. Take 2 tablets for severe pain",
        "take 1 tablet every 6 hours or as told",
        "take 1 tablet every 6 hours unless drowsy",
        "1 tablet up to 5 hours",
        "1 tablet every 46 hours",
        "1 tablet q6h, 4 tablets",
        "1 tablet q6h 20 tablets",
        "10 mg q6h, 20 tablets",
        "20 mg, 2 tablets, every 6 hours",
        "1 tablet daily for 7 days then increase by 1 tablet",
        "1 tablet every 12 hours until Monday then stop",
        "1 tablet daily, until Tue 5/28/2019 increase to 2 tablets daily",
        "1 tablet q6h, 20 tablets, 2",
        "1 tablet q6h, 20 tablets, refills",
        "1 tablet q6h. Intended supply: 5 tablets",
        "1 tablet 0-325 mg every 6 hours",
        "1 tablet q6h, maintenance dose",
        "1 tablet every 68 hours",
        "1 tablet every 612 hours",
        "take 1 tablet daily, increase by 1 tablet each week",
        "1 (two) tablet daily",
        "1 tablet daily every 6 hours",
        "Take 1 tablet by mouth rectally daily",
        "1 tablet every 0 hours",
        "1 tablet q6h. Avoid alcohol, repeat in 1 hour",
        "1 tablet q6h. Do not take with food, 2 tablets at night",
        "1 tablet every 6 hours for pain 2 tablets for severe pain",
        "10 mg bid for 3 days, then 2 daily",
        "take 5 every 6 hours",
        "1 tab q3",
        "1 tablet at 8",
        "1 tablet in the morning at 8 am and 10 am",
        "1 tablet with meals and in the morning",
        "1 tab q6h disp",
        "1 tablet every 6 hours not relieved by",
        "1 tab q6h prn pain (4",
        "1,000 tablets daily",
        "apply 1 patch for 12 hours",
        "2 tablets daily for 3 days then",
        "take one tablet every six to",
        "1 tablet every 6 hours and repeat",
        "1 tablet three times daily in the morning and at bedtime",
        "1 tablet every 6 hours, max 8",
        "1 tablet every 6 hours, do not exceed 40",
        "1 tablet every 6 hours (max",
        "patient 1 tablet every 6 hours then",
        "2 tablets in the morning then 1 tablet every 6 hours",
        "1 tablet at bedtime then 2 tablets at bedtime",
        "1 tablet every 4 hours as needed for mild pain or 2 for severe pain",
        "1 tab q6h prn moderate pain 1-2 for severe pain",
        "5-325 mg every 6 hours",
        "10-325 tablet every 6 hours",
        "0 tablets daily",
        "1 tab q46h",
        "1 tab tid then prn",
        "1 tablet q6h. Caution: two for severe pain",
        "1 tablet q6h. This medication may be taken 6 per day",
        "1 tablet q6h. Call if worse and take two a day",
        "1 tablet q6h. First dose on Monday doubled",
        "1 tablet daily 5 days a week",
        "1 tablet q6h, may cause drowsiness and 2",
        "1 tablet every 6 hours for 3 doses a day",
        "1 tablet every 6 hours. Max tylenol 3 tablets per day",
        "1 patch every Mon",
        "1 tablet at bedtime for 5 days a week",
        "1 tablet for 5 days per week",
        "1 tablet q6h for 0 days.",
        "1 tab q6h prn moderate pain, severe pain 2",
        "1 tablet every 8 hours and as directed. 2 tablets at bedtime",
        "1 tab q612h",
        "1 tablet daily and at bedtime",
        "1 tablet every day and night",
        "1 tablet at 8 am and at bedtime",
        "1 tablet in the morning and at 8 pm",
        "10 mg every 4 hours, 4/day max",
        "1 tablet every 4 hours, 3/day max 5 days",
        "1 tablet every 4 hours, 4 max",
        "1 tablet every 4 hours, 3000 mg/day max acetaminophen",
        "1 tab OD",  # daily, or the right eye
        "1 tab on",
        "1 tab 0 hourly",
        "1 tab 46 hourly",
        "one to two (1-3) tablets q6h",
        "one to two (1-2 tablets q6h",
        "1 tablet x 12.5",
        "take 0,5 tablet bid",
        "Tome 1 tableta cada 6 horas",
        "x" * 1000,
    ],
)
def test_what_is_not(text: str) -> None:
    assert read_text(text) is None


VOCABULARY = """take 1 2 1/2 one tablet tabs mg mL every q 4 - 6 to or hours h daily bid and then , . ; ( )
max per day for x 3 days prn as needed pain up times a in the morning at bedtime
patch of 24 total with meals"""
WORDS = st.sampled_from(VOCABULARY.split())


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=30))
def test_any_words_are_read_to_something_positive_or_not_at_all(words: list[str]) -> None:
    said = read_text(" ".join(words))
    if said is not None:
        assert all(dose.per_day is None or dose.per_day > 0 for step in said.steps for dose in step)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_survived(text: str) -> None:
    read_text(text)


def test_a_long_text_takes_no_long_time() -> None:
    start = perf_counter()
    for piece in (
        "1 ",
        "1 - ",
        "( ",
        "prn pain (",
        "avoid ",
        "#1 ",
        "8:00 ",
        "every ",
        "take 1 tablet and ",
        "for severe ",
    ):
        read_text(piece * (400 // len(piece)))
    assert perf_counter() - start < 1
