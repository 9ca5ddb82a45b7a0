"""Pain and function scores. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from cds_service.clinical.evidence import Sign, day_of, recorded, sign
from cds_service.clinical.facts import NO_CODES, Facts, Need, Observation, Quantity
from cds_service.clinical.measures import held_against, number_of
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen
from cds_service.knowledge.codes import ValueSet


class Scores(Frozen):
    """`pain`: a rating that counts as ongoing pain; `function`: a score that counts as
    severe disability.
    """

    pain: Sign
    function: Sign


@reasoning(
    wants=(Need.OBSERVATIONS,),
    numbers=(
        "red-flags.pain_score",
        "red-flags.pain_score_days",
        "red-flags.function_score",
        "red-flags.function_score_days",
    ),
    codes=("pain-numeric-rating", "outcome-odi"),
)
def scores(facts: Facts, known: Known) -> Scores:
    """Any numeric pain rating (0 to 10) or Oswestry score (%) of its window at or above its
    limit.
    """
    return Scores(
        _high(facts, known, "pain-numeric-rating", "pain"),
        _high(facts, known, "outcome-odi", "function"),
    )


def scores_in(facts: Facts, codes: ValueSet) -> tuple[Observation, ...]:
    """Results with a code of the set, as `recorded` has them, and the totals of the questionnaires
    that it names, oldest first.

    The questionnaires are a further witness: where they could not be read the results speak.
    """
    filled_in = tuple(_totals(facts, codes))
    if not filled_in:
        return recorded(facts, codes)
    every = (*recorded(facts, codes), *filled_in)
    return tuple(sorted(every, key=lambda o: (day_of(o.when, facts.as_of), o.ref)))


def _totals(facts: Facts, codes: ValueSet) -> Iterator[Observation]:
    for response in facts.questionnaire_responses:
        if not response.done or response.when is None or response.when.first > facts.as_of:
            continue
        total = number_of(response.total(codes)) if response.fills_in(codes) else None
        if total is not None:
            yield Observation(
                response.ref,
                NO_CODES,
                "questionnaire score",
                "final",
                response.when,
                Quantity(total),
            )


def _high(facts: Facts, known: Known, codes: str, kind: str) -> Sign:
    limit = known.number(f"red-flags.{kind}_score")
    window = known.number(f"red-flags.{kind}_score_days")
    scored = recorded(facts, known.codes(codes), window)
    readings = ((o, Fraction(o.value.value)) for o in scored if o.value is not None)
    high, unsure = held_against(limit, readings)
    return sign(high, facts, Need.OBSERVATIONS, unsure=unsure)
