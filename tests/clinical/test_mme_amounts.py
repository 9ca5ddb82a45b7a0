"""What one order adds to the daily total: its arithmetic, maximum, patches and strengths."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from cds_service.clinical.facts import Order
from cds_service.clinical.opioid_amount import factor_for
from cds_service.knowledge.drugs.model import Component, Drug, DrugClass
from cds_service.knowledge.model import FactorRow
from tests.changes import replace
from tests.clinical.prescriptions import dose, mme, order

OXYCODONE_10, METHADONE_10 = "1049683", "864706"
FENTANYL_25, HYDROCODONE_5 = "245134", "857002"
HYDROCODONE_LIQUID, HYDROCODONE_HOMATROPINE, TWO_SALTS = "856940", "992656", "637540"


def test_the_arithmetic_is_shown() -> None:
    def shown(*orders: Order, **more: str) -> str:
        return mme(*orders, **more).orders[0].arithmetic

    assert shown(order(OXYCODONE_10, dose(1, times=4))) == "10 mg x 4/day x 1.5"
    assert shown(order("637540", dose(1, times=4))) == "(4.5 + 0.38) mg x 4/day x 1.5"
    assert shown(order("1049604", dose(10, "mL", times=4))) == "10 mL x 1 mg/mL x 4/day x 1.5"
    assert shown(order("245135", dose(2, "patch", times=1, every=3))) == "2 x 50 mcg/h x 2.4"
    assert (
        shown(order(METHADONE_10, dose(2.5, "mg", times=1, per="wk")))
        == "2.5 mg x 1 every 7 days x 4.7"
    )
    assert shown(order(METHADONE_10, dose(1, times=3)), factors="cdc-2016") == "10 mg x 3/day x 8"
    two = order("891881", dose(1, times=1), dose(2, times=1))
    assert shown(two) == "(15 mg x 1/day + 2 x 15 mg x 1/day) x 1"
    capped = dose(
        2,
        times=6,
        maxDosePerPeriod={
            "numerator": {"value": 8, "unit": "tablets"},
            "denominator": {"value": 1, "unit": "d"},
        },
    )
    assert shown(order(HYDROCODONE_5, capped)) == "2 x 5 mg x 6/day, at most 40 mg/day x 1"
    assert (
        shown(order("668364", dose(200, "ug", times=4)), factors="analytic")
        == "200 mcg x 4/day x 0.13"
    )


@pytest.mark.parametrize(
    ("rxcui", "value", "unit", "maximum", "total"),
    [
        (OXYCODONE_10, 2, "tbl", {"value": 40, "unit": "mg"}, 60),
        (OXYCODONE_10, 20, "mg", {"value": 4, "unit": "tablet"}, 60),
        (OXYCODONE_10, 20, "mg", {"value": 40000, "unit": "ug"}, 60),
        (HYDROCODONE_5, 2, "tbl", {"value": 40, "unit": "mg"}, 40),
        (HYDROCODONE_5, 2, "tbl", {"value": 10, "unit": "mg"}, 10),
        (HYDROCODONE_5, 2, "tbl", {"value": 9, "unit": "mg"}, 60),
        (HYDROCODONE_5, 2, "tbl", {"value": 649, "unit": "mg"}, 60),
        (HYDROCODONE_5, 2, "tbl", {"value": 650, "unit": "mg"}, 60),
        (HYDROCODONE_5, 4, "tbl", {"value": 650, "unit": "mg"}, 120),
        (HYDROCODONE_5, 2, "tbl", {"value": 4, "unit": "g"}, 60),
        (HYDROCODONE_5, 10, "mL", {"value": 40, "unit": "mg"}, None),
        (HYDROCODONE_LIQUID, 15, "mL", {"value": 30, "unit": "mg"}, 30),
        (HYDROCODONE_LIQUID, 15, "mL", {"value": 325, "unit": "mg"}, 45),
        (HYDROCODONE_HOMATROPINE, 1, "tbl", {"value": 20, "unit": "mg"}, 30),
        (TWO_SALTS, 1, "tbl", {"value": 20, "unit": "mg"}, Fraction("43.92")),
    ],
)
def test_a_daily_maximum_in_another_unit(
    rxcui: str, value: float, unit: str, maximum: dict[str, object], total: int | Fraction | None
) -> None:
    """In mg it binds a product of one ingredient, and one that it allows no dose of the other
    ingredient of: 4 g a day means the acetaminophen, 40 mg are no dose of it.
    """
    cap = {"numerator": maximum, "denominator": {"value": 24, "unit": "h"}}
    found = mme(order(rxcui, dose(value, unit, times=6, maxDosePerPeriod=cap)))
    assert (None if found.is_lower_bound else found.per_day) == total


def test_patch_interval_is_remarked_on_and_does_not_count() -> None:
    total = mme(order(FENTANYL_25, dose(1, "patch", times=1, every=48, per="h")))
    assert (total.per_day, total.orders[0].notes) == (
        60,
        ("changed every 48 hours, labelled for 72",),
    )
    part = mme(order("197696", dose(0.2, "patch", times=1, every=12)))
    assert part.per_day == 36
    assert "part of a patch" in part.orders[0].notes
    assert mme(order(FENTANYL_25, dose(25, "ug", times=1, every=3))).per_day == 60
    assert mme(order(FENTANYL_25, dose(30, "ug", times=1, every=3))).is_lower_bound
    assert mme(order(FENTANYL_25, dose(1, "patch"))).per_day == 60


def test_patches_by_quantity_and_supply() -> None:
    ten = order(FENTANYL_25, quantity={"value": 10, "unit": "patch"}, supply=30)
    assert mme(ten).per_day == 60
    assert (
        mme(order(FENTANYL_25, quantity={"value": 20, "unit": "patch"}, supply=30)).per_day == 120
    )


def test_a_drug_known_by_name_counts_when_its_strength_is_known() -> None:
    named = Drug(
        "", "oxycodone 10 mg tab", "NAME", (Component("oxycodone", "7804", Decimal(10), "mg"),)
    )
    named = Drug(
        named.rxcui, named.name, named.tty, named.components, classes=frozenset({DrugClass.OPIOID})
    )
    assert mme(order(named, dose(1, times=4), opioid=True)).per_day == 60


def test_a_rate_of_a_tablet_is_its_day() -> None:
    rate = {
        "doseAndRate": [
            {
                "rateRatio": {
                    "numerator": {"value": 40, "unit": "mg"},
                    "denominator": {"value": 1, "unit": "d"},
                }
            }
        ]
    }
    assert mme(order(OXYCODONE_10, rate)).per_day == 60
    hourly = {"doseAndRate": [{"rateQuantity": {"value": 2, "unit": "mg/h"}}]}
    assert mme(order(OXYCODONE_10, hourly)).per_day == 72


def test_display_values_are_short_decimals() -> None:
    total = mme(order(METHADONE_10, dose(2.5, "mg", times=1, per="wk")))
    assert (total.total, total.orders[0].mme) == (Decimal("1.68"), Decimal("1.68"))
    assert str(mme(order(OXYCODONE_10, dose(1, times=4))).total) == "60"


def test_two_products_with_uncommon_strengths() -> None:
    half_known = (
        Component("oxycodone", "7804", Decimal(5), "mg"),
        Component("oxycodone", "7804", None, "mg"),
    )
    drugs = frozenset({DrugClass.OPIOID})
    assert (
        "strength"
        in mme(order(Drug("1", "x", "SCD", half_known, classes=drugs), dose(1, times=4)))
        .orders[0]
        .why
    )
    cup = Drug(
        "1",
        "5 ML morphine 2 MG/ML",
        "SCD",
        (Component("morphine", "7052", Decimal(2), "mg/mL"),),
        classes=drugs,
        sealed_ml=Decimal(5),
    )
    packets = mme(order(cup, dose(2, "packet", times=3)))
    assert (packets.per_day, packets.orders[0].arithmetic) == (60, "2 x 10 mg x 3/day x 1")
    open_bottle = replace(cup, sealed_ml=None)
    assert "the strength in mg/mL" in mme(order(open_bottle, dose(2, times=3))).orders[0].why
    drops = mme(order(open_bottle, dose(5, "drop", times=3)))
    assert "drop" in drops.orders[0].why
    both = Drug(
        "1",
        "y",
        "MIN",
        (Component("codeine", "2670"), Component("morphine", "7052")),
        classes=drugs,
    )
    assert "combination" in mme(order(both, dose(5, "mg", times=3))).orders[0].why


def test_a_patch_by_ingredient_needs_its_rate() -> None:
    fentanyl = order("4337", {"doseAndRate": [{"rateQuantity": {"value": 25, "unit": "ug/h"}}]})
    assert "no conversion factor" in mme(fentanyl).orders[0].why
    by_skin = {"coding": [{"code": "45890007"}]}
    rate = {"doseAndRate": [{"rateQuantity": {"value": 25, "unit": "ug/h"}}], "route": by_skin}
    assert mme(order("4337", rate)).per_day == 60
    counted = order("4337", dose(1, "patch", times=1, every=3, route=by_skin))
    assert "no strength" in mme(counted).orders[0].why
    assert "does not fit a patch" in mme(order(FENTANYL_25, dose(1, "mL", times=1))).orders[0].why


def test_tiers_with_a_gap_use_the_last() -> None:
    rows = (
        FactorRow("methadone", Decimal(4), up_to=Decimal(20)),
        FactorRow("methadone", Decimal(8), above=Decimal(30)),
    )
    assert [factor_for(rows, Fraction(mg)).factor for mg in (20, 25, 31)] == [4, 8, 8]


def test_a_maximum_in_volume_or_of_no_use() -> None:
    def capped(rxcui: str, value: float, unit: str, most: float, most_unit: str) -> Fraction:
        cap = {
            "numerator": {"value": most, "unit": most_unit},
            "denominator": {"value": 1, "unit": "d"},
        }
        return mme(order(rxcui, dose(value, unit, times=6, maxDosePerPeriod=cap))).per_day

    assert capped("1049604", 10, "mg", 40, "mL") == 60
    assert capped("1049604", 10, "mg", 4, "tablet") == 90
