"""A therapy plan being signed: what its review needs, and what speaks against it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from cds_service.clinical.evidence import age, day_of, described, measured
from cds_service.clinical.facts import Facts, Goal, Need, Observation, Request
from cds_service.clinical.problems import CONTEXT
from cds_service.clinical.rule import Known, reasoning
from cds_service.clinical.scores import scores_in
from cds_service.clinical.spine_orders import reasons_of, spine_orders, visits_asked
from cds_service.clinical.treatment import PERCENT, VOID_GOALS
from cds_service.clinical.visits import Visit, visits
from cds_service.frozen import Frozen

FUNCTION = ("outcome-odi", "outcome-peg")
# Total scores in which a plateau shows, function before pain.
TOTALS = ("outcome-odi", "peg-mean")
REACHED = ("achieved", "sustaining")
THERAPY = ("pt", "ot")


class Risk(Frozen):
    """One reason for which a plan may be denied or cut: plateau, goals, diagnosis or visits."""

    kind: str
    why: str
    refs: tuple[str, ...] = ()


class PlanReview(Frozen):
    """What the plans lack and why they may be denied, with the needs that leave either open."""

    gaps: tuple[str, ...] = ()
    gaps_unread: tuple[Need, ...] = ()
    risks: tuple[Risk, ...] = ()
    risks_unread: tuple[Need, ...] = ()
    excessive: Request | None = None


@reasoning(
    wants=(Need.OBSERVATIONS, Need.QUESTIONNAIRE_RESPONSES, Need.GOALS, Need.CONDITIONS),
    uses=(spine_orders, visits),
    numbers=(
        "mnr.score_days",
        "mnr.course_days",
        "mnr.plateau_visits",
        "mnr.plateau_apart_days",
        "mnr.plateau_score_days",
        "mnr.plateau_change",
        "mnr.most_visits",
    ),
    codes=(*FUNCTION, "peg-mean", *CONTEXT, "therapy-diagnosis"),
)
def plan_review(facts: Facts, known: Known) -> PlanReview:
    """The plans of this call against what the payer asks for. Source: cigna-therapy-mnr,
    step 2 and FAQ.
    """
    plans = known.derived(spine_orders).therapy_plans
    excessive = _excessive(facts, known, plans)
    unread = tuple(need for need in (Need.OBSERVATIONS, Need.GOALS) if facts.lacks(need))
    return PlanReview(
        tuple(_gaps(facts, known, plans)),
        unread,
        tuple(_risks(facts, known, plans, excessive)),
        tuple(dict.fromkeys((*unread, *known.derived(visits).unknown))),
        excessive,
    )


def goals(facts: Facts) -> tuple[Goal, ...]:
    """The goals that stand, reached or not."""
    return tuple(
        g
        for g in facts.goals
        if g.status not in VOID_GOALS and (g.when is None or g.when.first <= facts.as_of)
    )


def _gaps(facts: Facts, known: Known, plans: tuple[Request, ...]) -> Iterator[str]:
    if any(not plan.reasons and not plan.reason_refs for plan in plans):
        yield "diagnosis on the order"
    if any(visits_asked(plan) is None for plan in plans):
        yield "number of visits"
    if not facts.lacks(Need.OBSERVATIONS) and not _scored_lately(facts, known):
        yield f"ODI or PEG of the last {known.number('mnr.score_days')} days"
    if not facts.lacks(Need.GOALS) and not goals(facts):
        yield "goals"


def _scored_lately(facts: Facts, known: Known) -> bool:
    window = known.number("mnr.score_days")
    found = (o for group in FUNCTION for o in scores_in(facts, known.codes(group)))
    return any(o.answered and age(o.when, facts.as_of, window) for o in found)


def _course(known: Known) -> tuple[Visit, ...]:
    return known.derived(visits).of_any(THERAPY, known.number("mnr.course_days").days)


def _risks(
    facts: Facts, known: Known, plans: tuple[Request, ...], excessive: Request | None
) -> Iterator[Risk]:
    yield from _plateau(facts, known)
    reached = goals(facts)
    if reached and all(g.achievement in REACHED for g in reached):
        yield Risk("goals", "all goals are achieved", tuple(g.ref for g in reached))
    for plan in plans:
        if _unusual(plan, facts, known):
            yield Risk(
                "diagnosis", "the diagnosis is not one that therapy usually treats", (plan.ref,)
            )
    if excessive is not None:
        limit = known.number("mnr.most_visits")
        yield Risk(
            "visits", f"more than {limit} visits without a current function score", (excessive.ref,)
        )


def _plateau(facts: Facts, known: Known) -> Iterator[Risk]:
    """The last two scores of the first instrument that has two, after enough visits."""
    attended = _course(known)
    if not known.number("mnr.plateau_visits").met_by(len(attended)):
        return
    fresh, apart = known.number("mnr.plateau_score_days"), known.number("mnr.plateau_apart_days")
    for group in TOTALS:
        days = _by_day(facts, known, group)
        if len(days) < 2:
            continue
        (before, first), (after, last) = days[-2:]
        change = _improvement(first, last)
        flat = change is not None and known.number("mnr.plateau_change").met_by(change)
        late = fresh.met_by((facts.as_of - after).days)
        if flat and late and apart.met_by((after - before).days):
            shown = "; ".join(described((measured(first), measured(last))))
            yield Risk("plateau", f"function is on a plateau: {shown}", (first.ref, last.ref))
        return


def _by_day(facts: Facts, known: Known, group: str) -> list[tuple[date, Observation]]:
    """The scores of an instrument by day, oldest first; the better one where a day has two."""
    found: dict[date, Observation] = {}
    for o in scores_in(facts, known.codes(group)):
        day = day_of(o.when, facts.as_of)
        kept = found.get(day)
        if o.value is not None and (
            kept is None or kept.value is None or o.value.value < kept.value.value
        ):
            found[day] = o
    return sorted(found.items())


def _improvement(first: Observation, last: Observation) -> Fraction | None:
    """The fall in percent of the first score; None where that is zero."""
    if first.value is None or last.value is None or first.value.value <= 0:
        return None
    return PERCENT * (1 - Fraction(last.value.value) / Fraction(first.value.value))


def _unusual(plan: Request, facts: Facts, known: Known) -> bool:
    """Its ICD-10-CM reasons are none that therapy usually treats; other systems cannot be told."""
    reasons = reasons_of(plan, facts)
    usual = (*CONTEXT, "therapy-diagnosis")
    if any(known.codes(name).any_of(reasons) for name in usual):
        return False
    return any(code.system == "ICD10CM" for code in reasons)


def _excessive(facts: Facts, known: Known, plans: tuple[Request, ...]) -> Request | None:
    """A plan for many more visits after therapy has begun, without a current function score."""
    if facts.lacks(Need.OBSERVATIONS) or _scored_lately(facts, known) or not _course(known):
        return None
    limit = known.number("mnr.most_visits")
    asked = ((plan, visits_asked(plan)) for plan in plans)
    return next((plan for plan, many in asked if many is not None and limit.met_by(many)), None)
