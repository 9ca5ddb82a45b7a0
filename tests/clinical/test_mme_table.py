"""Worked doses by the real tables: CDC 2022, CDC 2016 and the analytic extension."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cds_service.clinical.facts import Order
from tests.clinical.prescriptions import amount, chart, dose, mme, order

OXYCODONE_10, OXYCODONE_ER_10, HYDROCODONE_5 = "1049683", "1049502", "857002"
MORPHINE_15, MORPHINE_ER_15 = "892582", "891881"
METHADONE_10, METHADONE_5 = "864706", "864718"
FENTANYL_25, FENTANYL_50, FENTANYL_12, FENTANYL_75 = "245134", "245135", "577057", "197696"


def code(name: str) -> dict[str, object]:
    """A timing by its abbreviation alone."""
    return {"code": {"coding": [{"code": name}]}}


def step(sequence: int, value: float, times: float) -> dict[str, object]:
    """One step of a taper."""
    return dose(value, times=times, sequence=sequence)


def prn(**more: object) -> dict[str, object]:
    """One or two tablets every four to six hours as needed."""
    return {
        "asNeededBoolean": True,
        "timing": {"repeat": {"frequency": 1, "period": 4, "periodMax": 6, "periodUnit": "h"}},
        "doseAndRate": [{"doseRange": {"low": amount(1, "tbl"), "high": amount(2, "tbl")}}],
        **more,
    }


COUNTED: list[tuple[str, list[Order], str, str | None]] = [
    ("hydrocodone 5/325 four a day", [order(HYDROCODONE_5, dose(1, times=4))], "20", "20"),
    ("oxycodone ER 10 mg twice a day", [order(OXYCODONE_ER_10, dose(1, times=2))], "30", "30"),
    ("a taper: the greatest step", [order(OXYCODONE_10, step(1, 1, 4), step(2, 1, 2))], "60", "60"),
    (
        "morphine ER 15 in the morning, 30 at night",
        [order(MORPHINE_ER_15, step(1, 1, 1), dose(2, times=1, sequence=1))],
        "45",
        "45",
    ),
    ("1-2 tablets every 4-6 h as needed", [order(HYDROCODONE_5, prn())], "60", "60"),
    (
        "the same, at most 8 tablets in 24 h",
        [
            order(
                HYDROCODONE_5,
                prn(
                    maxDosePerPeriod={"numerator": amount(8, "tbl"), "denominator": amount(24, "h")}
                ),
            )
        ],
        "40",
        "40",
    ),
    (
        "as needed by a coded reason",
        [order(HYDROCODONE_5, prn(asNeededBoolean=None, asNeededCodeableConcept={"text": "pain"}))],
        "60",
        "60",
    ),
    *(
        (f"oxycodone 10 mg {name}", [order(OXYCODONE_10, dose(1, timing=code(name)))], total, total)
        for name, total in (
            ("QD", "15"),
            ("BID", "30"),
            ("TID", "45"),
            ("QID", "60"),
            ("Q6H", "60"),
            ("Q4H", "90"),
            ("QOD", "7.5"),
        )
    ),
    ("every 12 hours", [order(OXYCODONE_10, dose(1, times=1, every=12, per="h"))], "30", "30"),
    (
        "three to four a day",
        [
            order(
                OXYCODONE_10,
                dose(
                    1,
                    timing={
                        "repeat": {
                            "frequency": 3,
                            "frequencyMax": 4,
                            "period": 1,
                            "periodUnit": "d",
                        }
                    },
                ),
            )
        ],
        "60",
        "60",
    ),
    (
        "dates only, 60 tablets for 30 days",
        [
            order(
                OXYCODONE_10,
                {"timing": {"event": ["2024-03-01T09:00:00Z"]}},
                quantity={"value": 60, "unit": "tablet"},
                supply=30,
            )
        ],
        "30",
        "30",
    ),
    (
        "no instruction, 120 tablets for 30 days",
        [order(OXYCODONE_10, quantity={"value": 120, "unit": "tablet"}, supply=30)],
        "60",
        "60",
    ),
    (
        "text only",
        [order(OXYCODONE_10, {"text": "Take 1 tablet by mouth every 6 hours as needed for pain"})],
        "60",
        "60",
    ),
    ("ingredient code, dose in mg", [order("7804", dose(10, "mg", times=4))], "60", "60"),
    (
        "codeine 30 with acetaminophen, 2 every 4 h",
        [order("993781", dose(2, times=1, every=4, per="h"))],
        "54",
        "54",
    ),
    (
        "oxycodone 1 mg/mL, 10 mL four times",
        [order("1049604", dose(10, "mL", times=4))],
        "60",
        "60",
    ),
    ("codeine cough syrup 60 mL a day", [order("995868", dose(15, "mL", times=4))], "18", "18"),
    ("two salts of oxycodone", [order("637540", dose(1, times=4))], "29.28", "29.28"),
    ("two salts, dose in mg: once", [order("637540", dose(4.88, "mg", times=4))], "29.28", "29.28"),
    (
        "two opioids of 60 each",
        [
            order(OXYCODONE_10, dose(1, times=4)),
            order(MORPHINE_15, dose(1, times=4), ref="MedicationRequest/rx2"),
        ],
        "120",
        "120",
    ),
    (
        "three identical orders of 30",
        [order(OXYCODONE_10, dose(1, times=2), ref=f"MedicationRequest/{n}") for n in range(3)],
        "90",
        "90",
    ),
    (
        "morphine with naltrexone 30 mg twice",
        [order("863850", dose(1, "capsule", times=2))],
        "60",
        "60",
    ),
    (
        "celecoxib 56 / tramadol 44, 2 twice a day",
        [order("2588478", dose(2, times=2))],
        "35.2",
        None,
    ),
    (
        "hydromorphone 2 mg every 4 h",
        [order("897696", dose(1, times=1, every=4, per="h"))],
        "60",
        "48",
    ),
    ("tramadol 100 mg four times", [order("2179635", dose(1, times=4))], "80", None),
    ("tapentadol ER 100 mg twice", [order("1148797", dose(1, times=2))], "80", "80"),
    ("oxymorphone ER 10 mg twice", [order("977874", dose(1, times=2))], "60", "60"),
    ("methadone 10 mg three times", [order(METHADONE_10, dose(1, times=3))], "141", "240"),
    ("methadone 20.5 mg", [order(METHADONE_10, dose(20.5, "mg", times=1))], "96.35", "164"),
    (
        "methadone 2.5 mg a week",
        [order(METHADONE_10, dose(2.5, "mg", times=1, per="wk"))],
        "47/28",
        "10/7",
    ),
    (
        "methadone 30 mg and 5 mg in two orders",
        [
            order(METHADONE_10, dose(1, times=3)),
            order(METHADONE_5, dose(1, times=1), ref="MedicationRequest/rx2"),
        ],
        "164.5",
        "280",
    ),
    (
        "fentanyl 25 every 72 h",
        [order(FENTANYL_25, dose(1, "patch", times=1, every=72, per="h"))],
        "60",
        "60",
    ),
    (
        "two fentanyl 50",
        [order(FENTANYL_50, dose(2, "patch", times=1, every=72, per="h"))],
        "240",
        "240",
    ),
    (
        "fentanyl 75 as a rate",
        [order(FENTANYL_75, {"doseAndRate": [{"rateQuantity": amount(75, "ug/h")}]})],
        "180",
        "180",
    ),
    (
        "fentanyl 75 as a ratio",
        [
            order(
                FENTANYL_75,
                {
                    "doseAndRate": [
                        {
                            "rateRatio": {
                                "numerator": amount(75, "ug"),
                                "denominator": amount(1, "h"),
                            }
                        }
                    ]
                },
            )
        ],
        "180",
        "180",
    ),
    (
        "fentanyl 50 every 48 h",
        [order(FENTANYL_50, dose(1, "patch", times=1, every=48, per="h"))],
        "120",
        "120",
    ),
    (
        "fentanyl 12",
        [order(FENTANYL_12, dose(1, "patch", times=1, every=72, per="h"))],
        "28.8",
        "28.8",
    ),
    (
        "fentanyl 25 and 12 together",
        [
            order(FENTANYL_25, dose(1, "patch", times=1, every=72, per="h")),
            order(
                FENTANYL_12,
                dose(1, "patch", times=1, every=72, per="h"),
                ref="MedicationRequest/rx2",
            ),
        ],
        "88.8",
        "88.8",
    ),
    ("dose in grams", [order(MORPHINE_15, dose(0.03, "g", times=2))], "60", "60"),
    ("exactly 50", [order(MORPHINE_15, dose(50, "mg", times=1))], "50", "50"),
    ("just below 50", [order(MORPHINE_15, dose(49.95, "mg", times=1))], "49.95", "49.95"),
    (
        "a draft of 20 and an active 60",
        [order(HYDROCODONE_5, dose(1, times=4)), chart(OXYCODONE_10, dose(1, times=4))],
        "80",
        "80",
    ),
    (
        "a draft that renews an active order",
        [
            order(OXYCODONE_10, dose(1, times=4), prior="MedicationRequest/a1"),
            chart(OXYCODONE_10, dose(1, times=4)),
        ],
        "60",
        "60",
    ),
]


@pytest.mark.parametrize(
    ("name", "orders", "total", "old"), COUNTED, ids=[row[0] for row in COUNTED]
)
def test_total(name: str, orders: list[Order], total: str, old: str | None) -> None:
    now, before = mme(*orders), mme(*orders, factors="cdc-2016")
    assert now.per_day == Fraction(total)
    assert not now.is_lower_bound
    assert all(order.counted and order.arithmetic for order in now.orders)
    if old is None:
        assert before.is_lower_bound
        assert before.per_day == 0
    else:
        assert before.per_day == Fraction(old)
