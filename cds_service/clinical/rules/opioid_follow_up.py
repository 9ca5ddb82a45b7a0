"""Benefit and risk of a continuing opioid have not been re-evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from cds_service.clinical.criteria import INFO, MET, UNKNOWN, Criterion
from cds_service.clinical.dates import months_before, within
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Facts, Need, Order
from cds_service.clinical.opioid_orders import opioid_drafted, opioid_orders, supply_reaches
from cds_service.clinical.rule import Known, declared, rule


@rule(
    hooks=("order-sign",),
    applies=opioid_drafted,
    needs=(Need.PATIENT,),
    wants=(Need.MEDICATIONS, Need.ENCOUNTERS, Need.PROCEDURES, Need.CONDITIONS),
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
    codes=("opioid-misuse-assessment-procedure", "opioid-treatment-assessment-procedure", "opioid-office-visit"),
    criteria=(declared("reevaluation-due", worst=INFO, words=("window", "covered", "months")),),
)
def opioid_follow_up(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Notes that a patient already taking opioids had no assessment in the last three months.

    Asked for orders of four weeks or more, when most of the last ten days were covered and there was an office
    visit in the last year, or when most of each of the last three months was covered. Days covered are those of one
    fill of the chart's orders, not of drafts. Orders or procedures that could not be read leave it unknown.

    Source: cdc-2022, recommendation 7; opioid-cds-r4 for the coverage conditions.
    """
    excluded, window = known.derived(exclusions), known.number("opioid.reevaluation_window")
    limit = known.number("opioid.chronic_supply")
    drafts = tuple(o for o in known.derived(opioid_orders).all if supply_reaches(o, limit))
    if excluded.guideline or not drafts or _assessed(facts, known):
        return
    orders = tuple(o for o in facts.orders if _counts(o))
    recent = _covered(orders, *_last_days(facts.as_of, known.number("opioid.covered_recent_span").days))
    months = known.number("opioid.covered_months").days
    full_months = sum(
        known.number("opioid.covered_month_days").met_by(
            _covered(orders, months_before(facts.as_of, n + 1), months_before(facts.as_of, n))
        )
        for n in range(months)
    )
    missing = tuple(n for n in (Need.MEDICATIONS, Need.PROCEDURES, Need.CONDITIONS) if facts.lacks(n))
    words = {"window": window, "covered": recent, "months": full_months}
    refs = (*(o.ref for o in drafts), *(o.ref for o in orders))
    steady = known.number("opioid.covered_recent_days").met_by(recent) and _visited(facts, known)
    if steady or full_months == months:
        yield Criterion("reevaluation-due", UNKNOWN if missing else MET, INFO, words, () if missing else refs, missing)
    elif missing:
        yield Criterion("reevaluation-due", UNKNOWN, INFO, words, (), missing)


def _assessed(facts: Facts, known: Known) -> bool:
    """An assessment of misuse or of treatment before today and inside the window."""
    misuse = known.codes("opioid-misuse-assessment-procedure")
    treatment = known.codes("opioid-treatment-assessment-procedure")
    window = known.number("opioid.reevaluation_window").days
    return any(
        (misuse.any_of(p.codes) or treatment.any_of(p.codes)) and p.done and within(p.when, facts.as_of, window)
        for p in facts.procedures
    )


def _visited(facts: Facts, known: Known) -> bool:
    start = months_before(facts.as_of, known.number("opioid.office_visit_window").days) - timedelta(days=1)
    office = known.codes("opioid-office-visit")
    return any(
        office.any_of(e.codes)
        and e.status not in ("planned", "cancelled", "entered-in-error")
        and e.when is not None
        and start <= e.when.last <= facts.as_of
        for e in facts.encounters
    )


def _counts(order: Order) -> bool:
    return (
        order.opioid
        and not order.draft
        and not order.inpatient
        and not order.do_not_perform
        and order.status in ("active", "completed", "stopped", "on-hold")
        and order.intent not in ("proposal", "plan")
        and order.when is not None
        and order.supply_days is not None
    )


def _last_days(as_of: date, days: int) -> tuple[date, date]:
    return as_of - timedelta(days=days), as_of


def _covered(orders: tuple[Order, ...], start: date, end: date) -> int:
    """Days in [start, end) on which one fill of some order lasts, overlaps counted once."""
    days: set[date] = set()
    for order in orders:
        if order.when is None or order.supply_days is None:
            continue
        first = max(order.when.first, start)
        last = min(order.when.first + timedelta(days=min(order.supply_days, 3660)), end)
        days.update(first + timedelta(days=n) for n in range((last - first).days))
    return len(days)
