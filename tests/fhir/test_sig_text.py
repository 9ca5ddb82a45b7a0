"""Free-text instructions that are wholly understood, and what they say."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cds_service.fhir.sig_text import read_frequency, read_text

READ = {
    "Take 1-2 tablets by mouth every 4 to 6 hours as needed for pain. Max 8 tablets per day": [
        "2 tablet x6 <=8"
    ],
    "one tab po tid prn": ["1 tablet x3"],
    "1 tab q6h": ["1 tablet x4"],
    "1 TAB Q 6 H": ["1 tablet x4"],
    "apply 1 patch every 72 hours": ["1 patch x1/3"],
    "Place 1 patch onto the skin every third day": ["1 patch x1/3"],
    "Apply one patch to skin every 3 days. Remove old patch.": ["1 patch x1/3"],
    "25 mcg/hr patch q72h": ["25 mcg/h x1/3"],
    "5 mL by mouth 4 times daily": ["5 mL x4"],
    "10 mg twice daily": ["10 mg x2"],
    "take 10mg q4h": ["10 mg x6"],
    "take 1 tablet in the morning and 2 at bedtime": ["1 tablet x1", "2 tablet x1"],
    "one tablet in the morning, one at noon, and two tablets at bedtime": [
        "1 tablet x1",
        "1 tablet x1",
        "2 tablet x1",
    ],
    "Take 1 (one) tablet every six (6) hours": ["1 tablet x4"],
    "1/2 tab bid": ["1/2 tablet x2"],
    "½ tablet b.i.d.": ["1/2 tablet x2"],
    "half a tablet twice a day": ["1/2 tablet x2"],
    "one-half tablet daily": ["1/2 tablet x1"],
    "take one and a half tablets at bedtime": ["3/2 tablet x1"],
    "Take 1½ tablets twice daily": ["3/2 tablet x2"],
    "Place 1 patch onto the skin every 72 (seventy-two) hours.": ["1 patch x1/3"],
    "Apply one patch every seventy two hours": ["1 patch x1/3"],
    "Place 1 patch onto the skin every 48 (forty-eight) hours": ["1 patch x1/2"],
    "Take 1 tablet by mouth every 24 (twenty-four) hours.": ["1 tablet x1"],
    "Take 1 ½ tabs bid": ["3/2 tablet x2"],
    "Take 1 tablet every 12 hours. Do not crush, chew, or split.": ["1 tablet x2"],
    "Take 1 tablet every 12 hours. Do not crush, break or chew": ["1 tablet x2"],
    "Take 1 tablet every 12 hours. Swallow tablet whole; do not cut, crush, or chew.": [
        "1 tablet x2"
    ],
    "Take 1 tablet daily as needed for severe pain (pain score 7-10)": ["1 tablet x1"],
    "Take 1 1/2 tablets q8h prn pain": ["3/2 tablet x3"],
    "Take 1-1/2 tablets q8h": ["3/2 tablet x3"],
    "Take 1 tablet by mouth three times a day for 7 days": ["1 tablet x3"],
    "Take 5 mg by mouth every 4 (four) hours as needed for Severe pain (7-10) for up to 5 days.": [
        "5 mg x6"
    ],
    "Take 1 capsule (20 mg total) by mouth daily.": ["1 capsule x1"],
    "take 1 tab every 4-6 hrs prn, not to exceed 6 tabs in 24 hours": ["1 tablet x6 <=6"],
    "1-2 tabs q4-6h prn pain mdd 8": ["2 tablet x6 <=8"],
    "1 tab q4h max: 6/day": ["1 tablet x6 <=6"],
    "1 tablet as needed up to 4 times daily": ["1 tablet x4"],
    "1 tablet every 4 hours, no more than 4 doses per day": ["1 tablet x4"],
    "1 tab(s), Oral, q6hr, PRN pain, 20 tab(s), 0 Refill(s), Maintenance, Pharmacy: CVS/pharmacy #1234": [
        "1 tablet x4"
    ],
    "1 tablet as needed Orally every 6 hrs, 20 Tablet, Refills 0": ["1 tablet x4"],
    "1 tablet every 6 hours. Intended supply: 5 days, Soft Stop": ["1 tablet x4"],
    "Take 1 tablet in the morning AND 2 tablets nightly. Do all this for 30 days.": [
        "1 tablet x1",
        "2 tablet x1",
    ],
    "Apply 1 patch every 72 hours. Remove old patch before applying new one.": ["1 patch x1/3"],
    "1 tablet 7.5-325 mg every 6 hours": ["1 tablet x4"],
    "1 tablet every 4 hours, up to 3 times daily": ["1 tablet x3"],
    "1 tablet 2 times daily, may take up to 3 times daily": ["1 tablet x3"],
    "1 tablet daily as needed, up to twice daily": ["1 tablet x2"],
    "1 tablet every 12 hours, up to 4 times daily": ["1 tablet x4"],
    "1 tablet at bedtime, up to twice daily, max 3 times daily": ["1 tablet x2"],
    "1 tablet every 12 hours, do not exceed 4 times daily": ["1 tablet x2"],
    "1 tablet daily up to 3 tablets per day": ["1 tablet x3 <=3"],
    "2 tablets daily, up to 3 tablets per day": ["2 tablet x3/2 <=3"],
    "1 tablet every 4 hours up to 4 tablets per day": ["1 tablet x6 <=4"],
    "1 tablet daily, up to 3 tablets per day, max 2 tablets per day": ["1 tablet x3 <=2"],
    "1 tablet daily up to 20 mg per day": ["1 tablet x1 <=20"],
    "1 tablet every 36 hours": ["1 tablet x2/3"],
    "1 tablet as needed, max 6 tablets per day": ["1 tablet xNone <=6"],
    "take 1 to 2 tabs PO q4-6h PRN pain; max 3000 mg acetaminophen per day": ["2 tablet x6"],
    "take 1 to 2 tabs PO q4-6h PRN pain; max 4 g per day of acetaminophen": ["2 tablet x6"],
    "Take 0.5 tablet every other day": ["1/2 tablet x1/2"],
    "Take 1 tablet twice daily every 12 hours": ["1 tablet x2"],
    "take 1 tablet nightly at bedtime": ["1 tablet x1"],
    "take 1 tablet by mouth daily at bedtime": ["1 tablet x1"],
    "1 tablet once every day": ["1 tablet x1"],
    "1 tablet once a week": ["1 tablet x1/7"],
    "10 mg every 12 hours around the clock": ["10 mg x2"],
    "1 tablet three times daily with meals": ["1 tablet x3"],
    "TAKE ONE TABLET BY MOUTH EVERY 4 HOURS AS NEEDED": ["1 tablet x6"],
    "Every 8 hours take 1 tablet": ["1 tablet x3"],
    "1 tablet/day": ["1 tablet x1"],
    "Take 1 tablet daily and 1 tablet twice daily": ["1 tablet x1", "1 tablet x2"],
    "Take 1 tablet twice daily, in the morning and at bedtime": ["1 tablet x2"],
    "Take 1 tablet daily in the morning and at noon": ["1 tablet x2"],
    "Take 2 tablets (10 mg) daily": ["2 tablet x1"],
    "Take 10 mg (1 tablet) daily": ["10 mg x1"],
    "1 tablet q6h prn (pain 4-6)": ["1 tablet x4"],
    "1 tablet weekly": ["1 tablet x1/7"],
    "1 tablet 3 times weekly": ["1 tablet x3/7"],
    "take 1 tablet three times a day as needed for pain (moderate)": ["1 tablet x3"],
    "1 tablet every 6 hours if needed for moderate pain (4-6) or severe pain (7-10).": [
        "1 tablet x4"
    ],
    "Take 1 tablet every 4 (four) hours as needed. Max Daily Amount: 6 tablets": [
        "1 tablet x6 <=6"
    ],
    "1 tablet every 6 hours as needed for pain up to 5 days": ["1 tablet x4"],
    "1 tab po tid ac": ["1 tablet x3"],
    "Take 1 tablet every 6 hours. Do not drive. Avoid alcohol.": ["1 tablet x4"],
    "1-2 po q4-6h prn pain, max 8/day": ["2 unit x6 <=8"],
    "take 1 every 6 hours": ["1 unit x4"],
    "ii tabs po q6h": ["2 tablet x4"],
    "5 mg - 10 mg po q4h prn": ["10 mg x6"],
    "Sig: 1 1/2 tablets at 8 am and 8 pm": ["3/2 tablet x2"],
    "Take 1 tablet every 12 hours (8 am and 8 pm)": ["1 tablet x2"],
    "1 tablet 4 times daily: 8:00, 12:00, 16:00 and 20:00": ["1 tablet x4"],
    "1 tablet at 0800 and 2000": ["1 tablet x2"],
    "Take 1 tablet every morning at 8 am": ["1 tablet x1"],
    "1 tab AM and PM": ["1 tablet x2"],
    "1 tablet morning, noon, and night": ["1 tablet x3"],
    "1 tablet with meals": ["1 tablet x3"],
    "1 tab ac and hs": ["1 tablet x4"],
    "1 tablet four times daily with meals and at bedtime": ["1 tablet x4"],
    "1 tablet with meals twice daily": ["1 tablet x2"],
    "1 tab bid-tid": ["1 tablet x3"],
    "1 tablet once or twice daily": ["1 tablet x2"],
    "1 tab q4h-6h prn": ["1 tablet x6"],
    "1 tab q 4° prn": ["1 tablet x6"],
    "1 tab q8 prn": ["1 tablet x3"],
    "1 tab 4x day": ["1 tablet x4"],
    "1 tablet no more often than every 6 hours": ["1 tablet x4"],
    "1 tablet q4h while awake": ["1 tablet x6"],
    "1 tab q6h prn pain >6 x 5 days": ["1 tablet x4"],
    "1 tablet every 6 hours as needed for pain rated 4-10 out of 10": ["1 tablet x4"],
    "1 tab q6h prn severe pain (pain scale 7-10)": ["1 tablet x4"],
    "1 tab q6h prn pain not relieved by acetaminophen": ["1 tablet x4"],
    "1 tab q6h prn pain 4-6. Max 8/24h": ["1 tablet x4 <=8"],
    "1 tab q6h prn - no more than 3 tablets in a 24-hour period": ["1 tablet x4 <=3"],
    "1 tab q4h prn **DO NOT EXCEED 4 PER DAY**": ["1 tablet x6 <=4"],
    "1-2 tabs q4h prn, max 8 tabs/day, max 6 tabs/day": ["2 tablet x6 <=6"],
    "1 tablet up to 4 times a day, max 8 doses/day": ["1 tablet x4"],
    "1 tablet q6h, max 4 g tylenol": ["1 tablet x4"],
    "1 tablet q6h #30": ["1 tablet x4"],
    "1 tab q6h prn. Disp: 20 tablets. No refills.": ["1 tablet x4"],
    "1 tab q6h prn pain (M54.50)": ["1 tablet x4"],
    "1 tab q6h prn. Do not take with alcohol or sedatives.": ["1 tablet x4"],
    "1 tablet daily. Fill on 3/1/2026": ["1 tablet x1"],
    "10 mg = 1 tab, Oral, Q6H, PRN: for pain": ["10 mg x4"],
    "Patient to take 1 tablet of 5 mg bid": ["1 tablet x2"],
    "1 capsule po daily max 3 per day": ["1 capsule x1 <=3"],
    "1-2 tabs q4h prn, daily max 8": ["2 tablet x6 <=8"],
    "2 tabs prn, daily max 8": ["2 tablet xNone <=8"],
    "Apply patch q72h": ["1 patch x1/3"],
    "Take 1 tablet daily for 3 days then stop": ["1 tablet x1"],
    "2 tablets in the morning then 1 tablet at bedtime": ["2 tablet x1", "1 tablet x1"],
    "10 mg at 8 am and then 20 mg at 8 pm": ["10 mg x1", "20 mg x1"],
    "1 tablet every 6 to 4 hours": ["1 tablet x6"],
    "1 tab q6h or q4h prn": ["1 tablet x6"],
    "Take 1 tablet (5-325 mg) by mouth every 6 hours": ["1 tablet x4"],
    "Take 1 tablet (5/325 mg) by mouth every 6 hours": ["1 tablet x4"],
    "Take two 5mg tablets every 6 hours as needed": ["2 tablet x4"],
    "take 1 tablet 10 mg by oral route every 6 hours": ["1 tablet x4"],
    "Apply 1 patch 25 mcg/hr every 72 hours (3 days)": ["1 patch x1/3"],
    "Apply 1 patch(es) every 72 hours by transdermal route": ["1 patch x1/3"],
    "TK 1 TO 2 TS PO Q 6 H PRN P": ["2 tablet x4"],
    "T1T PO QID PRN": ["1 tablet x4"],
    "1c po bidx5d": ["1 capsule x2"],
    "1 tablet as needed orally every 6 hrs 7 days": ["1 tablet x4"],
    "1 tablet at bedtime only": ["1 tablet x1"],
    "1 tablet may cause drowsiness with meals": ["1 tablet x3"],
    "One tablet to be taken twice a day as required": ["1 tablet x2"],
    "take one and one-half tablets twice daily": ["3/2 tablet x2"],
    "Take 1 to 2 teaspoonsful every 6 hours": ["10 mL x4"],
    "0.25 mL PO/SL q2h prn pain or shortness of breath": ["1/4 mL x12"],
    "1 spray in one nostril every 6 hours": ["1 spray x4"],
    "Place 1 film under the tongue twice daily and allow to dissolve": ["1 film x2"],
    "1 tablet every 6 hours for 20 doses": ["1 tablet x4"],
    "1 tablet every 4 hours. Max APAP 3 g/day from all sources": ["1 tablet x6"],
    "5 mg, Oral, Every 6 hours PRN, severe pain (7-10), Starting on Mon 3/2/26 at 0900, Until Discontinued": [
        "5 mg x4"
    ],
    "1 tablet q6h prn pain. May cause drowsiness or dizziness. Risk of overdose and addiction.": [
        "1 tablet x4"
    ],
    "1 tablet q6h. Avoid alcohol, max 3 tablets per day": ["1 tablet x4 <=3"],
    "1 tab q6h prn pain score 7 for 5 days. Call 911 if not breathing. ICD 10 code M54.5": [
        "1 tablet x4"
    ],
    "10 mg in the evening and 5 each morning": ["10 mg x1", "5 mg x1"],
    "1 tablet q4h, max 8 each day": ["1 tablet x6 <=8"],
    "1 tablet every other day at bedtime": ["1 tablet x1/2"],
    "1 patch every 72 hours at 9 am": ["1 patch x1/3"],
    "1 tablet every 3rd day": ["1 tablet x1/3"],
    "Take one half (1/2) tablet twice daily": ["1/2 tablet x2"],
    "apply 1 patch to upper arm or chest every 72 hours": ["1 patch x1/3"],
    "1 tab q6h prn pain score 2": ["1 tablet x4"],
    "1 tablet every 8 hours, and 2 tablets at bedtime": ["1 tablet x3", "2 tablet x1"],
}


@pytest.mark.parametrize("text", READ)
def test_what_is_understood(text: str) -> None:
    said = read_text(text)
    assert said is not None
    (step,) = said.steps
    found = []
    for dose in step:
        cap = f" <={dose.cap[0]}" if dose.cap else ""
        found.append(
            f"{dose.amount * dose.unit.scale} {dose.unit.word or dose.unit.kind} x{dose.per_day}{cap}"
        )
    assert found == READ[text]


def test_steps_lengths_and_routes() -> None:
    taper = read_text("Take 2 tablets daily for 3 days, then 1 tablet daily for 2 weeks")
    assert taper is not None
    assert (len(taper.steps), taper.days) == (2, 17)
    open_end = read_text("Take 2 tablets daily for 3 days, then 1 tablet daily")
    assert open_end is not None and open_end.days is None
    said = read_text("10 mg under the tongue every 4 hours as needed")
    assert said is not None and said.route == "sublingual"
    few = read_text("1 tablet every 6 hours as needed for pain up to 5 days")
    assert few is not None and few.days == 5


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("1 tablet orally once a day 30 days", 30),
        ("1 tablet every 6 hours; maximum 5 days total", 5),
        ("1 tablet every 6 hours for no more than 7 days", 7),
        ("1 patch every 72 hours (3 days)", None),
        ("1 tablet in the morning, then 1 at bedtime for 7 days", 7),
    ],
)
def test_lengths(text: str, days: int | None) -> None:
    said = read_text(text)
    assert said is not None and said.days == days


def test_a_step_without_a_dose_of_its_own_repeats_the_dose_before_it() -> None:
    said = read_text("1 tablet 4 times a day for 3 days, then twice a day for 3 days, then daily")
    assert said is not None
    assert [[(d.amount, d.per_day) for d in step] for step in said.steps] == [
        [(1, 4)],
        [(1, 2)],
        [(1, 1)],
    ]


def test_the_strengths_of_two_ingredients_are_no_dose() -> None:
    combined = read_text("1 tablet (5-325 mg total) every 6 hours")
    assert combined is not None and combined.steps[0][0].total is None
    each = read_text("two 5 mg tablets every 6 hours")
    assert each is not None and each.steps[0][0].total is not None
    assert each.steps[0][0].total[0] == 10


@pytest.mark.parametrize(
    ("text", "per_day"),
    [
        ("twice daily", "2"),
        ("Q4H PRN", "6"),
        ("every 72 hours", "1/3"),
        ("at bedtime", "1"),
        ("up to 4 times a day", "4"),
    ],
)
def test_frequencies(text: str, per_day: str) -> None:
    assert read_frequency(text) == Fraction(per_day)


@pytest.mark.parametrize(
    "text", ["1 tablet daily", "1000 every 24h scheduled", "soon", "", "daily then weekly"]
)
def test_no_frequency(text: str) -> None:
    assert read_frequency(text) is None
