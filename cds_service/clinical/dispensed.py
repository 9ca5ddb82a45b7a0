"""Medicines handed out that no order or statement stands for: another prescriber's, as a rule. Pure."""

from __future__ import annotations

from datetime import date

from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.facts import Dispense, Facts, Need, Order
from cds_service.clinical.medications import (
    Exposure,
    Medications,
    label_of,
    medications,
    named_by,
    stands_for,
)
from cds_service.clinical.rule import Known, reasoning

HANDED_OUT = ("completed", "in-progress", "")
# Orders of these statuses ran out by themselves, so that what was handed out late outlasts them; any
# other one was ended.
_RUN_OUT = ("active", "completed")


@reasoning(
    wants=(Need.DISPENSES, Need.MEDICATIONS, Need.STATEMENTS),
    uses=(medications,),
)
def dispensed(facts: Facts, known: Known) -> tuple[Dispense, ...]:
    """Dispenses whose supply lasts on the as-of date and that carry out nothing else in the chart.

    A dispense carries out an order that it names or that is of its product: a draft or current one,
    or one that ran when it was handed out and has not run out since; or it is what a statement says.
    """
    if not facts.dispenses:
        return ()
    lasting = [d for d in facts.dispenses if _lasts(d, facts.as_of)]
    if not lasting:
        return ()
    taken = known.derived(medications)
    return tuple(d for d in lasting if not _carries_out(d, taken, facts.as_of))


def handed_out(dispense: Dispense) -> Exposure:
    """A dispense as a drug the patient takes."""
    return Exposure(dispense.ref, label_of(dispense), dispense.drug, False, "dispense")


def _lasts(dispense: Dispense, as_of: date) -> bool:
    if dispense.status not in HANDED_OUT or dispense.when is None or dispense.supply_days is None:
        return False
    return 0 <= (as_of - dispense.when.last).days < dispense.supply_days


def _carries_out(dispense: Dispense, taken: Medications, as_of: date) -> bool:
    running = (*taken.drafts, *taken.active, *taken.coming, *taken.uncertain, *taken.replaced)
    if any(named_by(order, dispense) or stands_for(order, dispense) for order in running):
        return True
    if any(stands_for(stated, dispense) for stated in taken.statements):
        return True
    return any(
        _ran(order, dispense.when, as_of)
        and (named_by(order, dispense) or stands_for(order, dispense))
        for order in taken.past
    )


def _ran(order: Order, when: FuzzyDate | None, as_of: date) -> bool:
    if order.span is None or when is None:
        return True
    if order.status in _RUN_OUT and not order.span.covers(as_of):
        return False
    return order.span.covers(when.first) or order.span.covers(when.last)
