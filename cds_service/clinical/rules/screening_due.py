"""Screening questionnaires that are due in low back pain."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.back_pain import adult_back_pain, back_pain
from cds_service.clinical.criteria import INFO, MET, UNKNOWN, Criterion
from cds_service.clinical.evidence import coded
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.medications import medications
from cds_service.clinical.rule import Known, declared, rule
from cds_service.clinical.screens import screens
from cds_service.knowledge.drugs.model import DrugClass
from cds_service.knowledge.numbers import Number

DEPRESSION = ("PHQ-9", "PHQ-2")
ALCOHOL = ("AUDIT-C", "AUDIT")
FEAR = ("FABQ-W", "FABQ-PA", "STarT Back", "STarT psychosocial")
OPIOID_RISK = ("DAST-10", "ORT")


@rule(
    hooks=("patient-view",),
    applies=adult_back_pain,
    needs=(Need.PATIENT, Need.CONDITIONS, Need.OBSERVATIONS),
    wants=(Need.MEDICATIONS, Need.STATEMENTS, Need.QUESTIONNAIRE_RESPONSES),
    uses=(back_pain, screens, medications),
    numbers=("screening.yearly", "screening.fear_yearly", "screening.fear_from"),
    codes=("depression", "depression-full-remission-exclude", "bipolar-disorder"),
    criteria=(
        declared("depression-screen-due", worst=INFO, words=("window",), routine=True),
        declared("alcohol-screen-due", worst=INFO, words=("window",), routine=True),
        declared("fear-avoidance-screen-due", worst=INFO, words=("window",), routine=True),
        declared("opioid-risk-screen-due", worst=INFO, words=("window",), routine=True),
    ),
)
def screening_due(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Notes screens not done in their window in adults with low back pain.

    Depression and alcohol for all, fear avoidance from the fourth week, opioid risk while an opioid
    is taken. None on file means due, and so does one that was declined or came without any answer;
    scores that could not be read leave it unknown. A depression or bipolar diagnosis makes the
    depression screen superfluous, one in full remission does not.

    Source: cigna-programs-2014, screenings; cigna-lbp-guide, positive screen; intervals are ours.
    """
    back, yearly = known.derived(back_pain), known.number("screening.yearly")
    if not _diagnosed(facts, known):
        yield from _due("depression-screen-due", DEPRESSION, yearly, back.references, facts, known)
    yield from _due("alcohol-screen-due", ALCOHOL, yearly, back.references, facts, known)
    if back.days is not None and known.number("screening.fear_from").met_by(back.days):
        fear = known.number("screening.fear_yearly")
        yield from _due("fear-avoidance-screen-due", FEAR, fear, back.references, facts, known)
    opioids = known.derived(medications).exposures(DrugClass.OPIOID)
    if opioids:
        refs = tuple(o.ref for o in opioids)
        yield from _due("opioid-risk-screen-due", OPIOID_RISK, yearly, refs, facts, known)
    elif facts.lacks(Need.MEDICATIONS):
        yield Criterion(
            "opioid-risk-screen-due", UNKNOWN, INFO, {"window": yearly}, (), (Need.MEDICATIONS,)
        )


def _diagnosed(facts: Facts, known: Known) -> bool:
    """Active depression (not in full remission) or bipolar disorder."""
    active = tuple(c for c in facts.conditions if c.active(facts.as_of))
    well = known.codes("depression-full-remission-exclude")
    depressed = (c for c in coded(active, known.codes("depression")) if not well.any_of(c.codes))
    return any(depressed) or bool(coded(active, known.codes("bipolar-disorder")))


def _due(
    name: str,
    instruments: tuple[str, ...],
    window: Number,
    refs: tuple[str, ...],
    facts: Facts,
    known: Known,
) -> Iterator[Criterion]:
    """Due unless one of the instruments was used inside the window."""
    found = known.derived(screens)
    for instrument in instruments:
        day = found.done.get(instrument)
        if day is not None and window.met_by((facts.as_of - day).days):
            return
    lacking = found.unknown
    words = {"window": window}
    yield Criterion(
        name, UNKNOWN if lacking else MET, INFO, words, () if lacking else refs, lacking
    )
