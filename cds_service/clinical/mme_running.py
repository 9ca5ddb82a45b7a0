"""Opioid prescriptions as they run beside each other, in morphine milligram equivalents. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction

from cds_service.clinical.daily_dose import added
from cds_service.clinical.dates import Span
from cds_service.clinical.facts import Dispense, Order, Statement
from cds_service.clinical.opioid_amount import Amount, Portion, factor_for, opioid_amount
from cds_service.frozen import Frozen
from cds_service.knowledge.model import FactorRow, FactorTable


class Running(Frozen):
    """A prescription as it runs: when, and how much a day."""

    order: Order | Statement | Dispense
    span: Span
    amount: Amount

    @property
    def draft(self) -> bool:
        """Whether it is being signed."""
        return isinstance(self.order, Order) and self.order.draft


def converted(order: Order | Statement | Dispense, table: FactorTable) -> Amount:
    """The opioids a day of one prescription, or why they cannot be counted.

    Codes that disagree on the strength leave a dose in mg as it is.
    """
    amount = opioid_amount(order.drug, order.sig, table)
    if order.drug_conflict and (amount.why or not order.strengths_differ):
        return Amount(why=f"its codes disagree: {order.drug_conflict}")
    return amount


class Timeline(Frozen):
    """What runs beside each other: `greatest` is the greatest total of any day from the as-of date
    on, `day` its first day, on which some order begins; `totals` the amounts a day of each
    ingredient with tiers on every day on which one begins.
    """

    greatest: Fraction
    day: date
    totals: Mapping[date, Mapping[str, Fraction]]


def timeline(courses: Iterable[Running], as_of: date) -> Timeline:
    """Go through the days once; each costs what changes on it, however long the chart."""
    begun: dict[date, list[Portion]] = {as_of: []}
    ended: dict[date, list[Portion]] = {}
    for course in courses:
        first, end = course.span.start, course.span.end
        runs = end is None or end > first
        begun.setdefault(first, []).extend(course.amount.portions if runs else ())
        if end is not None and runs:
            ended.setdefault(end, []).extend(course.amount.portions)
    running, totals = _Sums(), dict[date, Mapping[str, Fraction]]()
    greatest, on = Fraction(-1), as_of
    for day in sorted({*begun, *ended}):
        running.take(ended.get(day, ()), -1)
        if day in begun:
            running.take(begun[day], 1)
            totals[day] = running.totals()
            if day >= as_of and (total := running.mme(totals[day])) > greatest:
                greatest, on = total, day
    return Timeline(greatest, on, totals)


class _Sums:
    """What runs at a time: MME a day, and the amounts of what is converted by the patient's total,
    by ingredient and factor rows.
    """

    def __init__(self) -> None:
        self._mme = Fraction(0)
        self._amounts: dict[tuple[str, tuple[int, ...]], tuple[Portion, Fraction]] = {}

    def take(self, portions: Iterable[Portion], sign: int) -> None:
        """Add portions, or take them away."""
        for portion in portions:
            if portion.mme is not None:
                self._mme += portion.mme if sign > 0 else -portion.mme
                continue
            key = portion.ingredient, tuple(map(id, portion.rows))  # the rows are the table's own
            before = self._amounts.get(key)
            amount = portion.amount if sign > 0 else -portion.amount
            self._amounts[key] = portion, amount if before is None else before[1] + amount

    def totals(self) -> dict[str, Fraction]:
        """Of the ingredients that have tiers."""
        return _totals((portion.ingredient, amount) for portion, amount in self._amounts.values())

    def mme(self, totals: Mapping[str, Fraction]) -> Fraction:
        """MME a day, each ingredient at the tier of its total."""
        if not self._amounts:
            return self._mme
        return self._mme + added(
            amount * factor_for(portion.rows, totals[portion.ingredient]).exact
            for portion, amount in self._amounts.values()
        )


def on_day(courses: Iterable[Running], day: date) -> Fraction:
    """MME of all that run on a day."""
    current = [c for c in courses if c.span.covers(day)]
    totals = totals_of(current)
    return added(mme_of(p, totals) for c in current for p in c.amount.portions)


def totals_of(courses: Iterable[Running]) -> dict[str, Fraction]:
    """The patient's daily total of each ingredient that has tiers, which decides its tier."""
    portions = (p for c in courses for p in c.amount.portions)
    return _totals((p.ingredient, p.amount) for p in portions if p.mme is None)


def _totals(amounts: Iterable[tuple[str, Fraction]]) -> dict[str, Fraction]:
    totals: dict[str, Fraction] = {}
    for ingredient, amount in amounts:
        before = totals.get(ingredient)
        totals[ingredient] = amount if before is None else before + amount
    return totals


def mme_of(portion: Portion, totals: Mapping[str, Fraction]) -> Fraction:
    """MME a day of one opioid of a prescription, at the tier of the patient's total."""
    if portion.mme is not None:
        return portion.mme
    return portion.amount * factor_of(portion, totals).exact


def factor_of(portion: Portion, totals: Mapping[str, Fraction]) -> FactorRow:
    """The factor in force for one opioid of a prescription."""
    if portion.mme is not None:
        return portion.rows[0]
    return factor_for(portion.rows, totals[portion.ingredient])
