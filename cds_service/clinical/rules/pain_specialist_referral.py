"""When the referral guide asks for a pain specialist's opinion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cds_service.clinical.back_pain import back_pain
from cds_service.clinical.criteria import INFO, MET, UNKNOWN, WARNING, Criterion
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.opioid_orders import opioid_orders
from cds_service.clinical.pain_consult import opioid_consult, pain_care_in_hand
from cds_service.clinical.rule import Known, declared, rule
from cds_service.clinical.treatment import treatment
from cds_service.clinical.visits import CHART_NEEDS, visits


def _applies(facts: Facts, known: Known) -> bool | None:
    """Adult low back pain; on the order hooks only with an opioid draft."""
    if facts.hook != "patient-view" and not known.derived(opioid_orders).all:
        return False
    back = known.derived(back_pain)
    if back.adult is False:
        return False
    if not back.present:
        return None if facts.lacks(Need.CONDITIONS) else False
    return True


@rule(
    hooks=("patient-view", "order-select", "order-sign"),
    applies=_applies,
    needs=(Need.PATIENT, Need.CONDITIONS),
    wants=(
        Need.MEDICATIONS,
        Need.DISPENSES,
        Need.STATEMENTS,
        Need.SERVICE_REQUESTS,
        Need.ENCOUNTERS,
        Need.PROCEDURES,
        Need.OBSERVATIONS,
        Need.GOALS,
        Need.CLAIMS,
        Need.BENEFITS,
    ),
    uses=(
        back_pain,
        exclusions,
        opioid_consult,
        opioid_orders,
        pain_care_in_hand,
        treatment,
        visits,
    ),
    numbers=(
        "pain.therapy_visits",
        "pain.therapy_visits_many",
        "pain.therapy_visit_window",
        "episode.lead_days",
        "pain.treatment_days",
        "pain.consult_by",
    ),
    criteria=(
        declared(
            "opioids-beyond-one-month",
            worst=WARNING,
            words=("course", "limit", "mme", "opioids"),
            routine=True,
        ),
        declared(
            "opioid-dose-for-consult",
            worst=WARNING,
            words=("mme", "threshold", "opioids"),
            routine=True,
        ),
        declared(
            "inadequate-response-to-therapy-visits",
            worst=WARNING,
            words=("visits", "dates", "response", "limit", "opioids"),
            routine=True,
        ),
        declared(
            "inadequate-response-to-treatment",
            worst=WARNING,
            words=("start", "days", "tried", "response", "opioids"),
            routine=True,
        ),
        declared(
            "consult-window-from-onset",
            worst=WARNING,
            words=("onset", "due", "days", "limit", "opioids"),
            routine=True,
        ),
    ),
)
def pain_specialist_referral(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Suggests a pain specialist for adults with low back pain.

    Reasons: opioids for more than a month, the consult dose, and on patient-view an inadequate
    response to therapy visits or to a month of treatment; with any of them, the time from onset.
    Silent with an open referral or a recent pain visit. In cancer treatment, sickle cell disease
    and palliative care the opioid reasons and the time from onset are silent, an inadequate response
    is not. An unmeasured response never counts; visits or orders that could not be read leave what
    rests on them unknown.

    Source: cigna-lbp-guide, pain specialist row.
    """
    if known.derived(pain_care_in_hand):
        return
    found = [*known.derived(opioid_consult)]
    opioids = any(criterion.status is MET for criterion in found)
    if facts.hook == "patient-view":
        found += [*_therapy_visits(facts, known), *_treatment(facts, known)]
    yield from (_for_the_back(criterion, opioids, known) for criterion in found)
    timed = not known.derived(exclusions).care
    if timed and any(criterion.status is MET for criterion in found):
        yield from _window(facts, opioids, known)


def _for_the_back(criterion: Criterion, opioids: bool, known: Known) -> Criterion:
    """A reason for the consult rests on the back pain too: it is what the referral is for; `opioids`
    when they are a reason.
    """
    if criterion.status is not MET:
        return criterion
    refs = (*criterion.because, *known.derived(back_pain).references)
    because = tuple(dict.fromkeys(refs))
    words = {**criterion.words, "opioids": opioids}
    return Criterion(criterion.name, MET, criterion.indicator, words, because)


def _therapy_visits(facts: Facts, known: Known) -> Iterator[Criterion]:
    """R-PAIN-03: four to five visits are a note, six or more a warning."""
    response, back = known.derived(treatment).response, known.derived(back_pain)
    window = known.number("pain.therapy_visit_window").days
    lead = known.number("episode.lead_days").days
    reach = window if back.onset is None else min(window, back.onset.age(facts.as_of)[1] + lead)
    seen = known.derived(visits).of("pt", reach)
    some, many = known.number("pain.therapy_visits"), known.number("pain.therapy_visits_many")
    unread = known.derived(visits).unknown
    if not some.met_by(len(seen)):
        if unread and (response.inadequate or response.missing):
            name = "inadequate-response-to-therapy-visits"
            yield Criterion(name, UNKNOWN, WARNING, {}, (), unread)
        return
    indicator = WARNING if many.met_by(len(seen)) else INFO
    dates = tuple(visit.day for visit in seen)
    words = {"visits": len(seen), "dates": dates, "response": response, "limit": some}
    refs = (*(ref for visit in seen for ref in visit.refs), *response.references)
    if response.verdict == "inadequate":
        yield Criterion("inadequate-response-to-therapy-visits", MET, indicator, words, refs)
    elif response.verdict == "unknown":
        yield Criterion(
            "inadequate-response-to-therapy-visits", UNKNOWN, indicator, words, (), response.missing
        )


def _treatment(facts: Facts, known: Known) -> Iterator[Criterion]:
    """R-PAIN-04: thirty days after treatment began."""
    treated, limit = known.derived(treatment), known.number("pain.treatment_days")
    if treated.start is None or not limit.met_by((facts.as_of - treated.start).days):
        unread = tuple(need for need in (Need.MEDICATIONS, *CHART_NEEDS) if facts.lacks(need))
        if unread and (treated.response.inadequate or treated.response.missing):
            name = "inadequate-response-to-treatment"
            yield Criterion(name, UNKNOWN, WARNING, {}, (), unread)
        return
    days = (facts.as_of - treated.start).days
    words = {
        "start": treated.start,
        "days": days,
        "tried": tuple(dict.fromkeys(e.label for e in treated.tried)),
        "response": treated.response,
    }
    if treated.response.verdict == "inadequate":
        refs = tuple(dict.fromkeys((*(e.ref for e in treated.tried), *treated.response.references)))
        yield Criterion("inadequate-response-to-treatment", MET, WARNING, words, refs)
    elif treated.response.verdict == "unknown":
        yield Criterion(
            "inadequate-response-to-treatment",
            UNKNOWN,
            WARNING,
            words,
            (),
            treated.response.missing,
        )


def _window(facts: Facts, opioids: bool, known: Known) -> Iterator[Criterion]:
    """R-PAIN-05: due within the window from onset; past it, overdue."""
    back, limit = known.derived(back_pain), known.number("pain.consult_by")
    if back.onset is None or back.days is None:
        return
    words = {
        "onset": back.onset,
        "due": back.onset.first + timedelta(days=limit.days),
        "days": back.days,
        "limit": limit,
        "opioids": opioids,
    }
    indicator = WARNING if limit.met_by(back.days) else INFO
    yield Criterion("consult-window-from-onset", MET, indicator, words, back.references)
