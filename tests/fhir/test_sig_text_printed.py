"""What Epic and Oracle print around the directions, and directions that change after some days."""

from __future__ import annotations

import pytest

from cds_service.fhir.sig_text import read_text

READ = {
    "Take 1 tablet 1 (one) time each day., Starting Tue 5/28/2019, Until Wed 5/27/2020, Normal": [
        "1 x1"
    ],
    "Take 1 tablet every 4 hours as needed. Max Daily Amount: 4 tablets, Starting Tue 5/28/2019, "
    "Until Sun 6/2/2019 at 2359, Normal": ["1 x6 <=4"],
    "Take 1 tablet by mouth every 4 (four) hours as needed for pain., Disp-20 tablet, R-0, Normal": [
        "1 x6"
    ],
    "5 mg, oral, every 4 hours PRN, First dose on Tue 5/28/19 at 0900, Last dose on Thu 5/30/19 at 2100": [
        "5 x6"
    ],
    "1 tab(s), Oral, 2 times a day, 60 tab(s)": ["1 x2"],
    "5 mL, Oral, q4hr, 120 mL": ["5 x6"],
    "10 mg, 1 tabs, Oral, q6hr, PRN: pain": ["10 x4"],
    "1 ORAL every eight hours as needed": ["1 x3"],
    "Take 1 tablet every 12 hours on an empty stomach, at least 1 hour before or 2 hours after a meal": [
        "1 x2"
    ],
    "Take 1 tablet by mouth twice a day with meal": ["1 x2"],
    "one to two tablets every 4-6 hours as needed for rib pain": ["2 x6"],
    "1 capsule daily for 7 days then increase to 1 capsule twice daily": ["1 x1", "1 x2"],
    "2 tablets daily for 3 days, then reduce dose to 1 tablet daily": ["2 x1", "1 x1"],
    "1-2 tabs q4h prn, 6/day max": ["2 x6 <=6"],
    "1 tab q4h prn. 4 tabs max per day": ["1 x6 <=4"],
    "10 mg q4h prn (40 mg daily maximum)": ["10 x6 <=40"],
    "1 tab q4h prn, max 5/day, 4 per day max.": ["1 x6 <=4"],
    "1 tab q6h prn; max 3 tabs in any 24-hour period": ["1 x4 <=3"],
    "1 tab x5 daily": ["1 x5"],
    "1 tab 3xday": ["1 x3"],
    "1 tab @ 8am and 8pm": ["1 x2"],
    "1 tab midday": ["1 x1"],
    "2 tabs qnoon": ["2 x1"],
    "one tab t.d.s. prn": ["1 x3"],
    "1 tab BD": ["1 x2"],
    "1-2 tabs QDS, max 8/24h": ["2 x4 <=8"],
    "1 tab 6 hourly": ["1 x4"],
    "1-2 tabs 4-6 hrly prn": ["2 x6"],
    "1 tab four-hourly": ["1 x6"],
    "1 tablet mane and nocte": ["1 x2"],
    "1 tab up to qid prn": ["1 x4"],
    "1 tab bid, up to tid": ["1 x3"],
    "one to two (1-2) tablets every four to six (4-6) hours": ["2 x6"],
    "１ tablet every ６ hours": ["1 x4"],
    "Take 1‑2 tablets every 4−6 hours\u200b": ["2 x6"],
    "1⁄2 tablet bid": ["1/2 x2"],
    "Apply 1 patch(es) Topical q72hr": ["1 x1/3"],
    "1 tablet (10 mg/325 mg) every 6 hours": ["1 x4"],
    "20 mg daily in divided doses": ["20 x1"],
    "1 tab q4h prn pain. Total daily dose not to exceed 20 mg": ["1 x6 <=20"],
    "1 tab q6h prn pain. Dx: G89.29, M54.16. ICD10 G89.4": ["1 x4"],
    "1 tab q6h prn pain G89.29 [M54.5] Max Refills Remaining: 0": ["1 x4"],
    "1 tab q6h prn severe pain Acute pain exception., Start: 03/01/26": ["1 x4"],
    "1 tab q6h prn severe pain, not controlled by ibuprofen or Tylenol": ["1 x4"],
    "1 tab, Oral, q4hr, PRN: for pain, # 30 tab, 0 Refill(s), Acute": ["1 x6"],
}


@pytest.mark.parametrize("text", READ)
def test_what_is_printed_around_the_directions(text: str) -> None:
    said = read_text(text)
    assert said is not None
    found = []
    for step in said.steps:
        (dose,) = step
        cap = f" <={dose.cap[0]}" if dose.cap is not None else ""
        found.append(f"{dose.amount} x{dose.per_day}{cap}")
    assert found == READ[text]
