"""Opioids that the clinical tables do not count, and what is left out without a doubt."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cds_service.clinical.facts import Order
from tests.clinical.prescriptions import chart, dose, mme, order

OXYCODONE_10, OXYCODONE_ER_10, HYDROCODONE_5 = "1049683", "1049502", "857002"
FENTANYL_25 = "245134"

EXTENDED: list[tuple[str, Order, str]] = [
    ("fentanyl buccal 200 mcg four times", order("668364", dose(1, times=4)), "104"),
    ("the same in micrograms", order("668364", dose(200, "ug", times=4)), "104"),
    (
        "fentanyl mucosal spray 100 mcg three times",
        order("1237050", dose(1, "spray", times=3)),
        "54",
    ),
    (
        "fentanyl nasal spray 100 mcg three times",
        order("1115573", dose(1, "actuat", times=3)),
        "48",
    ),
    ("meperidine 200 mg", order("861455", dose(1, times=2)), "20"),
    ("levorphanol 6 mg", order("197873", dose(1, times=3)), "66"),
    ("pentazocine 300 mg", order("199789", dose(2, times=3)), "111"),
    ("butorphanol 6 mg", order("886634", dose(1, "spray", times=6)), "42"),
    ("dihydrocodeine 192 mg", order("1234871", dose(2, "capsule", times=6)), "48"),
    ("opium tincture 0.6 mL four times", order("830196", dose(0.6, "mL", times=4)), "24"),
]


@pytest.mark.parametrize(("name", "given", "total"), EXTENDED, ids=[row[0] for row in EXTENDED])
def test_only_the_analytic_table_counts_them(name: str, given: Order, total: str) -> None:
    extended = mme(given, factors="analytic")
    assert extended.per_day == Fraction(total)
    clinical = mme(given)
    assert clinical.is_lower_bound
    assert clinical.per_day == 0
    assert "no conversion factor" in clinical.orders[0].why


UNCOUNTED: list[tuple[str, Order, str]] = [
    ("no dose and no supply", order(OXYCODONE_10), "no dosage instruction"),
    ("an unread text", order(OXYCODONE_10, {"text": "use as discussed"}), "could not be read"),
    ("ingredient code and tablets", order("7804", dose(1, times=4)), "no strength"),
    ("no code at all", order(None, dose(1, times=4), opioid=True), "known by name only"),
    (
        "codes that disagree",
        order(OXYCODONE_10, dose(1, times=4), drug_conflict="10 and 20 mg"),
        "disagree",
    ),
    ("benzhydrocodone", order("2001358", dose(1, times=4)), "no conversion factor"),
    ("methadone 40 mg dispersible", order("864978", dose(2, times=1)), "opioid use disorder"),
    ("buprenorphine patch", order("904876", dose(1, "patch", times=1, every=7)), "buprenorphine"),
    ("buprenorphine film", order("1010604", dose(1, "film", times=2)), "opioid use disorder"),
    ("morphine injection", order("2003714", dose(2, "mg", times=6)), "injection"),
    (
        "an ingredient given into a vein",
        order("7052", dose(2, "mg", times=6, route={"coding": [{"code": "47625008"}]})),
        "injection",
    ),
    (
        "patches of a tablet",
        order(OXYCODONE_ER_10, dose(1, "patch", times=1, every=3)),
        "does not fit",
    ),
    ("tablets of a patch", order(FENTANYL_25, dose(1, times=1)), "does not fit"),
    ("mg of another ingredient", order(HYDROCODONE_5, dose(650, "mg", times=4)), "combination"),
    # One tablet by its acetaminophen, ten, five and nearly nine by its opioid.
    ("300 mg of codeine 30", order("993781", dose(300, "mg", times=4)), "combination"),
    ("300 mg of codeine 60", order("993890", dose(300, "mg", times=4)), "combination"),
    ("325 mg of tramadol 37.5", order("836395", dose(325, "mg", times=4)), "combination"),
    ("120 mg of codeine syrup", order("993755", dose(120, "mg", times=4)), "combination"),
    ("a negative dose", order(OXYCODONE_10, dose(-1, times=4)), "zero or negative"),
    ("a thousand tablets", order(OXYCODONE_10, dose(1000, times=4)), "not believable"),
]


@pytest.mark.parametrize(("name", "given", "why"), UNCOUNTED, ids=[row[0] for row in UNCOUNTED])
def test_what_cannot_be_counted_is_listed_and_bounds_the_total(
    name: str, given: Order, why: str
) -> None:
    alone = mme(given)
    assert (alone.per_day, alone.is_lower_bound, alone.seen) == (0, True, True)
    assert why in alone.orders[0].why
    with_another = mme(given, chart(OXYCODONE_10, dose(1, times=4)))
    assert (with_another.per_day, with_another.is_lower_bound) == (60, True)
    assert [o.counted for o in with_another.orders].count(False) == 1


@pytest.mark.parametrize(
    "left_out",
    [
        chart(OXYCODONE_10, dose(1, times=4), status="stopped"),
        chart(OXYCODONE_10, dose(1, times=4), status="cancelled"),
        chart(OXYCODONE_10, dose(1, times=4), status="entered-in-error"),
        chart(OXYCODONE_10, dose(1, times=4), status="completed"),
        chart(OXYCODONE_10, dose(1, times=4), status="draft"),
        chart(OXYCODONE_10, dose(1, times=4), intent="proposal"),
        chart(OXYCODONE_10, dose(1, times=4), intent="plan"),
        chart(OXYCODONE_10, dose(1, times=4), do_not_perform=True),
    ],
)
def test_orders_rightly_left_out_bound_nothing(left_out: Order) -> None:
    total = mme(order(OXYCODONE_10, dose(1, times=2)), left_out)
    assert (total.per_day, total.is_lower_bound, len(total.orders)) == (30, False, 1)
