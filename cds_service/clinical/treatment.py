"""When treatment of the episode began, and whether pain or function responded to it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction

from cds_service.clinical.back_pain import back_pain
from cds_service.clinical.dates import on
from cds_service.clinical.evidence import Evidence, day_of, measured, name, ordered, recorded
from cds_service.clinical.facts import Facts, Goal, Need, Observation
from cds_service.clinical.rule import Known, reasoning
from cds_service.clinical.visits import CHART_NEEDS, CLAIM_NEEDS, visits
from cds_service.frozen import Frozen
from cds_service.knowledge.drugs.model import DrugClass

ANALGESICS = (
    DrugClass.OPIOID,
    DrugClass.NSAID,
    DrugClass.MUSCLE_RELAXANT,
    DrugClass.OTHER_NONOPIOID,
    DrugClass.GABAPENTINOID,
)
GIVEN = ("active", "on-hold", "completed", "stopped")
BETTER = frozenset({"improving", "achieved", "sustaining"})
NO_BETTER = frozenset({"no-progress", "no-change", "worsening", "not-achieved", "not-attainable"})
# Where treatment may stand; what is missing can only make it look later.
RECORDS = (Need.MEDICATIONS, *CHART_NEEDS, *CLAIM_NEEDS)
VOID_GOALS = ("proposed", "rejected", "cancelled", "entered-in-error")
PERCENT = 100
# Function before pain; a goal has no codes of its own.
PRECEDENCE = (
    ("ODI", "outcome-odi"),
    ("PEG", "peg-mean"),
    ("goal", ""),
    ("pain NRS", "pain-numeric-rating"),
)


class Response(Frozen):
    """Whether treatment worked. `change` is the fall in percent of the baseline; `instrument` what
    decided.

    `missing`: the needs for want of which a verdict is unknown.
    """

    verdict: str = "unknown"  # adequate | inadequate | unknown
    instrument: str = ""
    baseline: Evidence | None = None
    latest: Evidence | None = None
    change: Fraction | None = None
    references: tuple[str, ...] = ()
    missing: tuple[Need, ...] = ()

    @property
    def inadequate(self) -> bool:
        """Known to be inadequate."""
        return self.verdict == "inadequate"

    @property
    def adequate(self) -> bool:
        """Known to be adequate."""
        return self.verdict == "adequate"


class Treatment(Frozen):
    """`start` of treatment of this episode and days since; `tried` what was tried, oldest first."""

    start: date | None = None
    days: int | None = None
    tried: tuple[Evidence, ...] = ()
    response: Response = Response()


@reasoning(
    wants=(*RECORDS, Need.OBSERVATIONS, Need.GOALS),
    uses=(back_pain, visits),
    numbers=(
        "episode.lead_days",
        "response.treatment_window_days",
        "response.treatment_window_unknown_onset_days",
        "response.baseline_lead_days",
        "response.scores_apart_days",
        "response.latest_score_days",
        "response.adequate_improvement",
    ),
    codes=("outcome-odi", "peg-mean", "pain-numeric-rating"),
)
def treatment(facts: Facts, known: Known) -> Treatment:
    """Treatment from shortly before onset, and the response by function, then PEG, then goal, then
    pain.

    Unknown never counts as inadequate. A record that could not be read can only make treatment look
    later; the response is then inadequate only if it is so for every earlier start.
    """
    first = _first_day(facts, known)
    tried = _tried(facts, known, first)
    missing = tuple(need for need in RECORDS if facts.lacks(need))
    if not tried:
        chart = tuple(need for need in missing if need not in CLAIM_NEEDS)
        said = [_response(facts, known, day) for day in _starts(first, facts.as_of, facts, known)]
        telling = any(each.verdict != "unknown" or each.missing for each in said)
        return Treatment(response=Response(missing=chart if telling else ()))
    start = min(day_of(e.when, facts.as_of) for e in tried)
    response = _response(facts, known, start)
    if response.inadequate and missing and not _inadequate_since(first, start, facts, known):
        response = Response(missing=missing)
    return Treatment(start, (facts.as_of - start).days, tried, response)


def _inadequate_since(first: date, start: date, facts: Facts, known: Known) -> bool:
    """Whether the response is inadequate too if treatment began on any day from `first` on."""
    starts = _starts(first, start, facts, known)
    return all(_response(facts, known, day).inadequate for day in starts)


def _starts(first: date, start: date, facts: Facts, known: Known) -> set[date]:
    """The days from `first` to `start` on which treatment, had it begun, would bring another
    first score.
    """
    lead = timedelta(days=known.number("response.baseline_lead_days").days)
    scores = (known.codes(codes) for _, codes in PRECEDENCE if codes)
    dated = [day_of(o.when, facts.as_of) for codes in scores for o in recorded(facts, codes)]
    dated += [_goal_day(goal) for goal in facts.goals if goal.when]
    return {first, *(day + lead for day in dated if first - lead < day < start - lead)}


def _first_day(facts: Facts, known: Known) -> date:
    """The first day of treatment that may belong to the episode."""
    onset = known.derived(back_pain).onset
    window = (
        "response.treatment_window_days"
        if onset
        else "response.treatment_window_unknown_onset_days"
    )
    first = facts.as_of - timedelta(days=known.number(window).days)
    if onset is not None:
        lead = timedelta(days=known.number("episode.lead_days").days)
        first = max(first, onset.first - lead)
    return first


def _tried(facts: Facts, known: Known, first: date) -> tuple[Evidence, ...]:
    """Therapy visits, analgesic orders and lumbar epidural injections of the episode."""
    return ordered(
        e
        for e in _all_treatments(facts, known)
        if e.when and e.when.first <= facts.as_of and first <= day_of(e.when, facts.as_of)
    )


def _all_treatments(facts: Facts, known: Known) -> Iterator[Evidence]:
    attended = known.derived(visits)
    for label, found in (
        ("therapy visit", attended.therapy()),
        ("epidural injection", attended.of("lumbar_esi")),
    ):
        for visit in found:
            yield from (Evidence(ref, label, on(visit.day)) for ref in visit.refs)
    for order in facts.orders:
        if order.draft or not order.meant or order.status not in GIVEN:
            continue
        if order.opioid or order.is_a(*ANALGESICS):
            yield Evidence(order.ref, name(order), order.when)


def _response(facts: Facts, known: Known, start: date) -> Response:
    """The first instrument of the order of precedence that can decide."""
    for instrument, codes in PRECEDENCE:
        need = Need.OBSERVATIONS if codes else Need.GOALS
        if facts.lacks(need):
            return Response(missing=(need,))
        found = (
            _scored(facts, known, start, instrument, codes)
            if codes
            else _by_goal(facts, known, start)
        )
        if found is not None:
            return found
    return Response()


def _scored(
    facts: Facts, known: Known, start: date, instrument: str, codes: str
) -> Response | None:
    """The first against the last score; the kinder one where a day has several."""
    first_day = start - timedelta(days=known.number("response.baseline_lead_days").days)
    found = [
        o
        for o in recorded(facts, known.codes(codes))
        if o.value and day_of(o.when, facts.as_of) >= first_day
    ]
    if not found:
        return None
    baseline = _on_day(found, day_of(found[0].when, facts.as_of), facts, highest=True)
    latest = _on_day(found, day_of(found[-1].when, facts.as_of), facts, highest=False)
    before, after = (day_of(o.when, facts.as_of) for o in (baseline, latest))
    if not baseline.value or not latest.value or baseline.value.value <= 0:
        return None
    if baseline.value.comparator or latest.value.comparator:
        return None
    fresh = known.number("response.latest_score_days").met_by((facts.as_of - after).days)
    if not fresh or not known.number("response.scores_apart_days").met_by((after - before).days):
        return None
    change = PERCENT * (1 - Fraction(latest.value.value) / Fraction(baseline.value.value))
    verdict = (
        "adequate" if known.number("response.adequate_improvement").met_by(change) else "inadequate"
    )
    return Response(
        verdict,
        instrument,
        measured(baseline),
        measured(latest),
        change,
        (baseline.ref, latest.ref),
    )


def _on_day(found: list[Observation], day: date, facts: Facts, *, highest: bool) -> Observation:
    same_day = [o for o in found if day_of(o.when, facts.as_of) == day]
    return sorted(same_day, key=lambda o: (o.value.value if o.value else 0, o.ref))[
        -1 if highest else 0
    ]


def _by_goal(facts: Facts, known: Known, start: date) -> Response | None:
    """The latest achievement since treatment began; goals of one day that contradict say
    nothing.
    """
    first_day = start - timedelta(days=known.number("response.baseline_lead_days").days)
    spoken = [g for g in facts.goals if _speaks(g) and _since(g, first_day, facts.as_of)]
    if not spoken:
        return None
    newest = max(_goal_day(g) for g in spoken)
    latest = sorted((g for g in spoken if _goal_day(g) == newest), key=lambda g: g.ref)
    said = {g.achievement for g in latest}
    if said <= BETTER or said <= NO_BETTER:
        verdict = "adequate" if said <= BETTER else "inadequate"
        shown = Evidence(latest[0].ref, name(latest[0]), latest[0].when)
        return Response(verdict, "goal", None, shown, None, tuple(g.ref for g in latest))
    return None


def _speaks(goal: Goal) -> bool:
    return bool(goal.achievement) and goal.status not in VOID_GOALS


def _goal_day(goal: Goal) -> date:
    return goal.when.last if goal.when else date.min


def _since(goal: Goal, first_day: date, as_of: date) -> bool:
    return goal.when is None or (goal.when.first <= as_of and goal.when.last >= first_day)
