"""Self-harm: the one answer that is never left to the total score."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.criteria import CRITICAL, Criterion
from cds_service.clinical.evidence import (
    Evidence,
    age,
    any_of,
    coded,
    condition_evidence,
    name,
    said,
    sign,
)
from cds_service.clinical.facts import Facts, Need, Observation
from cds_service.clinical.rule import Known, declared, rule


@rule(
    hooks=("patient-view",),
    wants=(Need.OBSERVATIONS, Need.CONDITIONS),
    numbers=("red-flags.self_harm_item", "red-flags.self_harm_days"),
    codes=("screen-phq9-item9", "screen-phq9", "suicide-risk", "self-harm-answers"),
    criteria=(declared("suicide-risk", worst=CRITICAL, words=("evidence",)),),
)
def suicide_risk(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Asks for a suicide risk assessment today after a positive self-harm answer or a recent
    diagnosis.

    For every patient, with or without back pain; nothing silences it. Any positive answer of the
    window counts, even where a later one is not; so does an active diagnosis without a date.

    Source: public-screening-instruments, PHQ-9 item 9; cigna-programs-2014 for screening of all.
    """
    window = known.number("red-flags.self_harm_days")
    answered = sign(_answers(facts, known), facts, Need.OBSERVATIONS)
    active = (c for c in facts.conditions if c.active(facts.as_of))
    diagnosed = sign(
        (
            condition_evidence(c)
            for c in coded(active, known.codes("suicide-risk"))
            if age(c.when, facts.as_of, window) is not False
        ),
        facts,
        Need.CONDITIONS,
    )
    yield from said("suicide-risk", any_of(answered, diagnosed), CRITICAL)


def _answers(facts: Facts, known: Known) -> Iterator[Evidence]:
    """Positive answers to the item, alone or as a component of the whole questionnaire."""
    window, item = known.number("red-flags.self_harm_days"), known.codes("screen-phq9-item9")
    for observation in facts.observations:
        for answer in (observation, *observation.components):
            if (
                not item.any_of(answer.codes)
                or not observation.counts
                or not _positive(answer, known)
            ):
                continue
            if age(observation.when, facts.as_of, window) is not False:
                yield Evidence(observation.ref, name(answer), observation.when, answer.value)


def _positive(answer: Observation, known: Known) -> bool:
    if answer.value is not None:
        return known.number("red-flags.self_harm_item").met_by(answer.value.value)
    return known.codes("self-harm-answers").any_of(answer.value_codes)
