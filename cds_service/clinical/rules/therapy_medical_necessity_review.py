"""The payer's medical necessity review of physical and occupational therapy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from cds_service.clinical.back_pain import back_pain, has_back_pain
from cds_service.clinical.covers import covers
from cds_service.clinical.criteria import (
    INFO,
    MET,
    UNKNOWN,
    WARNING,
    Criterion,
    Indicator,
    OrderChange,
)
from cds_service.clinical.dates import on
from cds_service.clinical.evidence import age
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.rule import Declared, Known, declared, rule
from cds_service.clinical.spine_orders import spine_orders
from cds_service.clinical.submissions import Submission, business_days, submissions
from cds_service.clinical.therapy_plans import THERAPY, plan_review
from cds_service.clinical.visits import visits

REFUSED = ("denied", "partial")
SIGNED = ("therapy-plan-incomplete", "review-denial-risk")
VIEWED = ("review-point-reached", "review-turnaround-exceeded", "review-denied")


def _step(name: str, *words: str, worst: Indicator = INFO) -> Declared:
    """A step of the review, silent in an emergency."""
    return declared(name, worst=worst, words=words, routine=True, gated=True)


def _applies(facts: Facts, known: Known) -> bool | None:
    if facts.hook == "patient-view":
        return has_back_pain(facts, known)
    orders = known.derived(spine_orders)
    if orders.equipment:
        return True
    if facts.hook == "order-sign" and orders.therapy_plans:
        return has_back_pain(facts, known)
    return False


@rule(
    hooks=("patient-view", "order-select", "order-sign"),
    applies=_applies,
    wants=(Need.COVERAGES, Need.OBSERVATIONS, Need.GOALS, Need.CLAIMS, Need.CLAIM_RESPONSES),
    uses=(back_pain, covers, plan_review, spine_orders, submissions, visits),
    numbers=(
        "mnr.visits",
        "mnr.visit_days",
        "mnr.claim_lead_days",
        "mnr.business_days",
        "mnr.request_days",
        "mnr.denial_days",
        "mnr.most_visits",
    ),
    criteria=(
        _step("therapy-plan-incomplete", "gaps", "diagnosis", worst=WARNING),
        _step("review-denial-risk", "reasons", "plateau", "fewer", worst=WARNING),
        _step("review-point-reached", "visits", "days", "coverage"),
        _step("review-turnaround-exceeded", "days", "sent", "limit", "holidays"),
        declared("dme-under-another-program", worst=INFO, words=("items",), gated=True),
        _step("review-denied", "decision", "decided"),
    ),
)
def therapy_medical_necessity_review(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Helps a therapy plan through the payer's review: what it lacks, when it is due, what follows
    a denial.

    On signing a plan for low back pain: gaps in the submission and reasons for which it may be
    denied. On patient-view: five visits without a submission, a complete submission unanswered
    beyond its turnaround, a denial that nothing has followed. Equipment ordered belongs to another
    programme, with or without back pain. Scores, goals, visits, claims or answers that could not be
    read leave what rests on them unknown; a submission that does not say it is complete starts no
    clock.

    Source: cigna-therapy-mnr, how the review works and FAQ; ash-therapy-notice for the fifth visit.
    """
    pain = known.derived(back_pain)
    if facts.hook == "patient-view":
        if pain.missing:
            yield from (Criterion(name, UNKNOWN, INFO, {}, (), pain.missing) for name in VIEWED)
            return
        yield from _review_point(facts, known)
        yield from _turnaround(facts, known)
        yield from _denied(facts, known)
        return
    equipment = known.derived(spine_orders).equipment
    if equipment:
        items = tuple(d.text or min(d.codes).code for d in equipment)
        refs = tuple(d.ref for d in equipment)
        yield Criterion("dme-under-another-program", MET, INFO, {"items": items}, refs)
    if facts.hook == "order-sign" and known.derived(spine_orders).therapy_plans:
        if pain.missing:
            yield from (Criterion(name, UNKNOWN, WARNING, {}, (), pain.missing) for name in SIGNED)
        elif pain.present:
            yield from _plan(known)


def _plan(known: Known) -> Iterator[Criterion]:
    review, plans = known.derived(plan_review), known.derived(spine_orders).therapy_plans
    refs = tuple(plan.ref for plan in plans)
    if review.gaps or review.gaps_unread:
        status = MET if review.gaps else UNKNOWN
        missing = () if review.gaps else review.gaps_unread
        words: dict[str, Any] = {"gaps": review.gaps, "diagnosis": _diagnosis(known)}
        yield Criterion("therapy-plan-incomplete", status, WARNING, words, refs, missing)
    if review.risks or review.risks_unread:
        fewer, many = None, review.excessive
        if many is not None:
            fewer = OrderChange(many.ref, {"quantity": known.number("mnr.most_visits").value})
        words = {
            "reasons": tuple(dict.fromkeys(risk.why for risk in review.risks)),
            "plateau": any(risk.kind == "plateau" for risk in review.risks),
            "fewer": fewer,
        }
        because = tuple(
            dict.fromkeys((*refs, *(ref for risk in review.risks for ref in risk.refs)))
        )
        status, missing = (MET, ()) if review.risks else (UNKNOWN, review.risks_unread)
        yield Criterion("review-denial-risk", status, WARNING, words, because, missing)


def _diagnosis(known: Known) -> OrderChange | None:
    """The first plan without a diagnosis, given for the back pain of the chart."""
    conditions = known.derived(back_pain).conditions
    plans = known.derived(spine_orders).therapy_plans
    bare = next((p for p in plans if not p.reasons and not p.reason_refs), None)
    if bare is None or not conditions:
        return None
    return OrderChange(
        bare.ref, {"reasonReference": [{"reference": min(c.ref for c in conditions)}]}
    )


def _review_point(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Enough visits of late, and no submission since shortly before the first of them."""
    pain, seen = known.derived(back_pain), known.derived(visits)
    recent = seen.of_any(THERAPY, known.number("mnr.visit_days").days)
    sent = known.derived(submissions)
    if recent and known.number("mnr.visits").met_by(len(recent)):
        since = recent[0].day - timedelta(days=known.number("mnr.claim_lead_days").days)
        if sent.drafted["therapy_review"] or any(s.day >= since for s in sent.of("therapy_review")):
            return
        name = "review-point-reached"
        words = {
            "visits": len(recent),
            "days": tuple(visit.day for visit in recent),
            "coverage": known.derived(covers).get(name, ""),
        }
        refs = (*(ref for visit in recent for ref in visit.refs), *pain.references)
        missing = (Need.CLAIMS,) if facts.lacks(Need.CLAIMS) else ()
        because = tuple(dict.fromkeys(refs))
        yield Criterion(name, UNKNOWN if missing else MET, INFO, words, because, missing)
    elif seen.unknown:
        yield Criterion("review-point-reached", UNKNOWN, INFO, {}, (), seen.unknown)


def _turnaround(facts: Facts, known: Known) -> Iterator[Criterion]:
    """The oldest complete submission without an answer that no later one takes up."""
    found, limit = (
        known.derived(submissions).of("therapy_review"),
        known.number("mnr.business_days"),
    )
    window = known.number("mnr.request_days")
    holidays = frozenset[date]().union(*(payer.holidays for payer in known.payers))
    taken_up = {ref for s in found for ref in s.updates}
    waiting = [
        s
        for s in found
        if s.complete
        and not s.answered
        and age(on(s.day), facts.as_of, window)
        and limit.met_by(business_days(s.day, facts.as_of, holidays))
        and s.ref not in taken_up
    ]
    if waiting:
        first = waiting[0]
        words = {
            "days": business_days(first.day, facts.as_of, holidays),
            "sent": first.day,
            "limit": limit,
            "holidays": bool(holidays),
        }
        missing = (Need.CLAIM_RESPONSES,) if facts.lacks(Need.CLAIM_RESPONSES) else ()
        status = UNKNOWN if missing else MET
        yield Criterion("review-turnaround-exceeded", status, INFO, words, first.refs, missing)
    elif facts.lacks(Need.CLAIMS):
        yield Criterion("review-turnaround-exceeded", UNKNOWN, INFO, {}, (), (Need.CLAIMS,))


def _denied(facts: Facts, known: Known) -> Iterator[Criterion]:
    """The latest denial, whole or in part, after which nothing was submitted."""
    found, window = known.derived(submissions), known.number("mnr.denial_days")
    if found.unknown:
        yield Criterion("review-denied", UNKNOWN, INFO, {}, (), found.unknown)
        return
    refused = [
        (s.decided, s.ref, s)
        for s in found.of("therapy_review")
        if s.decision in REFUSED
        and s.decided
        and age(on(s.decided), facts.as_of, window)
        and not _followed(s, known)
    ]
    for decided, _, last in sorted(refused, key=lambda each: each[:2])[-1:]:
        words = {"decision": last.decision, "decided": decided}
        yield Criterion("review-denied", MET, INFO, words, last.refs)


def _followed(refused: Submission, known: Known) -> bool:
    return any(
        s.ref != refused.ref and refused.decided is not None and s.day >= refused.decided
        for s in known.derived(submissions).of("therapy_review")
    )
