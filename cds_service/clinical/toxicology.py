"""Urine drug tests read against what was prescribed. Pure.

A positive is expected when a drug that contains the substance, or is broken down to it, was
ordered, dispensed or taken in the days before the test; a negative is unexpected when a drug that
contains it should have been taken on the day of the test. Source: cdc-2022, recommendation 10;
opioid-cds-r4 for the substances and the window.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from cds_service.clinical.dates import FuzzyDate, months_before
from cds_service.clinical.dispensed import HANDED_OUT
from cds_service.clinical.facts import Dispense, Facts, Need, Observation, Order, Statement
from cds_service.clinical.opioid_orders import EXPOSING
from cds_service.clinical.rule import Known, reasoning
from cds_service.clinical.toxicology_reading import RESULTS, reading
from cds_service.clinical.toxicology_substances import DRUGS, SUBSTANCES, TESTS, Substance
from cds_service.frozen import Frozen

Medicine = Order | Dispense | Statement


class Unexpected(Frozen):
    """One result that does not fit what was prescribed; `result` is positive or negative."""

    substance: str
    result: str
    date: FuzzyDate
    why: str
    ref: str


@reasoning(
    wants=(Need.OBSERVATIONS, Need.MEDICATIONS, Need.DISPENSES, Need.STATEMENTS),
    numbers=("opioid.toxicology_window", "opioid.toxicology_lookback"),
    codes=(*TESTS, *DRUGS, *RESULTS),
)
def unexpected_results(facts: Facts, known: Known) -> tuple[Unexpected, ...]:
    """Every unexpected result of the window, newest first; a later negative does not cancel
    a positive.
    """
    since = months_before(facts.as_of, known.number("opioid.toxicology_window").days) - timedelta(
        days=1
    )
    lookback = known.number("opioid.toxicology_lookback").days
    found: list[Unexpected] = []
    tests = known.sorting(TESTS)
    alike = facts.observations_alike().items()
    candidates = [o for codes, found in alike if tests.of(codes) for o in found if not o.components]
    candidates += [o for o in facts.observations if o.components]
    for observation in candidates:
        if not observation.counts or observation.when is None:
            continue
        # A partial date is as late as it can be: a result is not of the future.
        day = min(observation.when.last, facts.as_of)
        if since <= day and observation.when.first <= day:
            parts = (observation, *observation.components)
            for part in parts:
                found.extend(_judge(part, observation, day, lookback, facts, known))
    unique = {(u.substance, u.result, u.ref): u for u in found}
    return tuple(
        sorted(unique.values(), key=lambda u: (u.date.last, u.substance, u.ref), reverse=True)
    )


def _judge(
    part: Observation, whole: Observation, day: date, lookback: int, facts: Facts, known: Known
) -> Iterator[Unexpected]:
    tests = known.sorting(TESTS).of(part.codes)
    result = reading(part, known) if tests else None
    if result is None or whole.when is None:
        return
    taken = FuzzyDate(min(whole.when.first, day), day)
    for substance in SUBSTANCES:
        if substance.tests not in tests:
            continue
        if result == "positive" and not _explained(substance, taken, lookback, facts, known):
            why = "never expected" if substance.never else "no order that explains it"
            yield Unexpected(substance.name, result, whole.when, why, whole.ref)
        elif result == "negative" and any(
            _due(o, taken, lookback) and _contains(o, substance, known)
            for o in facts.orders
            if _prescribed(o) and not o.inpatient
        ):
            yield Unexpected(
                substance.name, result, whole.when, "prescribed at the time", whole.ref
            )


def _explained(
    substance: Substance, taken: FuzzyDate, lookback: int, facts: Facts, known: Known
) -> bool:
    """Whether something ordered, dispensed or reported in the days before the test shows in it."""
    return (
        any(
            _prescribed(o) and _supplied(o, taken, lookback) and _shows(o, substance, known)
            for o in facts.orders
        )
        or any(
            _handed_out(d, taken, lookback) and _shows(d, substance, known) for d in facts.dispenses
        )
        or any(
            _reported(s, taken, lookback) and _shows(s, substance, known) for s in facts.statements
        )
    )


def _prescribed(order: Order) -> bool:
    """An order of the chart (not a draft) that was meant to be taken."""
    return order.meant and not order.draft and order.status in EXPOSING


def _contains(fact: Medicine, substance: Substance, known: Known) -> bool:
    """Whether a medicine holds the substance itself."""
    if substance.drugs and known.codes(substance.drugs).any_of(fact.codes):
        return True
    if fact.drug is None:
        return False
    if substance.classes and fact.drug.is_a(*substance.classes):
        return True
    return any(c.ingredient in substance.ingredients for c in fact.drug.components)


def _shows(fact: Medicine, substance: Substance, known: Known) -> bool:
    """Whether a medicine holds the substance, or explains it although it does not."""
    if _contains(fact, substance, known):
        return True
    if substance.related and known.codes(substance.related).any_of(fact.codes):
        return True
    if fact.drug is None:
        return False
    return any(c.ingredient in substance.explained_by for c in fact.drug.components)


def _supplied(order: Order, taken: FuzzyDate, lookback: int) -> bool:
    """Ordered in the days before the test, or its supply reaches into them."""
    day, first = taken.last, taken.first - timedelta(days=lookback)
    if order.when is not None and order.when.first < day and order.when.last >= first:
        return True
    span = order.span
    if span is None or span.start >= day:
        return False
    return order.status in ("active", "on-hold") if span.end is None else span.end > first


def _handed_out(dispense: Dispense, taken: FuzzyDate, lookback: int) -> bool:
    """Handed out before the test, in the days before it or with a supply that reaches into them."""
    if dispense.status not in HANDED_OUT or dispense.when is None:
        return False
    day, first = taken.last, taken.first - timedelta(days=lookback)
    last = dispense.when.last + timedelta(days=dispense.supply_days or 0)
    return dispense.when.first < day and last >= first


def _reported(stated: Statement, taken: FuzzyDate, lookback: int) -> bool:
    """Said to be taken before the test; one that is active and has no dates counts."""
    if stated.status not in EXPOSING:
        return False
    day, first = taken.last, taken.first - timedelta(days=lookback)
    if stated.span is not None:
        ends_before = stated.span.end is not None and stated.span.end <= first
        return stated.span.start < day and not ends_before
    return stated.status == "active" or (
        stated.when is not None and stated.when.first < day and stated.when.last >= first
    )


def _due(order: Order, taken: FuzzyDate, lookback: int) -> bool:
    """Should have been taken when the test was made: begun before it and supplied up to it."""
    day = taken.last
    if order.when is None or order.when.last >= taken.first or order.status == "stopped":
        return False
    span = order.span
    if span is not None and span.end is not None:
        return span.end >= day
    return order.status == "active" or order.when.first >= day - timedelta(days=lookback)
