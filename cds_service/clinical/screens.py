"""Screening scores: the latest of each instrument, from results and questionnaires. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.evidence import day_of, recorded
from cds_service.clinical.facts import Facts, Need, QuestionnaireResponse
from cds_service.clinical.measures import number_of
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen, field

# Instrument -> the value set of its total score, its questionnaires and, where a site has its own
# names for them, the questions that hold the total.
CODED: Mapping[str, str] = {
    "PHQ-9": "screen-phq9",
    "PHQ-2": "screen-phq2",
    "GAD-7": "screen-gad7",
    "AUDIT-C": "screen-auditc",
    "AUDIT": "screen-audit",
    "DAST-10": "screen-dast10",
    "ORT": "screen-ort",
    "STarT Back": "screen-start-back",
    # No LOINC code could be verified for these.
    "FABQ-W": "screen-fabq-work",
    "FABQ-PA": "screen-fabq-activity",
    "STarT psychosocial": "screen-start-psychosocial",
}


class Screen(Frozen):
    """One score of an instrument."""

    instrument: str
    score: Decimal
    day: date
    ref: str


class Screens(Frozen):
    """The day each instrument that was ever used was `done` last, its latest score, which may be
    older, and in `unknown` the needs that could not be read.
    """

    done: Mapping[str, date] = field(default_factory=dict)
    latest: Mapping[str, Screen] = field(default_factory=dict)
    unknown: tuple[Need, ...] = ()


@reasoning(
    wants=(Need.OBSERVATIONS, Need.QUESTIONNAIRE_RESPONSES), codes=tuple(sorted(CODED.values()))
)
def screens(facts: Facts, known: Known) -> Screens:
    """Final results and completed questionnaires up to the as-of date; the higher score
    where a day has two.

    One that is done later without its total does not hide an earlier score; a result that
    says nothing at all, as when it was declined, was not done.
    """
    done: dict[str, date] = {}
    scores: list[Screen] = []
    for instrument, score, when, ref in (*_results(facts, known), *_answers(facts, known)):
        day = day_of(when, facts.as_of)
        done[instrument] = max(day, done.get(instrument, day))
        if score is not None:
            scores.append(Screen(instrument, score, day, ref))
    scores.sort(key=lambda s: (s.day, s.score, s.ref))
    needs = (Need.OBSERVATIONS, Need.QUESTIONNAIRE_RESPONSES)
    unread = tuple(need for need in needs if facts.lacks(need))
    return Screens(done, {s.instrument: s for s in scores}, unread)


# An instrument, its total if it was sent, when it was done, and the reference.
_Used = tuple[str, Decimal | None, FuzzyDate | None, str]


def _results(facts: Facts, known: Known) -> Iterator[_Used]:
    for instrument, codes in CODED.items():
        for observation in recorded(facts, known.codes(codes)):
            if observation.answered:
                score = observation.value.value if observation.value else None
                yield instrument, score, observation.when, observation.ref


def _answers(facts: Facts, known: Known) -> Iterator[_Used]:
    """By the canonical of the questionnaire: one that the instrument's value set names, or that
    ends in its LOINC code.
    """
    for response in facts.questionnaire_responses:
        if not response.done or response.when is None:
            continue
        if response.when.first > facts.as_of:
            continue
        instrument = _instrument(response, known)
        if instrument:
            score = number_of(response.total(known.codes(CODED[instrument])))
            yield instrument, score, response.when, response.ref


def _instrument(response: QuestionnaireResponse, known: Known) -> str | None:
    for instrument, name in CODED.items():
        if response.fills_in(known.codes(name)):
            return instrument
    return None
