"""Behavioural health care for a patient with low back pain."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.back_pain import back_pain, has_back_pain
from cds_service.clinical.behavioral import behavioral
from cds_service.clinical.criteria import INFO, MET, UNKNOWN, WARNING, Criterion
from cds_service.clinical.evidence import coded, said
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.mme import daily_mme
from cds_service.clinical.naloxone import naloxone_on_file
from cds_service.clinical.opioid_course import opioid_course
from cds_service.clinical.oud_treatment import OUD_VALUE_SETS
from cds_service.clinical.rule import Known, declared, rule


@rule(
    hooks=("patient-view",),
    applies=has_back_pain,
    needs=(Need.PATIENT, Need.CONDITIONS),
    uses=(back_pain, behavioral, daily_mme, naloxone_on_file, opioid_course),
    codes=OUD_VALUE_SETS,
    criteria=(
        declared(
            "substance-use-history",
            worst=WARNING,
            words=("evidence", "active", "opioid_use_disorder"),
            routine=True,
        ),
        declared("positive-screen", worst=WARNING, words=("positives", "first"), routine=True),
        declared("untreated-behavioral-diagnosis", worst=INFO, words=("evidence",), routine=True),
        declared("fear-avoidance", worst=WARNING, words=("evidence",), routine=True),
        declared("disability", worst=INFO, words=("evidence",), routine=True),
        declared(
            "high-dose-or-long-term-opioids",
            worst=WARNING,
            words=("mme", "course", "naloxone_missing"),
            routine=True,
        ),
    ),
)
def behavioral_health_referral(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Suggests behavioural health care when the chart shows a need and no care under way.

    Substance use disorder or its history, a positive screen, a behavioural diagnosis, slow recovery
    with fear avoidance, disability, higher-dose or long-term opioids. A recent behavioural visit or
    an open request keeps all but a newer positive screen quiet. What could not be read leaves its
    reason unknown.

    Source: cigna-lbp-guide, behavioural health row; cigna-programs-2014, screenings.
    """
    found = known.derived(behavioral)
    yield from _positive(facts, known)
    if found.in_hand:
        return
    yield from _substance_use(facts, known)
    yield from said(
        "untreated-behavioral-diagnosis", found.diagnosis, INFO, evidence=found.diagnosis.evidence
    )
    yield from said(
        "fear-avoidance",
        found.fear_avoidance,
        WARNING,
        evidence=found.fear_avoidance.evidence,
    )
    yield from said("disability", found.disability, INFO, evidence=found.disability.evidence)
    yield from said(
        "high-dose-or-long-term-opioids",
        found.opioids,
        WARNING,
        mme=known.derived(daily_mme),
        course=known.derived(opioid_course),
        naloxone_missing=not known.derived(naloxone_on_file),
    )


def _substance_use(facts: Facts, known: Known) -> Iterator[Criterion]:
    """R-BH-01: an active disorder is a warning, its history a note; of opioids brings up medication."""
    found = known.derived(behavioral)
    active = found.substance_use.met or not found.substance_history.met
    use = found.substance_use if active else found.substance_history
    shown = tuple(c for c in facts.conditions if c.ref in use.refs)
    yield from said(
        "substance-use-history",
        use,
        WARNING if active else INFO,
        evidence=use.evidence,
        active=active,
        opioid_use_disorder=any(coded(shown, known.codes(name)) for name in OUD_VALUE_SETS),
    )


def _positive(facts: Facts, known: Known) -> Iterator[Criterion]:
    found = known.derived(behavioral)
    if found.positives:
        words = {"positives": found.positives, "first": found.positives[0]}
        refs = tuple(dict.fromkeys(p.screen.ref for p in found.positives))
        yield Criterion("positive-screen", MET, WARNING, words, refs)
    elif found.screens_unknown:
        yield Criterion("positive-screen", UNKNOWN, WARNING, {}, (), found.screens_unknown)
