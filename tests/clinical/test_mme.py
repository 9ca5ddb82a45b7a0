"""The daily total: what replaces, repeats, overlaps and bounds it."""

from __future__ import annotations

import random
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from time import perf_counter

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.clinical.dates import Span
from cds_service.clinical.facts import Condition, Order
from cds_service.clinical.mme_running import Running, converted, on_day, timeline
from cds_service.knowledge.codes import Code
from tests.changes import replace
from tests.clinical.prescriptions import AS_OF, chart, dose, drug, knowledge, mme, order
from tests.pace import allowed

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
    assert perf_counter() - start < allowed(4)  # 15 when each order adds up all others


def test_orders_that_begin_on_many_days_take_no_longer() -> None:
    one = chart(OXYCODONE_10, dose(1, times=1))
    many = [
        replace(one, ref=f"MedicationRequest/a{n}", span=Span(days(n), days(n + 400)))
        for n in range(3000)
    ]
    start = perf_counter()
    assert mme(*many).per_day == 400 * 15
    assert perf_counter() - start < allowed(4)


def test_an_order_of_no_days_is_listed_with_what_it_would_add() -> None:
    never = replace(chart(OXYCODONE_10, dose(1, times=1)), span=Span(AS_OF, AS_OF), draft=True)
    total = mme(never, order(METHADONE_10, dose(1, times=1), ref="MedicationRequest/rx2"))
    assert [found.ref for found in total.orders if found.counted] == [
        never.ref,
        "MedicationRequest/rx2",
    ]


def test_current_orders_that_repeat_each_other_are_named() -> None:
    twice = dose(1, times=2)
    one, same = chart(OXYCODONE_10, twice, ref="a"), chart(OXYCODONE_10, twice, ref="b")
    draft = order(MORPHINE_15, twice)
    named = ("oxycodone hydrochloride 10 MG Oral Tablet",)
    assert mme(draft, one, same).duplicates == named
    coming = replace(same, span=Span(AS_OF + timedelta(days=9)))
    assert mme(draft, one, coming).duplicates == ()  # one follows the other
    assert mme(order(OXYCODONE_10, twice), coming).duplicates == named


def test_drugs_that_are_not_known_repeat_each_other_by_text() -> None:
    nameless = chart(None, opioid=True, ref="a")
    other = replace(nameless, ref="b", text="other tablets")
    assert mme(nameless, replace(nameless, ref="b", text="SOME tablets")).duplicates == (
        "SOME tablets",
    )
    assert mme(nameless, other).duplicates == ()
    assert mme(replace(nameless, text=""), replace(other, text="")).duplicates == ()


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
    assert mme(old, chart(MORPHINE_15, dose(1, times=4))).per_day == 120


def test_orders_for_opioid_use_disorder_are_never_benchmarked() -> None:
    coded = order(METHADONE_10, dose(1, times=3), reasons=frozenset({Code("ICD10CM", "F1120")}))
    referred = order(METHADONE_10, dose(1, times=3), reason_refs=("Condition/1",))
    condition = Condition("Condition/1", frozenset({Code("ICD10CM", "F1120")}), status="active")
    for total in (mme(coded), mme(referred, conditions=(condition,))):
        assert (total.per_day, total.is_lower_bound) == (0, True)
        assert "opioid use disorder" in total.orders[0].why
    assert mme(referred).per_day == 141


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
