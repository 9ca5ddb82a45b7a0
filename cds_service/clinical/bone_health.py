"""Bone health: osteoporosis, long corticosteroid use, and the ages at which a small fall is
enough. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from cds_service.clinical.criteria import MET, UNKNOWN
from cds_service.clinical.dates import Span, on
from cds_service.clinical.evidence import (
    ABSENT,
    Evidence,
    Sign,
    any_of,
    condition_evidence,
    name,
    sign,
)
from cds_service.clinical.facts import Facts, Need, Order, Statement
from cds_service.clinical.prescriptions import begun
from cds_service.clinical.problems import problems
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen
from cds_service.knowledge.drugs.model import DrugClass, Route

TAKEN = ("active", "completed", "stopped", "on-hold")


class BoneHealth(Frozen):
    """`corticosteroid`: systemic, for as many consecutive days as count; `frail`: any of
    the three.
    """

    osteoporosis: Sign
    corticosteroid: Sign
    old: Sign

    @property
    def frail(self) -> Sign:
        """Osteoporosis, long corticosteroid use or age."""
        return any_of(self.osteoporosis, self.corticosteroid, self.old)


@reasoning(
    wants=(Need.CONDITIONS, Need.MEDICATIONS, Need.STATEMENTS, Need.PATIENT),
    uses=(problems,),
    numbers=(
        "red-flags.frail_age_male",
        "red-flags.frail_age",
        "red-flags.corticosteroid_days",
        "red-flags.corticosteroid_window_days",
    ),
)
def bone_health(facts: Facts, known: Known) -> BoneHealth:
    """Osteoporosis ever, long corticosteroid use, or age by sex (the higher limit if not
    recorded).
    """
    listed = known.derived(problems)
    noted = map(condition_evidence, listed.active("corticosteroid-status"))
    return BoneHealth(
        sign(map(condition_evidence, listed.ever("osteoporosis")), facts, Need.CONDITIONS),
        any_of(
            sign(noted, facts, Need.CONDITIONS),
            sign(_long_course(facts, known), facts, Need.MEDICATIONS),
        ),
        _old(facts, known),
    )


def _old(facts: Facts, known: Known) -> Sign:
    if facts.age is None or facts.patient is None:
        return sign((), facts, Need.PATIENT) if facts.lacks(Need.PATIENT) else Sign(UNKNOWN)
    limit = known.number(
        "red-flags.frail_age_male" if facts.patient.sex == "male" else "red-flags.frail_age"
    )
    return Sign(MET, (Evidence("", f"age {facts.age}"),)) if limit.met_by(facts.age) else ABSENT


def _long_course(facts: Facts, known: Known) -> tuple[Evidence, ...]:
    """The longest run of days without a gap, up to `as_of`, if it is long enough."""
    start = facts.as_of - timedelta(days=known.number("red-flags.corticosteroid_window_days").days)
    runs = sorted(_runs(facts, start), key=lambda run: (run[0].start, run[1].ref))
    best: tuple[int, tuple[Evidence, ...]] = (0, ())
    since, end = facts.as_of, start
    parts: list[Evidence] = []
    for span, evidence in runs:
        if not parts or span.start > end:
            since, end, parts = span.start, span.start, []
        end = max(end, span.end or facts.as_of)
        parts.append(evidence)
        best = max(best, ((end - since).days, tuple(parts)), key=lambda run: run[0])
    return best[1] if known.number("red-flags.corticosteroid_days").met_by(best[0]) else ()


def _runs(facts: Facts, start: date) -> Iterator[tuple[Span, Evidence]]:
    """The days of each order or statement within the window; a supply that reaches past
    today ends today.
    """
    prescribed: tuple[Order | Statement, ...] = (*facts.orders, *facts.statements)
    for taken in prescribed:
        if not _counts(taken) or taken.span is None:
            continue
        first = begun(taken, facts.as_of)
        begins = max(first, start)
        ends = min(taken.span.end or facts.as_of, facts.as_of)
        if begins < ends:
            yield Span(begins, ends), Evidence(taken.ref, name(taken), on(first))


def _counts(taken: Order | Statement) -> bool:
    if (
        taken.drug is None
        or not taken.drug.is_a(DrugClass.SYSTEMIC_CORTICOSTEROID)
        or taken.status not in TAKEN
    ):
        return False
    if isinstance(taken, Order) and (taken.draft or not taken.meant):
        return False
    if taken.span is None or taken.span.end is not None:
        return taken.span is not None
    # Without an end, only what is still active is known to have gone on until today, and of an
    # injection only one that an instruction repeats: a depot is given once.
    injected = Route.INJECTION in (taken.sig.route, taken.drug.route)
    return taken.status == "active" and (bool(taken.sig.steps) or not injected)
