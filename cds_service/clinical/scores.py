"""Pain and function scores. Pure."""

from __future__ import annotations

from fractions import Fraction

from cds_service.clinical.evidence import Sign, recorded, sign
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.measures import held_against
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen


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


def _high(facts: Facts, known: Known, codes: str, kind: str) -> Sign:
    limit = known.number(f"red-flags.{kind}_score")
    window = known.number(f"red-flags.{kind}_score_days")
    scored = recorded(facts, known.codes(codes), window)
    readings = ((o, Fraction(o.value.value)) for o in scored if o.value is not None)
    high, unsure = held_against(limit, readings)
    return sign(high, facts, Need.OBSERVATIONS, unsure=unsure)
