"""How long the patient has been on opioids for pain, and how long these orders make it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from cds_service.clinical.dispensed import HANDED_OUT
from cds_service.clinical.evidence import day_of
from cds_service.clinical.facts import Dispense, Facts, Need, Order, Statement
from cds_service.clinical.medications import Medications, label_of, medications, still_taken
from cds_service.clinical.opioid_orders import EXPOSING
from cds_service.clinical.oud_treatment import OudTreatment, oud_treatment
from cds_service.clinical.prescriptions import begun
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen
from cds_service.knowledge.numbers import Number


class Course(Frozen):
    """Opioid prescriptions chained without a longer gap, up to the as-of date.

    `days` is as-of minus start; `projected_days` the end of the supply being signed (refills
    counted) minus start, the same as `days` without a draft or when its length is unknown. `phase`
    goes by the projected days: acute, subacute, chronic. `current`: a draft stands, or some supply
    lasts on the as-of date.
    """

    start: date
    days: int
    projected_days: int
    phase: str
    current: bool
    references: tuple[str, ...]
    labels: tuple[str, ...]


_A_DAY = timedelta(days=1)


# One prescription or dispense: the days it covers, its end not included, its reference and its name.
_Supply = tuple[date, date, str, str]


@reasoning(
    wants=(Need.MEDICATIONS, Need.DISPENSES, Need.STATEMENTS),
    uses=(medications, oud_treatment),
    numbers=("course.gap_days", "course.subacute_days", "course.chronic_days"),
)
def opioid_course(facts: Facts, known: Known) -> Course | None:
    """Chain opioid orders, dispenses and statements back from the as-of date; None when there is no
    course.

    Treatment of opioid use disorder is not pain treatment and is left out. An active order without
    a supply length lasts to the as-of date; one that is over without it covers its first day. A
    partial date counts as its last day.

    Source: cdc-2022 for the phases; the gap is ours.
    """
    as_of, taken = facts.as_of, known.derived(medications)
    oud = known.derived(oud_treatment)
    supplies = sorted(_supplies(facts, taken, oud))
    drafts = tuple(o for o in taken.opioid_drafts if not oud.treats(o))
    chain = _last_chain(supplies, as_of, known.number("course.gap_days"))
    if not chain and not drafts:
        return None
    start = chain[0][0] if chain else as_of
    days = (as_of - start).days
    ends = [o.span.end for o in drafts if o.span is not None and o.span.end is not None]
    projected = max([days, *((end - start).days for end in ends)])
    return Course(
        start=start,
        days=days,
        projected_days=projected,
        phase=_phase(
            projected, known.number("course.subacute_days"), known.number("course.chronic_days")
        ),
        current=bool(drafts) or any(end > as_of for _, end, _, _ in chain),
        references=tuple(dict.fromkeys([*[s[2] for s in chain], *[o.ref for o in drafts]])),
        labels=tuple(dict.fromkeys([*[s[3] for s in chain], *[label_of(o) for o in drafts]])),
    )


def _phase(days: int, subacute: Number, chronic: Number) -> str:
    if chronic.met_by(days):
        return "chronic"
    return "subacute" if subacute.met_by(days) else "acute"


def _last_chain(supplies: list[_Supply], as_of: date, gap: Number) -> list[_Supply]:
    """The last chain of `supplies` (sorted by start), if it reaches the as-of date without
    a longer gap.
    """
    first, covered = 0, date.min
    for at, (start, end, _, _) in enumerate(supplies):
        if start > covered and not gap.met_by((start - covered).days):
            first = at
        if end > covered:
            covered = end
    if not gap.met_by((as_of - covered).days):
        return []
    return supplies[first:]


def _supplies(facts: Facts, taken: Medications, oud: OudTreatment) -> Iterator[_Supply]:
    as_of = facts.as_of
    replaced = [o for o in taken.replaced if o.opioid]
    orders = (*taken.active_opioids, *replaced, *taken.past_opioids)
    yield from [_ordered(order, as_of) for order in orders if not oud.treats(order)]
    if not facts.dispenses and not facts.statements:
        return
    treating = {o.ref for o in facts.opioids if oud.treats(o)}
    for dispense in facts.dispenses:
        if _handed_out(dispense, as_of) and treating.isdisjoint(dispense.orders):
            yield _dispensed(dispense, as_of)
    for stated in facts.statements:
        if stated.opioid and not oud.treats(stated) and treating.isdisjoint(stated.based_on):
            yield from _stated(stated, as_of)


def _ordered(order: Order, as_of: date) -> _Supply:
    """The days an order covers; what a stopped order had left after the as-of date is not
    taken any more.
    """
    start, active = begun(order, as_of), order.status == "active"
    end = order.span.end if order.span is not None else None
    if end is None:
        end = (as_of if active else start) + _A_DAY
    if not active:
        end = max(start, min(end, as_of))
    return start, end, order.ref, label_of(order)


def _handed_out(dispense: Dispense, as_of: date) -> bool:
    if not dispense.opioid or (dispense.drug is not None and dispense.drug.oud_only):
        return False
    done = dispense.status in HANDED_OUT
    return done and dispense.when is not None and dispense.when.first <= as_of


def _dispensed(dispense: Dispense, as_of: date) -> _Supply:
    start = day_of(dispense.when, as_of)
    end = start + timedelta(days=dispense.supply_days or 1)
    return start, end, dispense.ref, label_of(dispense)


def _stated(stated: Statement, as_of: date) -> Iterator[_Supply]:
    """What is taken covers the days from its start, if one is known, to the as-of date; what was
    taken, the days to its end, if that is known.
    """
    start, span = begun(stated, as_of), stated.span
    if still_taken(stated, as_of):
        yield min(start, as_of), as_of + _A_DAY, stated.ref, label_of(stated)
    elif stated.status in EXPOSING and span is not None and span.end is not None:
        end = min(span.end, as_of)
        if span.start < end:
            yield min(start, end - _A_DAY), end, stated.ref, label_of(stated)
