"""Behavioural health: what calls for it, and whether care is already under way. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from cds_service.clinical.back_pain import back_pain
from cds_service.clinical.criteria import MET, UNKNOWN
from cds_service.clinical.dates import on
from cds_service.clinical.evidence import (
    ABSENT,
    Evidence,
    Sign,
    age,
    all_of,
    any_of,
    coded,
    condition_evidence,
    measured,
    recorded,
    sign,
)
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Condition, Facts, Need, Quantity
from cds_service.clinical.mme import daily_mme
from cds_service.clinical.opioid_course import opioid_course
from cds_service.clinical.referrals import referrals
from cds_service.clinical.rule import Known, reasoning
from cds_service.clinical.screens import Screen, screens
from cds_service.clinical.treatment import treatment
from cds_service.clinical.visits import visits
from cds_service.frozen import Frozen
from cds_service.knowledge.numbers import Number

# Instrument -> its cut-off; AUDIT-C has one by sex.
CUT_OFFS: Mapping[str, str] = {
    "PHQ-9": "behavioral.phq9",
    "PHQ-2": "behavioral.phq2",
    "GAD-7": "behavioral.gad7",
    "AUDIT": "behavioral.audit",
    "DAST-10": "behavioral.dast10",
    "ORT": "behavioral.ort",
}
# A fuller instrument on the same day or later decides in place of the short one.
FULLER = {"PHQ-2": "PHQ-9", "AUDIT-C": "AUDIT"}


class Positive(Frozen):
    """A positive screen and the cut-off it reached."""

    screen: Screen
    limit: Number


class Behavioral(Frozen):
    """The reasons for behavioural health care; `in_hand` when a visit or an open request
    makes them superfluous.
    """

    in_hand: bool = False
    substance_use: Sign = ABSENT  # an active disorder
    substance_history: Sign = ABSENT  # a disorder, over or not, or a past opioid poisoning
    positives: tuple[Positive, ...] = ()  # without care dated on or after the screen
    screens_unknown: tuple[Need, ...] = ()
    diagnosis: Sign = ABSENT
    fear_avoidance: Sign = ABSENT
    disability: Sign = ABSENT
    opioids: Sign = ABSENT


@reasoning(
    wants=(Need.CONDITIONS, Need.OBSERVATIONS, Need.PATIENT),
    uses=(back_pain, daily_mme, exclusions, opioid_course, referrals, screens, treatment, visits),
    numbers=(
        *CUT_OFFS.values(),
        "behavioral.auditc_male",
        "behavioral.auditc_other",
        "behavioral.screen_days",
        "behavioral.visit_days",
        "behavioral.request_days",
        "behavioral.fabq_work",
        "behavioral.fabq_activity",
        "behavioral.start_psychosocial",
        "behavioral.fear_days",
        "behavioral.pain_score",
        "behavioral.pain_score_days",
        "behavioral.peg_score_days",
        "behavioral.opioid_dose",
        "behavioral.opioid_days",
    ),
    codes=(
        "substance-use-disorder",
        "substance-use-remission",
        "opioid-overdose-history",
        "depression",
        "depression-full-remission-exclude",
        "anxiety",
        "other-behavioral-health",
        "disability-status",
        "pain-numeric-rating",
        "peg-mean",
    ),
)
def behavioral(facts: Facts, known: Known) -> Behavioral:
    """Every reason, whether or not care is in hand. Source: cigna-lbp-guide, behavioural
    health row.
    """
    return Behavioral(
        in_hand=_in_hand(facts, known),
        substance_use=_substance_use(facts, known),
        substance_history=_substance_history(facts, known),
        positives=tuple(_positives(facts, known)),
        screens_unknown=known.derived(screens).unknown,
        diagnosis=_diagnosis(facts, known),
        fear_avoidance=_fear_avoidance(facts, known),
        disability=_disability(facts, known),
        opioids=_opioids(facts, known),
    )


def _in_hand(facts: Facts, known: Known) -> bool:
    seen, asked = known.derived(visits), known.derived(referrals)
    return bool(
        seen.of_any(("behavioral", "sud"), known.number("behavioral.visit_days").days)
        or asked.open_any(("behavioral", "sud"), known.number("behavioral.request_days").days)
    )


def _care_since(day: date, facts: Facts, known: Known) -> bool:
    """A behavioural visit or referral dated on or after `day`."""
    kinds = ("behavioral", "sud")
    seen = known.derived(visits).of_any(kinds)
    return any(v.day >= day for v in seen) or known.derived(referrals).since(kinds, day)


def _in_remission(condition: Condition, known: Known) -> bool:
    return (
        known.codes("substance-use-remission").any_of(condition.codes)
        or condition.status == "remission"
    )


def _substance_use(facts: Facts, known: Known) -> Sign:
    active = (c for c in facts.conditions if c.active(facts.as_of) and not _in_remission(c, known))
    return sign(
        map(condition_evidence, coded(active, known.codes("substance-use-disorder"))),
        facts,
        Need.CONDITIONS,
    )


def _substance_history(facts: Facts, known: Known) -> Sign:
    codes = (known.codes("substance-use-disorder"), known.codes("opioid-overdose-history"))
    found = (c for c in facts.conditions_in(*codes) if c.ever(facts.as_of))
    return sign(map(condition_evidence, found), facts, Need.CONDITIONS)


def _positives(facts: Facts, known: Known) -> Iterator[Positive]:
    latest = known.derived(screens).latest
    window = known.number("behavioral.screen_days")
    for instrument, screen in sorted(latest.items()):
        limit = _cut_off(instrument, facts, known)
        fuller = latest.get(FULLER.get(instrument, ""))
        if limit is None or not window.met_by((facts.as_of - screen.day).days):
            continue
        if fuller is not None and fuller.day >= screen.day:
            continue
        if limit.met_by(screen.score) and not _care_since(screen.day, facts, known):
            yield Positive(screen, limit)


def _cut_off(instrument: str, facts: Facts, known: Known) -> Number | None:
    if instrument == "AUDIT-C":
        male = facts.patient is not None and facts.patient.sex == "male"
        return known.number("behavioral.auditc_male" if male else "behavioral.auditc_other")
    name = CUT_OFFS.get(instrument)
    return known.number(name) if name else None


def _diagnosis(facts: Facts, known: Known) -> Sign:
    """Depression not in full remission, anxiety, or another behavioural diagnosis."""
    well = known.codes("depression-full-remission-exclude")
    names = ("depression", "anxiety", "other-behavioral-health")
    listed = facts.conditions_in(*(known.codes(name) for name in names))
    found = (c for c in listed if c.active(facts.as_of) and not well.any_of(c.codes))
    return sign(map(condition_evidence, found), facts, Need.CONDITIONS)


def _fear_screens(facts: Facts, known: Known) -> Iterator[Screen]:
    """Fear-avoidance scores of the window at or past their cut-off."""
    window = known.number("behavioral.fear_days")
    limits = {
        "FABQ-W": "behavioral.fabq_work",
        "FABQ-PA": "behavioral.fabq_activity",
        "STarT psychosocial": "behavioral.start_psychosocial",
    }
    for instrument, number in limits.items():
        screen = known.derived(screens).latest.get(instrument)
        if screen is None or not window.met_by((facts.as_of - screen.day).days):
            continue
        if known.number(number).met_by(screen.score):
            yield screen


def _fear_avoidance(facts: Facts, known: Known) -> Sign:
    """Inadequate response, continued pain and fear avoidance together."""
    response = known.derived(treatment).response
    if not response.inadequate and not response.missing:
        return ABSENT
    slow = Sign(MET, tuple(e for e in (response.baseline, response.latest) if e is not None))
    if not response.inadequate:
        slow = Sign(UNKNOWN, (), response.missing)
    afraid = sign(
        (_shown(s) for s in _fear_screens(facts, known)), facts, Need.QUESTIONNAIRE_RESPONSES
    )
    return all_of(slow, _continued_pain(facts, known), afraid)


def _shown(screen: Screen) -> Evidence:
    return Evidence(screen.ref, screen.instrument, on(screen.day), Quantity(screen.score))


def _continued_pain(facts: Facts, known: Known) -> Sign:
    limit = known.number("behavioral.pain_score")
    scored = [
        measured(o)
        for codes, days in (
            ("pain-numeric-rating", "behavioral.pain_score_days"),
            ("peg-mean", "behavioral.peg_score_days"),
        )
        for o in recorded(facts, known.codes(codes))
        if o.value and limit.met_by(o.value.value) and age(o.when, facts.as_of, known.number(days))
    ]
    active = map(condition_evidence, known.derived(back_pain).conditions)
    return any_of(sign(scored, facts, Need.OBSERVATIONS), sign(active, facts, Need.CONDITIONS))


def _disability(facts: Facts, known: Known) -> Sign:
    active = (c for c in facts.conditions if c.active(facts.as_of))
    found = [condition_evidence(c) for c in coded(active, known.codes("disability-status"))]
    if facts.patient is not None and facts.patient.disability:
        found.append(Evidence(facts.patient.ref, "disability recorded for the patient"))
    noted = recorded(facts, known.codes("disability-status"))
    found += [measured(o) for o in noted if o.value_flag is not False]
    return sign(found, facts, Need.CONDITIONS)


def _opioids(facts: Facts, known: Known) -> Sign:
    """The caution dose or a long course; not in cancer treatment, sickle cell disease or
    palliative care.
    """
    if known.derived(exclusions).care:
        return ABSENT
    mme, course = known.derived(daily_mme), known.derived(opioid_course)
    found: list[Evidence] = []
    if known.number("behavioral.opioid_dose").met_by(mme.per_day):
        found += [Evidence(ref, "opioid dose") for ref in mme.references]
    if course and course.current and known.number("behavioral.opioid_days").met_by(course.days):
        found += [Evidence(ref, "opioid course") for ref in course.references]
    return sign(found, facts, Need.MEDICATIONS)
