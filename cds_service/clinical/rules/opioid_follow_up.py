"""Benefit and risk of a continuing opioid have not been re-evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise

from cds_service.clinical.criteria import INFO, MET, UNKNOWN, Criterion
from cds_service.clinical.dates import months_before, within
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Facts, Need, Order
from cds_service.clinical.opioid_orders import (
    EXPOSING,
    for_pain,
    opioid_drafted,
    opioid_orders,
    outpatient_opioid,
    requested,
    supply_reaches,
)
from cds_service.clinical.rule import Known, declared, rule

Fills = list[tuple[int, int]]  # ordinals of the first day and of the day after the last, in order


@rule(
    hooks=("order-sign",),
    applies=opioid_drafted,
    needs=(Need.PATIENT,),
    wants=(
        Need.MEDICATIONS,
        Need.ENCOUNTERS,
        Need.PROCEDURES,
        Need.CONDITIONS,
        Need.SERVICE_REQUESTS,
    ),
    uses=(opioid_orders, exclusions),
    numbers=(
        "opioid.chronic_supply",
        "opioid.reevaluation_window",
        "opioid.covered_recent_span",
        "opioid.covered_recent_days",
        "opioid.covered_month_days",
        "opioid.covered_months",
        "opioid.office_visit_window",
    ),
    codes=(
        "opioid-misuse-assessment-procedure",
        "opioid-treatment-assessment-procedure",
        "opioid-office-visit",
    ),
    criteria=(
        declared("reevaluation-due", worst=INFO, words=("window", "covered", "span", "months")),
    ),
)
def opioid_follow_up(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Notes that a patient already taking opioids had no assessment in the last three months.

    Asked for orders of four weeks or more, when most of the last ten days were covered and there
    was an office visit in the last year, or when most of each of the last three months was covered.
    Days covered are those of one fill of the chart's orders, not of drafts, injections or cough
    medicines. Orders or procedures that could not be read leave it unknown.

    Source: cdc-2022, recommendation 7; opioid-cds-r4 for the coverage conditions.
    """
    excluded, window = known.derived(exclusions), known.number("opioid.reevaluation_window")
    limit = known.number("opioid.chronic_supply")
    drafts = tuple(o for o in known.derived(opioid_orders).all if supply_reaches(o, limit))
    if excluded.guideline or not drafts or _assessed(facts, known):
        return
    if requested(facts, (known.codes("opioid-misuse-assessment-procedure"),), window):
        return
    span = known.number("opioid.covered_recent_span")
    months = known.number("opioid.covered_months").days
    since = min(months_before(facts.as_of, months), facts.as_of - timedelta(days=span.days))
    orders = [o for o in facts.opioids if _reaches(o, since, facts.as_of) and _counts(o)]
    fills = _fills(orders)
    recent = _covered(fills, facts.as_of - timedelta(days=span.days), facts.as_of)
    full_months = _full_months(fills, months, facts.as_of, known)
    missing = tuple(
        n for n in (Need.MEDICATIONS, Need.PROCEDURES, Need.CONDITIONS) if facts.lacks(n)
    )
    words = {"window": window, "covered": recent, "span": span, "months": full_months}
    refs = (*(o.ref for o in drafts), *(o.ref for o in orders))
    steady = known.number("opioid.covered_recent_days").met_by(recent) and _visited(facts, known)
    if missing:
        yield Criterion("reevaluation-due", UNKNOWN, INFO, words, (), missing)
    elif steady or full_months == months:
        yield Criterion("reevaluation-due", MET, INFO, words, refs)


def _full_months(fills: Fills, months: int, as_of: date, known: Known) -> int:
    """How many of the last months were covered for most of their days."""
    enough = known.number("opioid.covered_month_days")
    ends = [months_before(as_of, n) for n in range(months + 1)]
    return sum(enough.met_by(_covered(fills, start, end)) for end, start in pairwise(ends))


def _assessed(facts: Facts, known: Known) -> bool:
    """An assessment of misuse or of treatment before today and inside the window."""
    misuse = known.codes("opioid-misuse-assessment-procedure")
    treatment = known.codes("opioid-treatment-assessment-procedure")
    window = known.number("opioid.reevaluation_window").days
    return any(
        p.done and within(p.when, facts.as_of, window)
        for p in facts.procedures_in(misuse, treatment)
    )


def _visited(facts: Facts, known: Known) -> bool:
    start = months_before(facts.as_of, known.number("opioid.office_visit_window").days) - timedelta(
        days=1
    )
    office = known.codes("opioid-office-visit")
    return any(
        office.any_of(e.codes)
        and e.held
        and e.when is not None
        and start <= e.when.last <= facts.as_of
        for e in facts.encounters
    )


def _counts(order: Order) -> bool:
    return (
        not order.draft
        and outpatient_opioid(order)
        and for_pain(order)
        and order.meant
        and order.status in EXPOSING
    )


def _reaches(order: Order, start: date, end: date) -> bool:
    """Whether one fill of the order covers a day of [start, end)."""
    if order.when is None or order.supply_days is None or order.when.first >= end:
        return False
    return (start - order.when.first).days < order.supply_days


def _covered(fills: Fills, start: date, end: date) -> int:
    """Days in [start, end) on which some fill lasts, overlaps counted once."""
    covered, reached, limit = 0, start.toordinal(), end.toordinal()
    for first, last in fills:
        if last > limit:
            last = limit
        if last > reached:
            covered += last - (first if first > reached else reached)
            reached = last
    return covered


def _fills(orders: Iterable[Order]) -> Fills:
    """One fill of each order."""
    fills = [(o.when.first.toordinal(), o.supply_days) for o in orders if o.when and o.supply_days]
    return sorted((first, first + days) for first, days in fills)
