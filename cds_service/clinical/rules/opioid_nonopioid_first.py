"""Non-opioid and non-drug options before a first opioid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cds_service.clinical.criteria import INFO, MET, UNKNOWN, WARNING, Criterion
from cds_service.clinical.dates import within
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Facts, Need, Order
from cds_service.clinical.medications import medications
from cds_service.clinical.nonopioids import nonopioid_tried
from cds_service.clinical.nsaid_safety import nsaid_safety
from cds_service.clinical.opioid_orders import (
    EXPOSING,
    OpioidOrders,
    opioid_drafted,
    opioid_orders,
    recent_exposure,
    supply_reaches,
)
from cds_service.clinical.red_flags import red_flags
from cds_service.clinical.referrals import referrals
from cds_service.clinical.rule import Known, declared, rule
from cds_service.clinical.visits import visits

# What may still be offered: words without which there is no button, and why there is none.
_OPEN = ("nsaid_missing", "nsaid_against", "therapy_missing")
_READ = (Need.MEDICATIONS, Need.ENCOUNTERS, Need.CONDITIONS, Need.SERVICE_REQUESTS)


@rule(
    hooks=("order-select", "order-sign"),
    applies=opioid_drafted,
    needs=(Need.PATIENT,),
    wants=(
        Need.MEDICATIONS,
        Need.DISPENSES,
        Need.STATEMENTS,
        Need.CONDITIONS,
        Need.ENCOUNTERS,
        Need.PROCEDURES,
        Need.SERVICE_REQUESTS,
        Need.CARE_PLANS,
    ),
    uses=(
        opioid_orders,
        medications,
        exclusions,
        recent_exposure,
        nonopioid_tried,
        nsaid_safety,
        visits,
        referrals,
        red_flags,
    ),
    numbers=(
        "opioid.chronic_supply",
        "opioid.plan_window",
        "opioid.first_line_window",
        "opioid.naive_window",
    ),
    codes=("pain-treatment-plan", "pain-management-procedure"),
    criteria=(
        declared("nonopioid-first", worst=WARNING, words=("days", *_OPEN)),
        declared("nonopioid-first-acute", worst=INFO, words=("supply", "limit", *_OPEN)),
        declared(
            "nonopioid-first-chronic",
            worst=INFO,
            words=("supply", "limit", "plan_days", *_OPEN),
        ),
    ),
)
def opioid_nonopioid_first(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Brings up non-opioid treatment when a patient who takes no opioid is about to get one.

    The warning asks whether anything else was tried: no opioid in the window, no non-opioid
    analgesic in this episode, no therapy visit or request. The two notes follow the guideline for
    acute and for longer supply; the longer one is silent where the same prescriber holds a
    treatment plan. A medication list that could not be read leaves all three unknown; an empty one
    counts as nothing tried. A non-opioid that the patient reports, was handed out or still takes was
    tried. No NSAID is offered beside one that is taken, nor where the chart speaks against it.

    Source: cdc-2022, recommendations 1 and 2; healthpartners-msc, early access to alternatives.
    """
    excluded = known.derived(exclusions)
    orders = known.derived(opioid_orders)
    if not orders.pain or known.derived(recent_exposure).exposed:
        return
    first = () if excluded.care else tuple(_first_line(facts, known, orders))
    yield from first
    # The guideline's notes are about the order that is signed.
    if facts.hook == "order-sign" and not excluded.guideline:
        told = any(criterion.status is MET for criterion in first)
        yield from _guideline(facts, known, orders, told=told)


def _first_line(facts: Facts, known: Known, orders: OpioidOrders) -> Iterator[Criterion]:
    """R-OPI-01: nothing else was tried."""
    flags = known.derived(red_flags)
    if any(
        f.met
        for f in (
            flags.fracture,
            flags.possible_fracture,
            flags.postoperative_pain,
            flags.complication,
        )
    ):
        return
    window = known.number("opioid.first_line_window")
    if _prescribed_today(facts, known):
        return
    seen = known.derived(visits)
    asked = known.derived(referrals)
    if seen.therapy(window.days) or asked.therapy(window.days):
        return
    if known.derived(nonopioid_tried):
        return
    missing = tuple(n for n in _READ if facts.lacks(n))
    words = {"days": window, **_offers(facts, known)}
    status = MET if not missing and known.derived(recent_exposure).naive else UNKNOWN
    yield Criterion(
        "nonopioid-first", status, WARNING, words, () if missing else orders.references, missing
    )


def _prescribed_today(facts: Facts, known: Known) -> bool:
    """An opioid the chart already holds from today, other than the one that is signed again.

    The guideline's notes look at the days before; trying something else first is over with the first
    opioid order.
    """
    taken = known.derived(medications)
    return any(
        o.status in EXPOSING and not o.inpatient and within(o.when, facts.as_of, 0)
        for o in (*taken.active_opioids, *taken.past_opioids)
    )


def _guideline(
    facts: Facts, known: Known, orders: OpioidOrders, *, told: bool
) -> Iterator[Criterion]:
    """CDC recommendations 1 (acute supply) and 2 (longer supply); `told`: what speaks against an
    NSAID was said.
    """
    limit = known.number("opioid.chronic_supply")
    plan_days = known.number("opioid.plan_window")
    exposure = known.derived(recent_exposure)
    missing = (*exposure.missing, *known.derived(exclusions).unknown)
    certain = exposure.naive and not missing
    offers = _offers(facts, known)
    if told:
        offers["nsaid_against"] = ()
    for order in orders.pain:
        longer = supply_reaches(order, limit)
        if longer is None:
            words: dict[str, Any] = {"supply": None, "limit": limit, **offers}
            yield Criterion("nonopioid-first-acute", UNKNOWN, INFO, words, (order.ref,), missing)
            yield Criterion(
                "nonopioid-first-chronic",
                UNKNOWN,
                INFO,
                {**words, "plan_days": plan_days},
                (order.ref,),
                missing,
            )
        elif longer and not _planned(order, facts, known):
            words = {
                "supply": order.supply,
                "limit": limit,
                "plan_days": plan_days,
                **offers,
            }
            status = MET if certain else UNKNOWN
            yield Criterion("nonopioid-first-chronic", status, INFO, words, (order.ref,), missing)
        elif not longer:
            words = {"supply": order.supply, "limit": limit, **offers}
            status = MET if certain else UNKNOWN
            yield Criterion("nonopioid-first-acute", status, INFO, words, (order.ref,), missing)


def _offers(facts: Facts, known: Known) -> dict[str, Any]:
    """Not a second NSAID beside one that is taken or ordered, none that the chart speaks against,
    nor a second referral for therapy.
    """
    asked = known.derived(referrals).therapy(known.number("opioid.first_line_window").days)
    nsaid = known.derived(nsaid_safety)
    return {
        "nsaid_missing": not nsaid.taken and not nsaid.against,
        "nsaid_against": nsaid.against,
        "therapy_missing": not asked,
    }


def _planned(order: Order, facts: Facts, known: Known) -> bool:
    """A treatment plan or pain management procedure by the same prescriber inside the window."""
    window = known.number("opioid.plan_window").days
    plan, procedure = known.codes("pain-treatment-plan"), known.codes("pain-management-procedure")

    def same(people: frozenset[str]) -> bool:
        return not order.prescribers or not order.prescribers.isdisjoint(people)

    return any(
        plan.any_of(p.codes)
        and p.status in ("active", "completed")
        and same(p.authors)
        and (within(p.when, facts.as_of, window) or within(p.updated, facts.as_of, window))
        for p in facts.care_plans
    ) or any(
        p.done and same(p.performers) and within(p.when, facts.as_of, window)
        for p in facts.procedures_in(procedure)
    )
