"""Whether an epidural injection is indicated and due: reason, pain, care, earlier
injections. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from fractions import Fraction

from cds_service.clinical.conservative_care import conservative_care
from cds_service.clinical.criteria import MET, NOT_MET, UNKNOWN
from cds_service.clinical.dates import on
from cds_service.clinical.evidence import (
    ABSENT,
    Evidence,
    Sign,
    condition_evidence,
    day_of,
    measured,
    ordered,
)
from cds_service.clinical.facts import Condition, Facts, Need, Observation, Request
from cds_service.clinical.problems import CONTEXT, problems
from cds_service.clinical.rule import Known, reasoning
from cds_service.clinical.scores import scores_in
from cds_service.clinical.spine_orders import (
    gives_reason,
    named_conditions,
    planned_day,
    spine_orders,
)
from cds_service.clinical.treatment import PERCENT, treatment
from cds_service.clinical.visits import visits
from cds_service.frozen import Frozen
from cds_service.knowledge.codes import Code

RADICULAR = ("radiculopathy-lumbar", "spinal-stenosis-lumbar", "post-laminectomy")
ZOSTER = "herpes-zoster"
IN_DOUBT = ("unconfirmed", "differential")  # support no indication
SCORES = ("pain-numeric-rating", "outcome-odi")


class Indication(Frozen):
    """What the injection is for. `supported` and `radicular` are None when it cannot be told."""

    supported: bool | None
    radicular: bool | None
    zoster: bool
    evidence: tuple[Evidence, ...] = ()
    better: Condition | None = None  # a condition of the chart that would support the order


class EsiCourse(Frozen):
    """The course of pain and care up to the injection; each sign holds where the requirement is not
    kept.

    `earliest` is the first day on which the pain has lasted long enough; `last` the last injection.
    """

    indication: Indication
    short_pain: Sign
    no_care: Sign
    sessions: Sign
    no_relief: Sign
    onset: tuple[Evidence, ...] = ()
    care: tuple[Evidence, ...] = ()
    injections: tuple[Evidence, ...] = ()
    relief: tuple[Evidence, ...] = ()
    earliest: date | None = None
    repeat: bool | None = False


@reasoning(
    wants=(Need.CONDITIONS, Need.OBSERVATIONS, Need.QUESTIONNAIRE_RESPONSES, Need.MEDICATIONS),
    uses=(conservative_care, problems, spine_orders, treatment, visits),
    numbers=(
        "esi.least_pain_days",
        "esi.repeat_days",
        "esi.session_days",
        "esi.sessions",
        "esi.before_days",
        "esi.after_days",
        "esi.relief",
    ),
    codes=(*RADICULAR, ZOSTER, *SCORES),
)
def esi_course(facts: Facts, known: Known) -> EsiCourse:
    """Indication, duration, conservative care, sessions and relief for the lumbar injections being
    ordered.

    What is not on file is not documented and counts against the injection; what could not be read
    is unknown. Zoster needs no wait and no conservative care. Source: cms-lcd-esi.
    """
    found = _indication(facts, known)
    short, onset, earliest = _short_pain(facts, known, found)
    before = known.derived(visits).of("lumbar_esi", known.number("esi.repeat_days").days)
    seen = known.derived(visits)
    unread = seen.unknown
    repeat = True if before else None if unread else False
    care = known.derived(conservative_care)
    last = before[-1].day if before else None
    no_relief, relief = _no_relief(facts, known, last, unread)
    return EsiCourse(
        found,
        short,
        _no_care(facts, known, found, repeat, care),
        _too_many(facts, known, (*unread, *seen.elsewhere)),
        no_relief,
        onset,
        care,
        tuple(Evidence(ref, "lumbar injection", on(v.day)) for v in before for ref in v.refs[:1]),
        relief,
        earliest,
        repeat,
    )


def _indication(facts: Facts, known: Known) -> Indication:
    """The reasons on the orders; without any, the active conditions that are not in doubt."""
    drafts = known.derived(spine_orders).lumbar_injections
    firm = [c for c in facts.conditions if c.active(facts.as_of) and c.verification not in IN_DOUBT]
    fitting = [c for c in firm if _supports(c.codes, known)]
    better = min(fitting, key=lambda c: c.ref, default=None)
    named = [
        c for d in drafts for c in named_conditions(d, facts) if c.verification not in IN_DOUBT
    ]
    codes = frozenset[Code]().union(*(d.reasons for d in drafts), *(c.codes for c in named))
    if any(gives_reason(d, facts) for d in drafts):
        unseen = not codes and facts.lacks(Need.CONDITIONS)
        shown = tuple(
            Evidence(d.ref, f"reason of the order: {_reasons(d)}") for d in drafts if d.reasons
        )
        evidence = (*shown, *map(condition_evidence, named))
    else:
        codes = frozenset[Code]().union(*(c.codes for c in fitting))
        unseen = facts.lacks(Need.CONDITIONS)
        evidence = ordered(map(condition_evidence, fitting))
    supported, zoster = _supports(codes, known), known.codes(ZOSTER).any_of(codes)
    radicular = any(known.codes(group).any_of(codes) for group in RADICULAR)
    if unseen and not supported:
        return Indication(None, None, False, evidence, better)
    return Indication(supported, radicular, zoster, evidence, None if supported else better)


def _supports(codes: Iterable[Code], known: Known) -> bool:
    wanted = frozenset(codes)
    return any(known.codes(group).any_of(wanted) for group in (*RADICULAR, ZOSTER))


def _reasons(order: Request) -> str:
    """The reasons as they are called, and their codes."""
    codes = ", ".join(code.written for code in sorted(order.reasons))
    return f"{', '.join(order.reason_texts)} ({codes})" if order.reason_texts else codes


def _short_pain(
    facts: Facts, known: Known, found: Indication
) -> tuple[Sign, tuple[Evidence, ...], date | None]:
    """Pain is long enough when some condition surely began early enough by the planned day."""
    firm = [c for c in known.derived(problems).active(*CONTEXT) if c.verification not in IN_DOUBT]
    dated = [c for c in firm if c.when is not None]
    first = min(dated, key=lambda c: (c.when.last if c.when else date.max, c.ref), default=None)
    shown = () if first is None else (condition_evidence(first),)
    least = known.number("esi.least_pain_days")
    if found.zoster:
        return ABSENT, shown, None
    if first is None or first.when is None:
        missing = (Need.CONDITIONS,) if facts.lacks(Need.CONDITIONS) else ()
        return Sign(UNKNOWN if missing else MET, (), missing), shown, None
    earliest = first.when.last + timedelta(days=least.days)
    planned = planned_day(known.derived(spine_orders).lumbar_injections, facts.as_of)
    short = least.met_by(max(0, (planned - first.when.last).days))
    return Sign(MET if short else NOT_MET, shown if short else ()), shown, earliest


def _no_care(
    facts: Facts, known: Known, found: Indication, repeat: bool | None, care: tuple[Evidence, ...]
) -> Sign:
    """First injections only: no care on file, or care that worked."""
    if repeat or found.zoster:
        return ABSENT
    response, unread = known.derived(treatment).response, known.derived(visits).unknown
    if repeat is None:
        return Sign(UNKNOWN, (), unread)
    if response.adequate:
        shown = tuple(e for e in (response.baseline, response.latest) if e is not None)
        episode = (Need.CONDITIONS,) if facts.lacks(Need.CONDITIONS) else ()
        return Sign(UNKNOWN if episode else MET, shown, episode)
    if not care:
        unseen = [Need.MEDICATIONS] if facts.lacks(Need.MEDICATIONS) else []
        unseen += [Need.CONDITIONS] if found.supported is None else []  # perhaps zoster
        return Sign(UNKNOWN if unseen else MET, (), tuple(unseen))
    return Sign(UNKNOWN, (), response.missing) if response.missing else ABSENT


def _too_many(facts: Facts, known: Known, unread: tuple[Need, ...]) -> Sign:
    sessions = known.derived(visits).of("lumbar_esi", known.number("esi.session_days").days)
    if known.number("esi.sessions").met_by(len(sessions)):
        return Sign(
            MET,
            tuple(
                Evidence(ref, "lumbar injection", on(s.day)) for s in sessions for ref in s.refs[:1]
            ),
        )
    return Sign(UNKNOWN, (), unread) if unread else ABSENT


def _no_relief(
    facts: Facts, known: Known, last: date | None, unread: tuple[Need, ...]
) -> tuple[Sign, tuple[Evidence, ...]]:
    """Repeat injections only: no pair of scores shows lasting relief, as none can soon
    after the last.
    """
    if last is None:
        return (Sign(UNKNOWN, (), unread) if unread else ABSENT), ()
    given = (Evidence(_ref_of(known, last), "last lumbar injection", on(last)),)
    pair = next(_pairs(facts, known, last), None)
    if pair is not None:
        return (Sign(UNKNOWN, given, unread) if unread else ABSENT), pair
    if facts.lacks(Need.OBSERVATIONS) and known.number("esi.after_days").met_by(
        (facts.as_of - last).days
    ):
        return Sign(UNKNOWN, given, (Need.OBSERVATIONS,)), ()
    return Sign(MET, given), ()


def _ref_of(known: Known, day: date) -> str:
    return next(v.refs[0] for v in known.derived(visits).of("lumbar_esi") if v.day == day)


def _pairs(facts: Facts, known: Known, last: date) -> Iterator[tuple[Evidence, Evidence]]:
    """Scores of one instrument, before and long after the injection, of which the second
    shows relief.
    """
    window, lasting = known.number("esi.before_days"), known.number("esi.after_days")
    for instrument in SCORES:
        scored = [
            (o, (day_of(o.when, facts.as_of) - last).days)
            for o in scores_in(facts, known.codes(instrument))
        ]
        before = [o for o, days in scored if days <= 0 and window.met_by(-days)]
        after = [o for o, days in scored if lasting.met_by(days)]
        yield from (
            (measured(b), measured(a)) for b in before for a in after if _relieved(b, a, known)
        )


def _relieved(before: Observation, after: Observation, known: Known) -> bool:
    """By at least as much as the limit; a score that may have been lower before, or higher after,
    shows nothing.
    """
    if before.value is None or after.value is None or before.value.value <= 0:
        return False
    if before.value.comparator.startswith("<") or after.value.comparator.startswith(">"):
        return False
    fall = PERCENT * (1 - Fraction(after.value.value) / Fraction(before.value.value))
    return known.number("esi.relief").met_by(fall)
