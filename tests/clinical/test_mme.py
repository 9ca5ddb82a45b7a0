"""The daily total: what replaces, repeats, overlaps and bounds it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.clinical.dates import Span
from cds_service.clinical.facts import Condition, Order
from cds_service.clinical.mme_running import Running, converted, on_day, timeline
from cds_service.clinical.opioid_amount import factor_for
from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.model import Component, Drug, DrugClass
from cds_service.knowledge.model import FactorRow
from tests.clinical.prescriptions import AS_OF, chart, dose, drug, knowledge, mme, order

OXYCODONE_10, MORPHINE_15, METHADONE_10 = "1049683", "892582", "864706"
FENTANYL_25, HYDROCODONE_5 = "245134", "857002"


def days(number: int) -> date:
    """So many days after the as-of date."""
    return AS_OF + timedelta(days=number)


def test_a_resigned_order_counts_once_and_adds_nothing() -> None:
    signed = order(OXYCODONE_10, dose(1, times=4), ref="MedicationRequest/a1")
    total = mme(signed, chart(OXYCODONE_10, dose(1, times=4)))
    assert (total.per_day, total.without_drafts, len(total.orders)) == (60, 60, 1)


def test_one_id_for_a_draft_and_another_drug_counts_both() -> None:
    signed = order(MORPHINE_15, dose(1, times=4), ref="MedicationRequest/a1")
    assert mme(signed, chart(OXYCODONE_10, dose(1, times=4))).per_day == 120


def test_the_same_drug_under_another_id_adds_and_is_named() -> None:
    total = mme(order(OXYCODONE_10, dose(1, times=2)), chart(OXYCODONE_10, dose(1, times=4)))
    assert (total.per_day, total.without_drafts) == (90, 60)
    assert total.duplicates == ("oxycodone hydrochloride 10 MG Oral Tablet",)
    assert (
        mme(order(OXYCODONE_10, dose(1, times=2)), chart(MORPHINE_15, dose(1, times=2))).duplicates
        == ()
    )


def test_a_long_chart_takes_no_longer_an_order_than_a_short_one() -> None:
    one = chart(OXYCODONE_10, dose(1, times=1))
    many = [replace(one, ref=f"MedicationRequest/a{n}") for n in range(3000)]
    start = perf_counter()
    total = mme(order(METHADONE_10, dose(1, times=1)), *many)
    assert len(total.orders) == 3001
    assert perf_counter() - start < 4  # 15 when each order adds up all others


def test_orders_that_begin_on_many_days_take_no_longer() -> None:
    one = chart(OXYCODONE_10, dose(1, times=1))
    many = [
        replace(one, ref=f"MedicationRequest/a{n}", span=Span(days(n), days(n + 400)))
        for n in range(3000)
    ]
    start = perf_counter()
    assert mme(*many).per_day == 400 * 15
    assert perf_counter() - start < 4


def test_an_order_of_no_days_is_listed_with_what_it_would_add() -> None:
    never = replace(chart(OXYCODONE_10, dose(1, times=1)), span=Span(AS_OF, AS_OF), draft=True)
    total = mme(never, order(METHADONE_10, dose(1, times=1), ref="MedicationRequest/rx2"))
    assert [found.ref for found in total.orders if found.counted] == [
        never.ref,
        "MedicationRequest/rx2",
    ]


def test_equal_amounts_are_a_list_and_not_a_set() -> None:
    total = mme(
        *(order(OXYCODONE_10, dose(1, times=2), ref=f"MedicationRequest/{n}") for n in range(3))
    )
    assert total.per_day == 90
    assert len(total.duplicates) == 1


def test_an_order_of_the_chart_is_current_until_its_refills_are_used() -> None:
    def over(refills: int) -> Fraction:
        old = chart(OXYCODONE_10, dose(1, times=4), written=days(-60), supply=30, refills=refills)
        return mme(order(HYDROCODONE_5, dose(1, times=4)), old).per_day

    assert (over(0), over(1), over(2)) == (20, 20, 80)


def test_without_a_supply_length_an_active_order_is_current() -> None:
    assert mme(chart(OXYCODONE_10, dose(1, times=4), written=days(-500))).per_day == 60


def test_orders_that_do_not_overlap_are_not_added() -> None:
    ending = chart(OXYCODONE_10, dose(1, times=4), written=days(-20), supply=30)
    later = chart(
        MORPHINE_15, dose(1, times=6), written=days(10), supply=30, ref="MedicationRequest/a2"
    )
    total = mme(ending, later)
    assert total.per_day == 90
    shown = {o.ref: o for o in total.orders}
    assert shown["MedicationRequest/a1"].per_day == 60
    assert "not at the same time" in shown["MedicationRequest/a1"].notes[0]
    overlapping = chart(
        MORPHINE_15, dose(1, times=6), written=days(9), supply=30, ref="MedicationRequest/a2"
    )
    assert mme(ending, overlapping).per_day == 150


def test_a_draft_starts_on_the_as_of_date_whatever_it_says() -> None:
    old = order(OXYCODONE_10, dose(1, times=4), supply=5, written=days(-400))
    ended = replace(old, span=Span(days(-400), days(-395)))
    assert mme(ended, chart(MORPHINE_15, dose(1, times=4))).per_day == 120


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
    assert shown(order(HYDROCODONE_5, capped)) == "2 x 5 mg x 6/day, at most 8/day x 1"
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
        (HYDROCODONE_5, 2, "tbl", {"value": 40, "unit": "mg"}, 60),
        (HYDROCODONE_5, 2, "tbl", {"value": 4, "unit": "g"}, 60),
    ],
)
def test_a_daily_maximum_in_another_unit(
    rxcui: str, value: float, unit: str, maximum: dict[str, object], total: int
) -> None:
    """In mg it binds a product of one ingredient only: 4 g a day means the acetaminophen."""
    cap = {"numerator": maximum, "denominator": {"value": 24, "unit": "h"}}
    assert mme(order(rxcui, dose(value, unit, times=6, maxDosePerPeriod=cap))).per_day == total


def test_orders_for_opioid_use_disorder_are_never_benchmarked() -> None:
    coded = order(METHADONE_10, dose(1, times=3), reasons=frozenset({Code("ICD10CM", "F1120")}))
    referred = order(METHADONE_10, dose(1, times=3), reason_refs=("Condition/1",))
    condition = Condition("Condition/1", frozenset({Code("ICD10CM", "F1120")}), status="active")
    for total in (mme(coded), mme(referred, conditions=(condition,))):
        assert (total.per_day, total.is_lower_bound) == (0, True)
        assert "opioid use disorder" in total.orders[0].why
    assert mme(referred).per_day == 141


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
    assert mme(order(named, dose(1, times=4), opioid_by_name=True)).per_day == 60


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


POOL = (
    OXYCODONE_10,
    MORPHINE_15,
    METHADONE_10,
    HYDROCODONE_5,
    FENTANYL_25,
    "2003714",
    "904876",
    "864718",
)


@st.composite
def prescriptions(draw: st.DrawFn) -> list[Order]:
    """A few drafts and chart orders, some of them unreadable or not convertible."""
    found = []
    for number in range(draw(st.integers(1, 6))):
        rxcui = draw(st.sampled_from(POOL))
        times = draw(st.one_of(st.none(), st.integers(1, 6)))
        made = order if draw(st.booleans()) else chart
        found.append(
            made(
                rxcui,
                dose(
                    draw(st.sampled_from((0.5, 1, 2))),
                    "patch" if "HR" in drug(rxcui).name else "tbl",
                    times=times,
                ),
                ref=f"MedicationRequest/{number}",
                written=days(draw(st.integers(-40, 20))),
                supply=draw(st.one_of(st.none(), st.integers(1, 60))),
            )
        )
    return found


@settings(max_examples=60, deadline=None)
@given(prescriptions(), st.integers(0, 1000), st.sampled_from(("cdc-2022", "cdc-2016")))
def test_the_order_of_orders_never_matters(orders: list[Order], seed: int, factors: str) -> None:
    mixed = list(orders)
    random.Random(seed).shuffle(mixed)
    one, other = mme(*orders, factors=factors), mme(*mixed, factors=factors)
    assert (one.per_day, one.is_lower_bound, one.without_drafts) == (
        other.per_day,
        other.is_lower_bound,
        other.without_drafts,
    )
    assert set(one.orders) == set(other.orders)


@settings(max_examples=60, deadline=None)
@given(prescriptions(), st.sampled_from(("cdc-2022", "cdc-2016")))
def test_the_peak_is_the_greatest_of_all_days(orders: list[Order], factors: str) -> None:
    table = knowledge(factors).factors
    running = [Running(o, o.span or Span(AS_OF), converted(o, table)) for o in orders]
    each = [(on_day(running, days(n)), -n) for n in range(400)]
    most, first = max(each)
    found = timeline(running, AS_OF)
    assert (found.greatest, found.day) == (most, days(-first))


@settings(max_examples=60, deadline=None)
@given(prescriptions(), st.sampled_from(("cdc-2022", "cdc-2016")))
def test_one_more_order_never_lowers_the_total(orders: list[Order], factors: str) -> None:
    totals = [mme(*orders[:n], factors=factors) for n in range(len(orders) + 1)]
    assert all(a.per_day <= b.per_day for a, b in pairwise(totals))
    assert totals[-1].without_drafts <= totals[-1].per_day
    assert all(
        counted.per_day is None or counted.per_day <= totals[-1].per_day
        for counted in totals[-1].orders
    )


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
