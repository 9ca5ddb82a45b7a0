"""Screening scores: the latest of each instrument, from results and questionnaires. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from cds_service.clinical.evidence import day_of, recorded
from cds_service.clinical.facts import Facts, Need, Quantity, QuestionnaireResponse
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen, field
from cds_service.knowledge.codes import Code

_PLAIN = re.compile(r"[+-]?\d{1,6}(?:\.\d{1,6})?", re.ASCII)
DONE = ("completed", "amended")  # the status of a questionnaire that counts
QUESTIONNAIRE = "urn:cds-service:questionnaire:"
# Instrument -> the value set of its total score.
CODED: Mapping[str, str] = {
    "PHQ-9": "screen-phq9",
    "PHQ-2": "screen-phq2",
    "GAD-7": "screen-gad7",
    "AUDIT-C": "screen-auditc",
    "AUDIT": "screen-audit",
    "DAST-10": "screen-dast10",
    "ORT": "screen-ort",
    "STarT Back": "screen-start-back",
}
# No LOINC code could be verified for these: sites send them as questionnaires.
ASKED: Mapping[str, str] = {
    "FABQ-W": QUESTIONNAIRE + "fabq-w",
    "FABQ-PA": QUESTIONNAIRE + "fabq-pa",
    "STarT psychosocial": QUESTIONNAIRE + "start-psychosocial",
}


class Screen(Frozen):
    """One score of an instrument; `score` is None when it was done but its total was not sent."""

    instrument: str
    score: Decimal | None
    day: date
    ref: str


class Screens(Frozen):
    """The latest score of each instrument that was ever used; `unknown` the needs that
    could not be read.
    """

    latest: Mapping[str, Screen] = field(default_factory=dict)
    unknown: tuple[Need, ...] = ()


@reasoning(
    wants=(Need.OBSERVATIONS, Need.QUESTIONNAIRE_RESPONSES), codes=tuple(sorted(CODED.values()))
)
def screens(facts: Facts, known: Known) -> Screens:
    """Final results and completed questionnaires up to the as-of date; the higher score
    where a day has two.
    """
    latest: dict[str, Screen] = {}
    found = [*_results(facts, known), *_answers(facts, known)]
    for screen in sorted(found, key=lambda s: (s.day, s.score is not None, s.score or 0, s.ref)):
        latest[screen.instrument] = screen
    needs = (Need.OBSERVATIONS, Need.QUESTIONNAIRE_RESPONSES)
    return Screens(latest, tuple(need for need in needs if facts.lacks(need)))


def _results(facts: Facts, known: Known) -> Iterator[Screen]:
    for instrument, codes in CODED.items():
        for observation in recorded(facts, known.codes(codes)):
            score = observation.value.value if observation.value else None
            yield Screen(instrument, score, day_of(observation.when, facts.as_of), observation.ref)


def _answers(facts: Facts, known: Known) -> Iterator[Screen]:
    """By the canonical of the questionnaire: ours, or one that ends in the instrument's
    LOINC code.
    """
    for response in facts.questionnaire_responses:
        if response.status not in DONE or response.when is None:
            continue
        if response.when.first > facts.as_of:
            continue
        instrument = _instrument(response, known)
        if instrument:
            day = day_of(response.when, facts.as_of)
            yield Screen(instrument, _score(_total(response, instrument, known)), day, response.ref)


def _instrument(response: QuestionnaireResponse, known: Known) -> str | None:
    for instrument, canonical in ASKED.items():
        if response.questionnaire == canonical:
            return instrument
    code = Code("LOINC", response.questionnaire.rsplit("/", 1)[-1])
    return next((i for i, codes in CODED.items() if code in known.codes(codes)), None)


def _total(response: QuestionnaireResponse, instrument: str, known: Known) -> object:
    """The answer called `score`, else the one whose link id is the LOINC code of the total."""
    if "score" in response.answers or instrument not in CODED:
        return response.answers.get("score")
    return next(iter(response.answers_to(known.codes(CODED[instrument]))), None)


def _score(answer: object) -> Decimal | None:
    """A score given as a number or as its text, in digits as instruments have them."""
    text = str(answer.value if isinstance(answer, Quantity) else answer).strip()
    return Decimal(text) if _PLAIN.fullmatch(text) else None
