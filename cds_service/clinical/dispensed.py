"""Medicines handed out that no order or statement stands for: another prescriber's, as a rule. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.facts import Dispense, Facts, Need, Order, Statement
from cds_service.clinical.medications import Exposure, Medications, label_of, medications
from cds_service.clinical.rule import Known, reasoning

HANDED_OUT = ("completed", "in-progress", "")


@reasoning(
    wants=(Need.DISPENSES, Need.MEDICATIONS, Need.STATEMENTS),
    uses=(medications,),
)
def dispensed(facts: Facts, known: Known) -> tuple[Dispense, ...]:
    """Dispenses whose supply lasts on the as-of date and that carry out nothing else in the chart.

    A dispense carries out the order it names, a draft, current order or statement of its
    ingredient, or an order of its ingredient that ran when it was handed out.
    """
    if not facts.dispenses:
        return ()
    taken = known.derived(medications)
    refs = {o.ref for o in facts.orders if not o.draft}
    current = _ingredients(
        (*taken.drafts, *taken.active, *taken.coming, *taken.uncertain, *taken.replaced)
    )
    current |= _ingredients(taken.statements)
    return tuple(
        d
        for d in facts.dispenses
        if _lasts(d, facts.as_of)
        and refs.isdisjoint(d.orders)
        and current.isdisjoint(_ingredients((d,)))
        and not _ordered_before(d, taken)
    )


def handed_out(dispense: Dispense) -> Exposure:
    """A dispense as a drug the patient takes."""
    return Exposure(dispense.ref, label_of(dispense), dispense.drug, False, "dispense")


def _lasts(dispense: Dispense, as_of: date) -> bool:
    if dispense.status not in HANDED_OUT or dispense.when is None or dispense.supply_days is None:
        return False
    return 0 <= (as_of - dispense.when.last).days < dispense.supply_days


def _ordered_before(dispense: Dispense, taken: Medications) -> bool:
    ingredients = _ingredients((dispense,))
    return any(
        not ingredients.isdisjoint(_ingredients((order,))) and _ran(order, dispense.when)
        for order in taken.past
    )


def _ran(order: Order, when: FuzzyDate | None) -> bool:
    if order.span is None or when is None:
        return True
    return order.span.covers(when.first) or order.span.covers(when.last)


def _ingredients(items: Iterable[Order | Statement | Dispense]) -> set[str]:
    """The opioids of each, else all it contains."""
    drugs = (item.drug for item in items if item.drug)
    return {c.ingredient for drug in drugs for c in drug.opioids or drug.components}
