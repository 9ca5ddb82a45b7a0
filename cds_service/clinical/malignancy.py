"""Signs of a tumour behind back pain: cancer now or ever, and weight loss at an age at
risk. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from cds_service.clinical.criteria import MET, NOT_MET, UNKNOWN
from cds_service.clinical.evidence import (
    ABSENT,
    Evidence,
    Sign,
    age,
    all_of,
    any_of,
    condition_evidence,
    day_of,
    measured,
    recorded,
    sign,
    spreading_cancer,
)
from cds_service.clinical.facts import Condition, Facts, Need, Observation, Quantity
from cds_service.clinical.measures import unit_of
from cds_service.clinical.problems import problems
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen

_POUND = Fraction("0.45359237")
# How many kilograms one unit of a body weight is, spelled as `unit_of` does.
WEIGHT_UNITS = {
    **dict.fromkeys(("kg", "kgs", "kilo", "kilos", "kilogram", "kilograms"), Fraction(1)),
    **dict.fromkeys(("g", "gm", "gram", "grams"), Fraction(1, 1000)),
    **dict.fromkeys(("[lb_av]", "lb_av", "lb", "lbs", "pound", "pounds"), _POUND),
    **dict.fromkeys(("[oz_av]", "oz", "ounce", "ounces"), _POUND / 16),
}
PERCENT = 100


class Malignancy(Frozen):
    """`cancer`: a cancer code ever, or a spinal one now; `weight_loss`: at an age at risk; `sign`:
    either.
    """

    cancer: Sign
    weight_loss: Sign

    @property
    def sign(self) -> Sign:
        """Either arm."""
        return any_of(self.cancer, self.weight_loss)


@reasoning(
    wants=(Need.CONDITIONS, Need.OBSERVATIONS, Need.PATIENT),
    uses=(problems,),
    numbers=(
        "red-flags.cancer_age",
        "red-flags.weight_loss_days",
        "red-flags.weight_window_days",
        "red-flags.weights_apart_days",
        "red-flags.weight_loss_percent",
    ),
    codes=("redflag-cancer-any", "redflag-cancer-any-exclude", "body-weight"),
)
def malignancy(facts: Facts, known: Known) -> Malignancy:
    """Cancer at any time, resolved included, non-melanoma skin cancer not; or weight loss
    past the age.
    """
    listed = known.derived(problems)
    spinal = listed.active("redflag-malignancy-spinal")
    cancers = [*spinal, *(c for c in listed.ever("redflag-cancer-any") if _is_cancer(c, known))]
    cancer = sign(map(condition_evidence, cancers), facts, Need.CONDITIONS)
    old = _old_enough(facts, known)
    if old.status is NOT_MET:
        return Malignancy(cancer, ABSENT)
    return Malignancy(cancer, all_of(old, any_of(_named(facts, known), _weighed(facts, known))))


def _is_cancer(condition: Condition, known: Known) -> bool:
    skin = known.codes("redflag-cancer-any-exclude")
    return spreading_cancer(condition.codes, skin, known.codes("redflag-cancer-any"))


def _old_enough(facts: Facts, known: Known) -> Sign:
    if facts.age is None or facts.patient is None:
        return sign((), facts, Need.PATIENT) if facts.lacks(Need.PATIENT) else Sign(UNKNOWN)
    if not known.number("red-flags.cancer_age").met_by(facts.age):
        return ABSENT
    return Sign(MET, (Evidence("", f"age {facts.age}"),))


def _named(facts: Facts, known: Known) -> Sign:
    """Weight loss as a diagnosis; one without a usable date leaves it unknown."""
    window = known.number("red-flags.weight_loss_days")
    found: list[Evidence] = []
    unsure: list[Evidence] = []
    for condition in known.derived(problems).active("redflag-weight-loss"):
        inside = age(condition.when, facts.as_of, window)
        if inside is not False:
            (found if inside else unsure).append(condition_evidence(condition))
    return sign(found, facts, Need.CONDITIONS, unsure=unsure)


def _weighed(facts: Facts, known: Known) -> Sign:
    """The fall from the first to the last weight of the window; the smallest fall where a day has
    several.
    """
    weights = tuple(_weights(facts, known))
    if not weights:
        return sign((), facts, Need.OBSERVATIONS)
    as_of = facts.as_of
    begun, ended = day_of(weights[0][0].when, as_of), day_of(weights[-1][0].when, as_of)
    first = min((w for w in weights if day_of(w[0].when, as_of) == begun), key=_by_weight)
    last = max((w for w in weights if day_of(w[0].when, as_of) == ended), key=_by_weight)
    apart = known.number("red-flags.weights_apart_days").met_by((ended - begun).days)
    fall = PERCENT * (first[1] - last[1]) / first[1]
    if apart and known.number("red-flags.weight_loss_percent").met_by(fall):
        return sign((measured(first[0]), measured(last[0])), facts)
    return sign((), facts, Need.OBSERVATIONS)


def _by_weight(weight: tuple[Observation, Fraction]) -> tuple[Fraction, str]:
    return weight[1], weight[0].ref


def _weights(facts: Facts, known: Known) -> Iterator[tuple[Observation, Fraction]]:
    """Readable weights of the window in kilograms, oldest first."""
    window = known.number("red-flags.weight_window_days")
    for observation in recorded(facts, known.codes("body-weight"), window):
        amount = kilograms(observation.value)
        if amount:
            yield observation, amount


def kilograms(value: Quantity | None) -> Fraction | None:
    """A body weight in kilograms; None if the unit is not one of weight, or the weight only known to
    lie on a side of a number.
    """
    if value is None or value.comparator:
        return None
    factor = WEIGHT_UNITS.get(unit_of(value))
    return None if factor is None else Fraction(value.value) * factor
