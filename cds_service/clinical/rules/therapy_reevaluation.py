"""Re-evaluation of a therapy trial, and a change of therapy when it does not help."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from cds_service.clinical.back_pain import back_pain, has_back_pain
from cds_service.clinical.criteria import INFO, MET, UNKNOWN, WARNING, Criterion
from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.evidence import day_of
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.referrals import referrals
from cds_service.clinical.rule import Known, declared, rule
from cds_service.clinical.scores import scores_in
from cds_service.clinical.treatment import treatment
from cds_service.clinical.visits import visits
from cds_service.frozen import Frozen

SCORES = ("outcome-odi", "outcome-peg", "outcome-pain-nrs")
REVIEWING = ("office", "pain", "medical_spine", "surgeon", "rheumatology", "reevaluation")
# In the order in which an alternative is offered.
ALTERNATIVES = {
    "pt": "physical therapy",
    "chiropractic": "chiropractic care",
    "acupuncture": "acupuncture",
    "ot": "occupational therapy",
}


class _Course(Frozen):
    """A therapy trial: its first visit of late, the day it is on, and the records that show it."""

    start: date
    day: int
    refs: tuple[str, ...]


class Ordered(Frozen):
    """A therapy that is ordered and has not been tried: its name, and when it was ordered."""

    therapy: str
    when: FuzzyDate | None
    ref: str


@rule(
    hooks=("patient-view",),
    applies=has_back_pain,
    needs=(Need.CONDITIONS,),
    wants=(Need.OBSERVATIONS, Need.QUESTIONNAIRE_RESPONSES, Need.SERVICE_REQUESTS),
    uses=(back_pain, referrals, treatment, visits),
    numbers=(
        "therapy.visit_days",
        "therapy.reevaluation_day",
        "therapy.overdue_day",
        "therapy.request_days",
    ),
    codes=SCORES,
    criteria=(
        declared(
            "no-functional-gain",
            worst=WARNING,
            words=("response", "tried", "untried", "ordered", "awaited", *ALTERNATIVES),
            kinds={"ordered": tuple[Ordered, ...]},
            routine=True,
        ),
        declared(
            "therapy-reevaluation-due",
            worst=WARNING,
            words=("start", "day", "due", "overdue", "elsewhere"),
            routine=True,
        ),
    ),
)
def therapy_reevaluation(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Asks for the re-evaluation of a therapy trial after two to four weeks, and for another
    therapy without gain.

    The trial begins with the first therapy visit of late. A visit to the practice or a specialist,
    a therapist's re-evaluation, or a pain or function score counts as re-evaluation. A response
    that was not measured is not a bad one: it leaves the second unknown. While another therapy is
    ordered no further one is offered. Visits or scores of this
    chart that could not be read leave both unknown; without claims the card says that a visit
    elsewhere may be missing.

    Source: cigna-lbp-guide, therapy row.
    """
    course = _course(facts, known)
    unread = known.derived(visits).unknown
    due = known.number("therapy.reevaluation_day")
    if course is None or not due.met_by(course.day):
        for name in ("therapy-reevaluation-due", "no-functional-gain") if unread else ():
            yield Criterion(name, UNKNOWN, WARNING, {}, course.refs if course else (), unread)
        return
    yield from _review(facts, known, course)
    yield from _gain(known, course)


def _course(facts: Facts, known: Known) -> _Course | None:
    seen = known.derived(visits).therapy(known.number("therapy.visit_days").days)
    if not seen:
        return None
    refs = [ref for visit in seen for ref in visit.refs]
    because = tuple(dict.fromkeys((*refs, *known.derived(back_pain).references)))
    return _Course(seen[0].day, (facts.as_of - seen[0].day).days, because)


def _review(facts: Facts, known: Known, course: _Course) -> Iterator[Criterion]:
    name = "therapy-reevaluation-due"
    due, late = known.number("therapy.reevaluation_day"), known.number("therapy.overdue_day")
    seen = [visit.day for visit in known.derived(visits).of_any(REVIEWING)]
    scored = [
        day_of(o.when, facts.as_of)
        for group in SCORES
        for o in scores_in(facts, known.codes(group))
        if o.answered  # one recorded as not done says nothing
    ]
    if any(due.met_by((day - course.start).days) for day in (*seen, *scored)):
        return
    overdue = late.met_by(course.day)
    words = {
        "start": course.start,
        "day": course.day,
        "due": facts.as_of + timedelta(weeks=1),
        "overdue": overdue,
        "elsewhere": bool(known.derived(visits).elsewhere),
    }
    missing = known.derived(visits).unknown + (
        (Need.OBSERVATIONS,) if facts.lacks(Need.OBSERVATIONS) else ()
    )
    status = UNKNOWN if missing else MET
    yield Criterion(name, status, WARNING if overdue else INFO, words, course.refs, missing)


def _gain(known: Known, course: _Course) -> Iterator[Criterion]:
    response, start = (
        known.derived(treatment).response,
        known.derived(treatment).start or course.start,
    )
    if response.adequate:
        return
    seen = {kind: known.derived(visits).of(kind) for kind in ALTERNATIVES}
    tried = [kind for kind, days in seen.items() if days and days[-1].day >= start]
    free = [kind for kind in ALTERNATIVES if kind not in tried]
    ordered = tuple(_ordered(known, free))
    offered = next(iter(free), None) if not ordered else None
    words: dict[str, Any] = {
        "response": response,
        "tried": tuple(ALTERNATIVES[kind] for kind in tried),
        "untried": tuple(ALTERNATIVES[kind] for kind in free),
        "ordered": ordered,
        "awaited": tuple(each.therapy for each in ordered),
        **{kind: kind == offered for kind in ALTERNATIVES},
    }
    status = MET if response.inadequate else UNKNOWN
    asked = (each.ref for each in ordered)
    refs = tuple(dict.fromkeys((*response.references, *course.refs, *asked)))
    yield Criterion("no-functional-gain", status, WARNING, words, refs, response.missing)


def _ordered(known: Known, kinds: list[str]) -> Iterator[Ordered]:
    """The latest open request of late for each kind of therapy."""
    window = known.number("therapy.request_days").days
    for kind in kinds:
        found = known.derived(referrals).open(kind, window)
        if found:
            latest = max(found, key=lambda r: (r.when.last if r.when else date.max, r.ref))
            yield Ordered(ALTERNATIVES[kind], latest.when, latest.ref)
