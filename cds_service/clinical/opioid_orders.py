"""The opioid orders a call is about, and the patient's opioid exposure before them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.clinical.dates import FuzzyDate, within
from cds_service.clinical.facts import Facts, Need, Order
from cds_service.clinical.medications import medications
from cds_service.clinical.rule import Known, reasoning
from cds_service.knowledge.codes import ValueSet
from cds_service.knowledge.drugs.model import DrugClass, Route
from cds_service.knowledge.numbers import Number

# An opioid beside one of these is a cough and cold medicine, not treatment of pain.
COUGH_AND_COLD = frozenset(
    {
        "brompheniramine",
        "carbinoxamine",
        "chlorpheniramine",
        "dexbrompheniramine",
        "dexchlorpheniramine",
        "guaifenesin",
        "homatropine",
        "phenylephrine",
        "promethazine",
        "pseudoephedrine",
        "pyrilamine",
        "triprolidine",
    }
)
EXPOSING = ("active", "completed", "stopped", "on-hold")


@dataclass(frozen=True, slots=True)
class OpioidOrders:
    """Outpatient opioid drafts: `all`, and `pain` without cough medicines and products for
    opioid use disorder.
    """

    all: tuple[Order, ...]
    pain: tuple[Order, ...]

    @property
    def references(self) -> tuple[str, ...]:
        """The drafts."""
        return tuple(order.ref for order in self.all)


@reasoning(uses=(medications,))
def opioid_orders(facts: Facts, known: Known) -> OpioidOrders:
    """Opioid drafts that are not marked inpatient and not injections; an order without a
    category counts.
    """
    drafts = tuple(
        o
        for o in known.derived(medications).drafts
        if o.opioid and not o.inpatient and not _injected(o)
    )
    return OpioidOrders(drafts, tuple(o for o in drafts if _for_pain(o)))


def _for_pain(order: Order) -> bool:
    """Not labelled for opioid use disorder only, and not a cough and cold medicine; an
    unknown drug is.
    """
    if order.drug is None:
        return True
    return not order.drug.oud_only and COUGH_AND_COLD.isdisjoint(
        c.ingredient for c in order.drug.components
    )


def _injected(order: Order) -> bool:
    return order.drug is not None and order.drug.route is Route.INJECTION


def opioid_drafted(facts: Facts, known: Known) -> bool | None:
    """For `applies`: whether an outpatient opioid is being signed or selected."""
    return bool(known.derived(opioid_orders).all)


def supply_reaches(order: Order, limit: Number) -> bool | None:
    """Whether one fill lasts as long as `limit` says; None if its length is unknown."""
    return None if order.supply_days is None else limit.met_by(order.supply_days)


def requested(facts: Facts, sets: tuple[ValueSet, ...], window: Number) -> bool:
    """Whether what a card advises is being ordered or was ordered lately: accepting must
    not raise it again.
    """
    return any(
        any(codes.any_of(r.codes) for codes in sets)
        and r.open
        and (r.draft or within(r.when, facts.as_of, window.days) is not False)
        for r in facts.requests
    )


@dataclass(frozen=True, slots=True)
class Exposure:
    """Whether the patient took opioids before these orders: True, False, or None when it
    could not be read.
    """

    exposed: bool | None
    references: tuple[str, ...] = ()
    missing: tuple[Need, ...] = ()

    @property
    def naive(self) -> bool:
        """Known not to have taken an opioid in the window."""
        return self.exposed is False


@reasoning(wants=(Need.MEDICATIONS, Need.DISPENSES), numbers=("opioid.naive_window",))
def recent_exposure(facts: Facts, known: Known) -> Exposure:
    """Opioid orders or dispenses between the window and yesterday, products for opioid use
    disorder included.
    """
    window = known.number("opioid.naive_window").days
    first, last = facts.as_of - timedelta(days=window), facts.as_of - timedelta(days=1)
    refs = tuple(_exposing(facts, first, last))
    if refs:
        return Exposure(True, refs)
    missing = tuple(need for need in (Need.MEDICATIONS,) if facts.lacks(need))
    return Exposure(None if missing else False, (), missing)


def _exposing(facts: Facts, first: date, last: date) -> Iterator[str]:
    for order in facts.orders:
        if order.draft or not order.opioid or order.inpatient or order.do_not_perform:
            continue
        if order.status not in EXPOSING or order.intent in ("proposal", "plan"):
            continue
        if _touches(order.when, first, last) or _still_running(order, first, last):
            yield order.ref
    for dispense in facts.dispenses:
        if dispense.opioid and dispense.status in ("completed", "in-progress", ""):
            supplied = dispense.when and _touches(dispense.when, first, last)
            if supplied:
                yield dispense.ref


def _touches(when: FuzzyDate | None, first: date, last: date) -> bool:
    return when is not None and when.first <= last and when.last >= first


def _still_running(order: Order, first: date, last: date) -> bool:
    """An earlier order whose supply reaches into the window."""
    span = order.span
    if span is None or span.start > last:
        return False
    if span.end is None:
        return order.status == "active"
    return span.end > first


def is_opioid_antagonist_rescue(order: Order) -> bool:
    """Naloxone or nalmefene by itself, in a form for rescue."""
    return order.is_a(DrugClass.RESCUE_ANTAGONIST)
