"""The payer's programmes that can help a patient with low back pain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cds_service.clinical.back_pain import back_pain, has_back_pain
from cds_service.clinical.behavioral import behavioral
from cds_service.clinical.criteria import INFO, MET, UNKNOWN, Criterion
from cds_service.clinical.evidence import (
    Evidence,
    Sign,
    any_of,
    coded,
    condition_evidence,
    measured,
    recorded,
    said,
    sign,
)
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.medications import medications
from cds_service.clinical.pain_consult import opioid_consult
from cds_service.clinical.rule import Known, declared, rule
from cds_service.knowledge.drugs.model import DrugClass
from cds_service.knowledge.model import Contact


@rule(
    hooks=("patient-view",),
    applies=has_back_pain,
    needs=(Need.PATIENT, Need.COVERAGES, Need.CONDITIONS),
    wants=(Need.MEDICATIONS, Need.STATEMENTS, Need.OBSERVATIONS),
    uses=(back_pain, behavioral, medications, opioid_consult),
    numbers=("programs.bmi", "programs.bmi_days", "programs.long_pain"),
    codes=("medication-nonadherence", "tobacco-use", "obesity", "bmi"),
    criteria=(
        declared(
            "case-management", worst=INFO, words=("evidence", "contact"), routine=True, gated=True
        ),
        declared(
            "disability-and-vocational-services",
            worst=INFO,
            words=("evidence", "contact"),
            routine=True,
            gated=True,
        ),
        declared(
            "pharmacy-support",
            worst=INFO,
            words=("evidence", "contact", "coach"),
            routine=True,
            gated=True,
        ),
        declared(
            "lifestyle-and-mindfulness",
            worst=INFO,
            words=("evidence", "contact", "group"),
            kinds={"group": Contact | None},
            routine=True,
            gated=True,
        ),
    ),
)
def care_programs(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Names the payer's case management, disability, pharmacy and lifestyle programmes where the
    chart fits them.

    Only for members of a payer that turns the programmes on. Unknown coverage keeps the card
    silent.

    Source: cigna-lbp-guide, programme table; cigna-programs-2014, case management and coaching.
    """
    need = known.derived(behavioral)
    yield from _offer("case-management", _case_management(facts, known), "case-management", known)
    yield from _offer("disability-and-vocational-services", need.disability, "disability", known)
    yield from _offer(
        "pharmacy-support",
        _pharmacy(facts, known),
        "pharmacy",
        known,
        coach=_named("coachrx", known),
    )
    yield from _offer(
        "lifestyle-and-mindfulness",
        _lifestyle(facts, known),
        "programs",
        known,
        group=_named("mindfulness", known),
    )


def _offer(
    name: str, found: Sign, contact: str, known: Known, **more: Contact | None
) -> Iterator[Criterion]:
    asked = _named(contact, known) or Contact("the payer")
    words: dict[str, Any] = {"evidence": found.evidence, "contact": asked, **more}
    yield from said(name, found, INFO, **words)


def _named(name: str, known: Known) -> Contact | None:
    """The first payer's contact of that name."""
    return next((p.contacts[name] for p in known.payers if name in p.contacts), None)


def _case_management(facts: Facts, known: Known) -> Sign:
    """Any behavioural reason that stands, an opioid reason for a pain consult, or a
    behavioural diagnosis.
    """
    need = known.derived(behavioral)
    reasons = [need.diagnosis]
    if not need.in_hand:
        reasons += [need.substance_use, need.substance_history, need.fear_avoidance, need.opioids]
    reasons += [Sign(MET, (Evidence(p.screen.ref, p.screen.instrument),)) for p in need.positives]
    if need.screens_unknown:
        reasons.append(Sign(UNKNOWN, (), need.screens_unknown))
    reasons += [
        Sign(c.status, tuple(Evidence(ref, "opioid treatment") for ref in c.because), c.missing)
        for c in known.derived(opioid_consult)
    ]
    return any_of(*reasons)


def _pharmacy(facts: Facts, known: Known) -> Sign:
    opioids = known.derived(medications).exposures(DrugClass.OPIOID)
    found = [Evidence(o.ref, o.label) for o in opioids]
    active = (c for c in facts.conditions if c.active(facts.as_of))
    found += map(condition_evidence, coded(active, known.codes("medication-nonadherence")))
    return sign(found, facts, Need.MEDICATIONS, Need.CONDITIONS)


def _lifestyle(facts: Facts, known: Known) -> Sign:
    """Tobacco, obesity, a body mass index at the limit, or long pain."""
    active = tuple(c for c in facts.conditions if c.active(facts.as_of))
    found = [
        condition_evidence(c)
        for name in ("tobacco-use", "obesity")
        for c in coded(active, known.codes(name))
    ]
    heavy, window = known.number("programs.bmi"), known.number("programs.bmi_days")
    told = [(o, o.value.value) for o in recorded(facts, known.codes("bmi")) if o.value]
    found += [
        measured(o)
        for o, value in told[-1:]
        if heavy.met_by(value) and o.when and window.met_by(o.when.age(facts.as_of)[0])
    ]
    back = known.derived(back_pain)
    if back.days is not None and known.number("programs.long_pain").met_by(back.days):
        found += [condition_evidence(c) for c in back.conditions]
    return sign(found, facts, Need.CONDITIONS, Need.OBSERVATIONS)
