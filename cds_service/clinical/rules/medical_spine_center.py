"""The payer's medical spine visit before the first visit with a spine surgeon."""

from __future__ import annotations

from collections.abc import Iterator
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
from cds_service.clinical.evidence import age, described
from cds_service.clinical.facts import Facts, Need, Request
from cds_service.clinical.red_flags import red_flags
from cds_service.clinical.referrals import referrals
from cds_service.clinical.rule import Declared, Known, declared, rule
from cds_service.clinical.spine_orders import reasons_of, spine_orders
from cds_service.clinical.submissions import submissions
from cds_service.clinical.treatment import treatment
from cds_service.clinical.visits import Visit, visits


def _step(name: str, *words: str, worst: Indicator = WARNING) -> Declared:
    """A step that the payer asks for, silent in an emergency."""
    return declared(name, worst=worst, words=words, routine=True, gated=True)


def _applies(facts: Facts, known: Known) -> bool | None:
    if facts.hook == "patient-view":
        return has_back_pain(facts, known)
    return bool(known.derived(spine_orders).surgeon)


@rule(
    hooks=("patient-view", "order-select", "order-sign"),
    applies=_applies,
    wants=(Need.COVERAGES, Need.CONDITIONS, Need.ENCOUNTERS, Need.DOCUMENTS, Need.PATIENT),
    uses=(back_pain, covers, red_flags, referrals, spine_orders, submissions, treatment, visits),
    numbers=(
        "msc.lookback",
        "msc.first_visit_days",
        "msc.authorization_days",
        "msc.summary_days",
        "msc.pain_days",
        "msc.request_days",
    ),
    codes=("medical-spine-visit-summary",),
    criteria=(
        _step("medical-spine-visit-first", "lookback", "hold"),
        _step("spine-surgery-visit-authorization", "visit", "coverage"),
        _step("medical-spine-summary-missing", "visit", "limit"),
        _step("medical-spine-visit-recommended", "days", "response", worst=INFO),
        declared("emergent-exception", worst=INFO, words=("evidence",), gated=True),
    ),
)
def medical_spine_center(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Asks for a medical spine visit before the first spine surgeon visit, then for its
    authorization and summary.

    For adult members of a payer that turns it on, when a spine surgeon is ordered for the back and
    none was seen in three years. A red flag other than a lasting deficit exempts, and says so. On
    patient-view it recommends the visit when weeks of treatment did not help. Visits, claims,
    documents or red flags that could not be read leave it unknown; a response that was not measured
    recommends nothing. Quiet once the medical spine visit is being ordered in the same call, or is
    on order and the surgeon's is on hold.

    Source: healthpartners-msc, steps 1 to 3.
    """
    if facts.hook == "patient-view":
        yield from _recommended(facts, known)
        return
    surgeon = known.derived(spine_orders).surgeon
    seen_before = known.derived(visits).of("surgeon", known.number("msc.first_visit_days").days)
    if seen_before:
        return
    drafts = tuple(d for d in surgeon if _for_back(d, facts, known))
    if not drafts:
        # Only conditions that could not be read would tell what a draft without a reason is for.
        unclear = facts.lacks(Need.CONDITIONS) and not all(d.reasons for d in surgeon)
        if unclear and known.derived(back_pain).adult is not False:
            yield _said("medical-spine-visit-first", WARNING, {}, (), (Need.CONDITIONS,))
        return
    unread = (Need.ENCOUNTERS,) if facts.lacks(Need.ENCOUNTERS) else ()
    refs = (*(d.ref for d in drafts), *known.derived(back_pain).references)
    exempt = known.derived(red_flags).exempting
    if exempt.met:
        words = {"evidence": described(exempt.evidence)}
        yield _said("emergent-exception", INFO, words, (*exempt.refs, *refs), unread)
    elif known.derived(back_pain).adult is not False:
        unsure = tuple(dict.fromkeys((*unread, *exempt.missing)))
        yield from _before_surgeon(facts, known, drafts, refs, unsure)


def _for_back(draft: Request, facts: Facts, known: Known) -> bool:
    """For back pain, for what a red flag rests on, or for no stated reason while there is
    back pain.
    """
    orders = known.derived(spine_orders)
    if draft.ref in orders.for_back:
        return True
    if draft.ref in orders.without_reason:
        return known.derived(back_pain).present
    alarming = set(known.derived(red_flags).exempting.refs)
    reasons = reasons_of(draft, facts)
    return any(c.ref in alarming and not reasons.isdisjoint(c.codes) for c in facts.conditions)


def _before_surgeon(
    facts: Facts,
    known: Known,
    drafts: tuple[Request, ...],
    refs: tuple[str, ...],
    unread: tuple[Need, ...],
) -> Iterator[Criterion]:
    lookback = known.number("msc.lookback")
    done = known.derived(visits).of("medical_spine", lookback.days)
    if not done:
        if not _arranged(known, drafts):
            held = next((d for d in drafts if d.status != "on-hold"), None)
            hold = OrderChange(held.ref, {"status": "on-hold"}) if held else None
            words: dict[str, Any] = {"lookback": lookback, "hold": hold}
            yield _said("medical-spine-visit-first", WARNING, words, refs, unread)
        return
    attended = tuple(ref for visit in done for ref in visit.refs)
    words = {"visit": done[-1].day}
    if not _authorized(facts, known):
        name = "spine-surgery-visit-authorization"
        missing = tuple(dict.fromkeys((*unread, *known.derived(submissions).unknown)))
        asked = {**words, "coverage": known.derived(covers).get(name, "")}
        yield _said(name, WARNING, asked, (*refs, *attended), missing)
    if not _summarised(facts, known, done):
        missing = (*unread, Need.DOCUMENTS) if facts.lacks(Need.DOCUMENTS) else unread
        words = {**words, "limit": known.number("msc.summary_days")}
        yield _said("medical-spine-summary-missing", WARNING, words, (*refs, *attended), missing)


def _arranged(known: Known, drafts: tuple[Request, ...]) -> bool:
    """The visit is ordered in this call, or is on order while every surgeon draft waits."""
    asked = known.derived(referrals).open("medical_spine", known.number("msc.request_days").days)
    return any(r.draft for r in asked) or (
        bool(asked) and all(d.status == "on-hold" for d in drafts)
    )


def _authorized(facts: Facts, known: Known) -> bool:
    window, sent = known.number("msc.authorization_days"), known.derived(submissions)
    return bool(sent.drafted["spine_visit"]) or any(
        s.ref and s.decision != "denied" and age(on(s.day), facts.as_of, window)
        for s in sent.of("spine_visit")
    )


def _summarised(facts: Facts, known: Known, done: tuple[Visit, ...]) -> bool:
    """A current summary dated on or soon after one of the visits."""
    codes, limit = known.codes("medical-spine-visit-summary"), known.number("msc.summary_days")
    days = [
        d.when.first
        for d in facts.documents
        if d.status == "current"
        and d.when
        and d.when.first <= facts.as_of
        and codes.any_of(d.codes)
    ]
    return any(
        (day - visit.day).days >= 0 and limit.met_by((day - visit.day).days)
        for day in days
        for visit in done
    )


def _recommended(facts: Facts, known: Known) -> Iterator[Criterion]:
    pain, seen = known.derived(back_pain), known.derived(visits)
    response, asked = known.derived(treatment).response, known.derived(referrals)
    if pain.missing:
        yield Criterion("medical-spine-visit-recommended", UNKNOWN, INFO, {}, (), pain.missing)
    if (
        pain.days is None
        or not known.number("msc.pain_days").met_by(pain.days)
        or response.adequate
    ):
        return
    if seen.of("medical_spine", known.number("msc.lookback").days):
        return
    if asked.open("medical_spine", known.number("msc.request_days").days):
        return
    missing = tuple(dict.fromkeys((*response.missing, *asked.unknown)))
    missing += (
        (Need.ENCOUNTERS,)
        if facts.lacks(Need.ENCOUNTERS) and Need.ENCOUNTERS not in missing
        else ()
    )
    words = {"days": pain.days, "response": response}
    refs = tuple(dict.fromkeys((*response.references, *pain.references)))
    sure = response.inadequate and not missing
    yield Criterion(
        "medical-spine-visit-recommended", MET if sure else UNKNOWN, INFO, words, refs, missing
    )


def _said(
    name: str,
    indicator: Indicator,
    words: dict[str, Any],
    refs: tuple[str, ...],
    missing: tuple[Need, ...],
) -> Criterion:
    """Met, or unknown for want of `missing`."""
    because = tuple(dict.fromkeys(refs))
    return Criterion(name, UNKNOWN if missing else MET, indicator, words, because, missing)
