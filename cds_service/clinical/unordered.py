"""Opioids that no order of the chart gives: what the patient is said to take, and what was handed
out for another prescriber. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from cds_service.clinical.dates import span_of
from cds_service.clinical.facts import Dispense, Facts, Order, Statement
from cds_service.clinical.medications import (
    UNCERTAIN,
    Medications,
    named_by,
    one_of_each,
    same_drug,
    stands_for,
)
from cds_service.clinical.mme_running import Running, converted
from cds_service.clinical.opioid_amount import FOR_OUD, Amount
from cds_service.clinical.oud_treatment import OudTreatment
from cds_service.frozen import replace
from cds_service.knowledge.model import FactorTable


def reported(taken: Medications) -> tuple[Statement, ...]:
    """Opioids the patient is said to take that no order of the chart stands for."""
    return _unordered(taken.statements, taken)


def perhaps_taken(facts: Facts, taken: Medications) -> tuple[Statement, ...]:
    """The same of statements that do not say whether they still hold."""
    unsure = [
        stated
        for stated in facts.statements
        if stated.status in UNCERTAIN and (stated.span is None or stated.span.covers(facts.as_of))
    ]
    return _unordered(unsure, taken)


def _unordered(stated: Iterable[Statement], taken: Medications) -> tuple[Statement, ...]:
    opioids = [each for each in stated if each.opioid]
    if not opioids:
        return ()
    orders = [
        o for o in (*taken.active, *taken.coming, *taken.uncertain, *taken.replaced) if o.opioid
    ]
    kinds = one_of_each(orders)
    return tuple(
        each
        for each in opioids
        if not any(named_by(order, each) for order in orders)
        and not any(stands_for(order, each) for order in kinds)
    )


def fills(
    handed: Iterable[Dispense], orders: Iterable[Order], table: FactorTable, oud: OudTreatment
) -> Iterator[Running]:
    """Opioids handed out, each for the days it lasts; what was handed out again of one product for one
    order is taken when the earlier supply is used up.
    """
    opioids = sorted((d for d in handed if d.opioid), key=_day)
    if not opioids:
        return
    treating = {order.ref for order in orders if oud.treats(order)}
    earlier: list[tuple[Dispense, date]] = []
    for dispense in opioids:
        used_up = [end for other, end in earlier if _again(other, dispense)]
        span = span_of(max([_day(dispense), *used_up]), dispense.supply_days or 0)
        earlier.append((dispense, span.end or span.start))
        amount = converted(dispense, table)
        if not treating.isdisjoint(dispense.orders):
            amount = Amount(why=FOR_OUD)
        yield Running(dispense, span, _told(amount, f"handed out on {_day(dispense).isoformat()}"))


def _day(dispense: Dispense) -> date:
    return date.min if dispense.when is None else dispense.when.last


def _again(earlier: Dispense, later: Dispense) -> bool:
    return earlier.orders == later.orders and same_drug(earlier, later)


def _told(amount: Amount, note: str) -> Amount:
    """The amount with a note, which stands before the reason of one that is not counted."""
    if amount.why:
        return replace(amount, why=f"{note}; {amount.why}")
    return replace(amount, notes=(note, *amount.notes))
