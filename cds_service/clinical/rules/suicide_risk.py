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
    measured,
    name,
    said,
    sign,
)
from cds_service.clinical.facts import Facts, Need, Observation
from cds_service.clinical.measures import number_of
from cds_service.clinical.rule import Known, declared, rule
from cds_service.knowledge.codes import Code


@rule(
    hooks=("patient-view",),
    wants=(Need.OBSERVATIONS, Need.QUESTIONNAIRE_RESPONSES, Need.CONDITIONS),
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
    found = (*_answers(facts, known), *_filled_in(facts, known))
    answered = sign(found, facts, Need.OBSERVATIONS)
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
                value = measured(answer).value
                yield Evidence(observation.ref, name(answer), observation.when, value)


def _filled_in(facts: Facts, known: Known) -> Iterator[Evidence]:
    """Positive answers to the item in a questionnaire whose link ids are LOINC codes, as LOINC's own
    form has them.
    """
    window, item = known.number("red-flags.self_harm_days"), known.codes("screen-phq9-item9")
    for response in facts.questionnaire_responses:
        if not response.done or age(response.when, facts.as_of, window) is False:
            continue
        if any(_is_positive(answer, known) for answer in response.answers_to(item)):
            yield Evidence(response.ref, "PHQ-9 item 9, self-harm", response.when)


def _positive(answer: Observation, known: Known) -> bool:
    said = (answer.value, answer.value_text, answer.value_flag, *answer.value_codes)
    return any(_is_positive(each, known) for each in said)


def _is_positive(answer: object, known: Known) -> bool:
    """Whether a number reaches the limit, a code or its words are one of the answers, or it is a yes."""
    answers = known.codes("self-harm-answers")
    if isinstance(answer, Code):
        return answer in answers
    number = number_of(answer)
    if number is not None:
        return known.number("red-flags.self_harm_item").met_by(number)
    words = {display.lower() for display in answers.displays.values()}
    return answer is True or str(answer).strip().lower() in words
