"""Whether a non-opioid analgesic was tried in this episode of pain. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from cds_service.clinical.back_pain import back_pain
from cds_service.clinical.dates import FuzzyDate, within
from cds_service.clinical.dispensed import HANDED_OUT
from cds_service.clinical.facts import Dispense, Facts, Need, Order, Statement
from cds_service.clinical.opioid_orders import EXPOSING, still_running
from cds_service.clinical.rule import Known, reasoning
from cds_service.knowledge.drugs.model import DrugClass

TRIED = (DrugClass.NSAID, DrugClass.MUSCLE_RELAXANT, DrugClass.OTHER_NONOPIOID)


@reasoning(
    wants=(Need.MEDICATIONS, Need.DISPENSES, Need.STATEMENTS),
    uses=(back_pain,),
    numbers=("episode.lead_days", "opioid.episode_without_onset"),
)
def nonopioid_tried(facts: Facts, known: Known) -> bool:
    """A non-opioid analgesic among the drafts, or ordered, dispensed or reported in this episode or
    with a supply that reaches into it; without an onset, into today.
    """
    onset = known.derived(back_pain).onset
    first = facts.as_of if onset is None else onset.first
    return (
        any(_ordered(o, first, facts, known) for o in facts.orders_of(*TRIED) if not o.opioid)
        or any(_reported(s, first, facts, known) for s in facts.statements)
        or any(_handed_out(d, first, facts, known) for d in facts.dispenses)
    )


def _ordered(order: Order, first: date, facts: Facts, known: Known) -> bool:
    if order.draft or not order.meant:
        return order.meant
    return order.status in EXPOSING and (
        _of_the_episode(order.when, facts, known) or still_running(order, first, facts.as_of)
    )


def _reported(stated: Statement, first: date, facts: Facts, known: Known) -> bool:
    """A non-opioid analgesic the patient takes, or took in this episode."""
    if stated.drug is None or not stated.drug.is_a(*TRIED) or stated.opioid:
        return False
    if stated.status == "active":
        return True
    span = stated.span
    lasted = (
        span is not None and span.end is not None and span.start <= facts.as_of and span.end > first
    )
    return stated.status in EXPOSING and (lasted or _of_the_episode(stated.when, facts, known))


def _handed_out(dispense: Dispense, first: date, facts: Facts, known: Known) -> bool:
    if dispense.drug is None or not dispense.drug.is_a(*TRIED) or dispense.opioid:
        return False
    if dispense.status not in HANDED_OUT or dispense.when is None:
        return False
    last = dispense.when.last + timedelta(days=dispense.supply_days or 0)
    begun = dispense.when.first <= facts.as_of
    return _of_the_episode(dispense.when, facts, known) or (begun and last > first)


def _of_the_episode(when: FuzzyDate | None, facts: Facts, known: Known) -> bool:
    onset = known.derived(back_pain).onset
    if onset is not None:
        start = onset.first - timedelta(days=known.number("episode.lead_days").days)
        return when is not None and start <= when.last and when.first <= facts.as_of
    window = known.number("opioid.episode_without_onset").days
    return within(when, facts.as_of, window) is not False
