"""The opioid orders a call is about, and the patient's opioid exposure before them. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import date, timedelta

from cds_service.clinical.dates import FuzzyDate, within
from cds_service.clinical.dispensed import HANDED_OUT
from cds_service.clinical.facts import Facts, Need, Order, Statement
from cds_service.clinical.medications import UNCERTAIN, medications
from cds_service.clinical.oud_treatment import oud_treatment
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen
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


class OpioidOrders(Frozen):
    """Outpatient opioid drafts: `all`, and `pain` without cough medicines and treatment of
    opioid use disorder.
    """

    all: tuple[Order, ...]
    pain: tuple[Order, ...]

    @property
    def references(self) -> tuple[str, ...]:
        """The drafts."""
        return tuple(order.ref for order in self.all)


@reasoning(uses=(medications, oud_treatment))
def opioid_orders(facts: Facts, known: Known) -> OpioidOrders:
    """Opioid drafts that are not marked inpatient and not injections; an order without a
    category counts.
    """
    drafts = tuple(o for o in known.derived(medications).drafts if outpatient_opioid(o))
    oud = known.derived(oud_treatment)
    return OpioidOrders(drafts, tuple(o for o in drafts if not oud.treats(o) and for_pain(o)))


def for_pain(order: Order) -> bool:
    """Not a cough and cold medicine; an unknown drug is for pain."""
    return order.drug is None or COUGH_AND_COLD.isdisjoint(
        c.ingredient for c in order.drug.components
    )


def outpatient_opioid(order: Order) -> bool:
    """An opioid that is not marked inpatient and not injected."""
    injected = order.drug is not None and order.drug.route is Route.INJECTION
    return order.opioid and not order.inpatient and not injected


def long_acting(order: Order) -> bool:
    """By its product; a product that is not known is one where it is worn on the skin."""
    if order.drug is None:
        return False
    worn = order.drug.route is Route.UNKNOWN and order.sig.route is Route.TRANSDERMAL
    return order.drug.extended_release or worn


def opioid_drafted(facts: Facts, known: Known) -> bool | None:
    """For `applies`: whether an outpatient opioid is being signed or selected."""
    return bool(known.derived(opioid_orders).all)


def supply_reaches(order: Order, limit: Number) -> bool | None:
    """Whether one fill lasts as long as `limit` says; None if its length is unknown."""
    return None if order.supply is None else limit.met_by(order.supply)


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


class Exposure(Frozen):
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


@reasoning(
    wants=(Need.MEDICATIONS, Need.DISPENSES, Need.STATEMENTS), numbers=("opioid.naive_window",)
)
def recent_exposure(facts: Facts, known: Known) -> Exposure:
    """Opioid orders, dispenses or statements between the window and yesterday, products for opioid
    use disorder included. Only an order whose status is not known leaves it open.
    """
    window = known.number("opioid.naive_window").days
    first, last = facts.as_of - timedelta(days=window), facts.as_of - timedelta(days=1)
    refs = tuple(_exposing(facts, first, last))
    if refs:
        return Exposure(True, refs)
    missing = tuple(need for need in (Need.MEDICATIONS,) if facts.lacks(need))
    unsure = any(_ordered(o, UNCERTAIN, first, last) for o in facts.opioids)
    return Exposure(None if missing or unsure else False, (), missing)


def _exposing(facts: Facts, first: date, last: date) -> Iterator[str]:
    for order in facts.opioids:
        if _ordered(order, EXPOSING, first, last):
            yield order.ref
    for dispense in facts.dispenses:
        if dispense.opioid and dispense.status in HANDED_OUT:
            supplied = dispense.when and _touches(dispense.when, first, last)
            if supplied:
                yield dispense.ref
    for stated in facts.statements:
        if stated.opioid and _stated(stated, first, last):
            yield stated.ref


def _ordered(order: Order, statuses: Container[str], first: date, last: date) -> bool:
    if not (_touches(order.when, first, last) or still_running(order, first, last)):
        return False  # most of a long chart
    return order.status in statuses and not order.draft and not order.inpatient and order.meant


def _stated(stated: Statement, first: date, last: date) -> bool:
    """Said to be taken on a day of the window; one that is active counts also without dates."""
    if stated.span is not None and stated.status in EXPOSING:
        begun = stated.span.start <= last
        return begun and (stated.span.end is None or stated.span.end > first)
    if stated.status == "active":
        return stated.when is None or stated.when.first <= last + timedelta(days=1)
    return stated.status in EXPOSING and _touches(stated.when, first, last)


def _touches(when: FuzzyDate | None, first: date, last: date) -> bool:
    return when is not None and when.first <= last and when.last >= first


def still_running(order: Order, first: date, last: date) -> bool:
    """An earlier order whose supply reaches beyond `first`; an active one without a date stands
    for one.
    """
    span = order.span
    if span is None or span.end is None:
        begun = span is None or span.start <= last
        return begun and order.status == "active"
    return span.start <= last and span.end > first


def rescue_antagonists(facts: Facts) -> tuple[Order, ...]:
    """Orders of naloxone or nalmefene by itself, in a form for rescue."""
    return facts.orders_of(DrugClass.RESCUE_ANTAGONIST)
