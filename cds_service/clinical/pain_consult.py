"""Whether opioid treatment alone asks for a pain specialist: days on opioids and daily
dose. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.criteria import MET, UNKNOWN, WARNING, Criterion
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.mme import daily_mme
from cds_service.clinical.opioid_course import opioid_course
from cds_service.clinical.referrals import referrals
from cds_service.clinical.rule import Known, reasoning
from cds_service.clinical.visits import visits


@reasoning(
    uses=(referrals, visits),
    numbers=("pain.referral_open", "pain.visit_recent"),
)
def pain_care_in_hand(facts: Facts, known: Known) -> bool:
    """Whether the advice is superfluous: a referral is open or a pain specialist saw the patient."""
    return bool(
        known.derived(referrals).open("pain", known.number("pain.referral_open").days)
        or known.derived(visits).of("pain", known.number("pain.visit_recent").days)
    )


@reasoning(
    wants=(Need.MEDICATIONS,),
    uses=(pain_care_in_hand, exclusions, daily_mme, opioid_course),
    numbers=("pain.opioid_days", "pain.consult_dose"),
)
def opioid_consult(facts: Facts, known: Known) -> tuple[Criterion, ...]:
    """R-PAIN-01 and R-PAIN-02 for a patient with low back pain. Source: cigna-lbp-guide,
    pain specialist row.
    """
    if known.derived(pain_care_in_hand) or known.derived(exclusions).care:
        return ()
    missing = (Need.MEDICATIONS,) if facts.lacks(Need.MEDICATIONS) else ()
    return (*_course(facts, known, missing), *_dose(facts, known, missing))


def _course(facts: Facts, known: Known, missing: tuple[Need, ...]) -> Iterator[Criterion]:
    """On the order hooks the end of the draft's supply stands in for today."""
    course, limit = known.derived(opioid_course), known.number("pain.opioid_days")
    days = (
        0
        if course is None
        else course.days
        if facts.hook == "patient-view"
        else course.projected_days
    )
    if course is not None and course.current and limit.met_by(days):
        words = {"course": course, "limit": limit, "mme": known.derived(daily_mme)}
        yield Criterion("opioids-beyond-one-month", MET, WARNING, words, course.references)
    elif missing:
        yield Criterion("opioids-beyond-one-month", UNKNOWN, WARNING, {}, (), missing)


def _dose(facts: Facts, known: Known, missing: tuple[Need, ...]) -> Iterator[Criterion]:
    """A lower bound that reaches the dose meets it; below, the dose is not known."""
    mme, threshold = known.derived(daily_mme), known.number("pain.consult_dose")
    words = {"mme": mme, "threshold": threshold}
    if threshold.met_by(mme.per_day):
        yield Criterion("opioid-dose-for-consult", MET, WARNING, words, mme.references)
    elif missing:
        yield Criterion("opioid-dose-for-consult", UNKNOWN, WARNING, words, (), missing)
    elif mme.is_lower_bound:
        yield Criterion("opioid-dose-for-consult", UNKNOWN, WARNING, words, mme.references)
