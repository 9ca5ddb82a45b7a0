"""Opioid prescriptions as they run beside each other, in morphine milligram equivalents. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from cds_service.clinical.dates import Span
from cds_service.clinical.facts import Dispense, Order, Statement
from cds_service.clinical.opioid_amount import Amount, Portion, added, factor_for, opioid_amount
from cds_service.knowledge.model import FactorTable


@dataclass(frozen=True, slots=True)
class Running:
    """A prescription as it runs: when, and how much a day."""

    order: Order | Statement | Dispense
    span: Span
    amount: Amount

    @property
    def draft(self) -> bool:
        """Whether it is being signed."""
        return isinstance(self.order, Order) and self.order.draft


def converted(order: Order | Statement, table: FactorTable) -> Amount:
    """The opioids a day of one prescription, or why they cannot be counted.

    Codes that disagree on the strength leave a dose in mg as it is.
    """
    amount = opioid_amount(order.drug, order.sig, table)
    if order.drug_conflict and (amount.why or not order.strengths_differ):
        return Amount(why=f"its codes disagree: {order.drug_conflict}")
    return amount


def peak(courses: list[Running], as_of: date) -> tuple[Fraction, date]:
    """The greatest total of any day from `as_of` on, and its first day, on which some order
    begins.
    """
    days = sorted({as_of} | {c.span.start for c in courses if c.span.start > as_of})
    totals = [(on_day(courses, day), day) for day in days]
    return max(totals, key=lambda pair: (pair[0], -pair[1].toordinal()))


def on_day(courses: Iterable[Running], day: date) -> Fraction:
    """MME of all that run on a day."""
    current = [c for c in courses if c.span.covers(day)]
    totals = totals_of(current)
    return added(mme_of(p, totals) for c in current for p in c.amount.portions)


def totals_of(courses: Iterable[Running]) -> dict[str, Fraction]:
    """The patient's daily total of each ingredient, which decides its tier."""
    totals: dict[str, Fraction] = {}
    for portion in (p for c in courses for p in c.amount.portions):
        before = totals.get(portion.ingredient)
        totals[portion.ingredient] = portion.amount if before is None else before + portion.amount
    return totals


def mme_of(portion: Portion, totals: dict[str, Fraction]) -> Fraction:
    """MME a day of one opioid of a prescription, at the tier of the patient's total."""
    return portion.amount * factor_for(portion.rows, totals[portion.ingredient]).exact
