"""The patient's opioids in morphine milligram equivalents a day, over all orders at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

from cds_service.clinical.daily_dose import added, show
from cds_service.clinical.dates import Span
from cds_service.clinical.dispensed import dispensed
from cds_service.clinical.facts import Dispense, Facts, Need, Order, Statement
from cds_service.clinical.medications import (
    Medications,
    label_of,
    medications,
    product_marks,
)
from cds_service.clinical.mme_running import (
    Running,
    Timeline,
    converted,
    factor_of,
    mme_of,
    timeline,
    totals_of,
)
from cds_service.clinical.opioid_amount import FOR_OUD, Amount, Portion
from cds_service.clinical.oud_treatment import OudTreatment, oud_treatment
from cds_service.clinical.rule import Known, reasoning
from cds_service.clinical.unordered import fills, perhaps_taken, reported
from cds_service.frozen import Frozen
from cds_service.knowledge.model import FactorTable


class OrderMme(Frozen):
    """What one prescription adds: MME a day with its arithmetic, or `why` it is not counted."""

    ref: str
    label: str
    draft: bool
    counted: bool
    per_day: Fraction | None = None
    arithmetic: str = ""
    why: str = ""
    notes: tuple[str, ...] = ()
    partial: bool = False  # the least it can be

    @property
    def mme(self) -> Decimal | None:
        """The MME a day for display, two decimals at most."""
        return None if self.per_day is None else _display(self.per_day)


class DailyMme(Frozen):
    """The total: `per_day` is the greatest on any day from the as-of date on, or its known part.

    `seen`: an opioid stands in the call or the chart, whether or not it counts.
    `undrafted` is what would run were nothing signed. `duplicates` names drugs that more than one
    order gives.
    """

    per_day: Fraction = Fraction(0)
    is_lower_bound: bool = False
    seen: bool = False
    factors: str = ""
    orders: tuple[OrderMme, ...] = ()
    duplicates: tuple[str, ...] = ()
    as_of: date = date.min
    undrafted: tuple[Running, ...] = ()

    @property
    def without_drafts(self) -> Fraction:
        """The total were nothing signed; worked out where it is asked for, as few answers say it."""
        return timeline(self.undrafted, self.as_of).greatest

    @property
    def total(self) -> Decimal:
        """The total for display, two decimals at most."""
        return _display(self.per_day)

    @property
    def references(self) -> tuple[str, ...]:
        """Every order considered, counted or not, each once."""
        return tuple(dict.fromkeys(order.ref for order in self.orders if order.ref))


@reasoning(
    wants=(Need.MEDICATIONS, Need.STATEMENTS, Need.DISPENSES),
    uses=(medications, dispensed, oud_treatment),
)
def daily_mme(facts: Facts, known: Known) -> DailyMme:
    """Add up all opioids being signed and current: strength x doses a day x factor, unrounded.

    An opioid that cannot be converted is listed with the reason and makes the total a lower bound,
    as does a medication list that could not be read. Orders that are over, replaced or never meant
    to be taken add nothing. What is reported or was handed out adds unless an order stands for it.

    Source: cdc-2022, table of conversion factors.
    """
    taken = known.derived(medications)
    oud = known.derived(oud_treatment)
    running = [
        _course(o, facts.as_of, known.factors, oud)
        for o in _opioids((*taken.drafts, *taken.active, *taken.coming))
    ]
    running += [_course(s, facts.as_of, known.factors, oud) for s in reported(taken)]
    running += fills(known.derived(dispensed), facts.opioids, known.factors, oud)
    listed = [_uncounted(o, "its status is not known") for o in _opioids(taken.uncertain)]
    listed += [_uncounted(s, "its status is not known") for s in perhaps_taken(facts, taken)]
    found = timeline(running, facts.as_of)
    orders = (*_orders(running, found), *listed)
    replaced = (_course(o, facts.as_of, known.factors, oud) for o in _opioids(taken.replaced))
    return DailyMme(
        per_day=found.greatest,
        is_lower_bound=facts.lacks(Need.MEDICATIONS)
        or any(order.partial or not order.counted for order in orders),
        seen=bool(orders) or _seen(facts),
        factors=known.factors.id,
        orders=orders,
        duplicates=_duplicates(taken),
        as_of=facts.as_of,
        undrafted=(*(c for c in running if not c.draft), *replaced),
    )


def _seen(facts: Facts) -> bool:
    """Whether an opioid was ever ordered, handed out or reported."""
    handed_out = any(dispense.opioid for dispense in facts.dispenses)
    return bool(facts.opioids) or handed_out or any(said.opioid for said in facts.statements)


def _opioids(orders: Iterable[Order]) -> tuple[Order, ...]:
    return tuple([order for order in orders if order.opioid])


def _course(
    order: Order | Statement, as_of: date, table: FactorTable, oud: OudTreatment
) -> Running:
    amount = converted(order, table)
    if oud.given(order):
        amount = Amount(why=FOR_OUD)
    return Running(order, order.span or Span(as_of), amount)


def _orders(courses: list[Running], known: Timeline) -> Iterator[OrderMme]:
    """What each prescription adds on the peak day, or on its own first day if it does not
    cover that one.
    """
    greatest = known.day
    for course in courses:
        if course.amount.why:
            yield _uncounted(course.order, course.amount.why)
            continue
        covered = course.span.covers(greatest)
        day = greatest if covered else course.span.start
        totals = known.totals[day]
        if not course.span.covers(day):  # of no days at all
            totals = totals_of((course, *(c for c in courses if c.span.covers(day))))
        apart = (
            ()
            if covered
            else (f"not at the same time as the greatest dose, on {greatest.isoformat()}",)
        )
        yield OrderMme(
            ref=course.order.ref,
            label=label_of(course.order),
            draft=course.draft,
            counted=True,
            per_day=added(mme_of(p, totals) for p in course.amount.portions),
            arithmetic=" + ".join(_arithmetic(p, totals) for p in course.amount.portions),
            notes=(*course.amount.notes, *apart),
            partial=course.amount.partial,
        )


def _arithmetic(portion: Portion, totals: Mapping[str, Fraction]) -> str:
    return f"{portion.says} x {show(factor_of(portion, totals).exact)}"


def _uncounted(order: Order | Statement | Dispense, why: str) -> OrderMme:
    draft = isinstance(order, Order) and order.draft
    return OrderMme(order.ref, label_of(order), draft, counted=False, why=why)


def _duplicates(taken: Medications) -> tuple[str, ...]:
    """Labels of opioid drafts and current orders that repeat the drug of another one without
    replacing it; orders to come may follow a current one.
    """
    found: list[str] = []
    seen: set[object] = set()
    for orders in (taken.active, taken.coming, taken.drafts):
        for order in _opioids(orders):
            marks = product_marks(order)
            if orders is not taken.coming and not seen.isdisjoint(marks):
                found.append(label_of(order))
            seen |= marks
    return tuple(dict.fromkeys(found))


def _display(value: Fraction) -> Decimal:
    rounded = round(Decimal(value.numerator) / Decimal(value.denominator), 2)
    return (
        rounded.quantize(Decimal(1))
        if rounded == rounded.to_integral_value()
        else rounded.normalize()
    )
