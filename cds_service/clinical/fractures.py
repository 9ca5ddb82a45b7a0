"""Spinal fractures, and the bone health that makes a small fall enough. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cds_service.clinical.bone_health import bone_health
from cds_service.clinical.criteria import NOT_MET
from cds_service.clinical.evidence import (
    ABSENT,
    Evidence,
    Sign,
    age,
    all_of,
    any_of,
    condition_evidence,
    sign,
)
from cds_service.clinical.facts import Condition, Facts, Need
from cds_service.clinical.problems import problems
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen
from cds_service.knowledge.numbers import Number

_INITIAL = ("A", "B")


class Fractures(Frozen):
    """`acute`: a new traumatic fracture; `recent`: any that asks for review. Healing ones never
    count.

    The evidence of an acute fracture names its mechanism where one is recorded.
    """

    acute: Sign
    recent: Sign
    fragility: Sign
    trauma: Sign
    fall: Sign

    @property
    def possible(self) -> Sign:
        """Any ground to look for a fracture short of an acute one."""
        return any_of(self.recent, self.fragility, self.trauma, self.fall)


@reasoning(
    wants=(Need.CONDITIONS,),
    uses=(bone_health, problems),
    numbers=(
        "red-flags.acute_fracture_days",
        "red-flags.fracture_days",
        "red-flags.fragility_fracture_days",
        "red-flags.trauma_days",
        "red-flags.fall_days",
    ),
)
def fractures(facts: Facts, known: Known) -> Fractures:
    """Fractures and injuries by onset; an undated one is new only where its code says
    initial encounter.
    """
    of = known.derived(problems).new
    traumatic = of("redflag-fracture-traumatic")
    trauma = _dated(facts, of("redflag-trauma-event"), known.number("red-flags.trauma_days"))
    fall = _dated(facts, of("redflag-low-energy-fall"), known.number("red-flags.fall_days"))
    acute = _dated(
        facts, traumatic, known.number("red-flags.acute_fracture_days"), undated=_initial_encounter
    )
    return Fractures(
        acute=all_of(acute, any_of(trauma, fall)) if trauma.met or fall.met else acute,
        recent=_dated(facts, traumatic, known.number("red-flags.fracture_days")),
        fragility=_dated(
            facts,
            of("redflag-fracture-fragility"),
            known.number("red-flags.fragility_fracture_days"),
        ),
        trauma=trauma,
        fall=ABSENT if fall.status is NOT_MET else all_of(fall, known.derived(bone_health).frail),
    )


def _never(condition: Condition) -> bool:
    return False


def _dated(
    facts: Facts,
    conditions: Iterable[Condition],
    *limits: Number,
    undated: Callable[[Condition], bool] = _never,
) -> Sign:
    """Conditions whose age meets the limits; where the date leaves it open, those `undated`
    vouches for.
    """
    found: list[Evidence] = []
    unsure: list[Evidence] = []
    for condition in conditions:
        inside = age(condition.when, facts.as_of, *limits)
        if inside or (inside is None and undated(condition)):
            found.append(condition_evidence(condition))
        elif inside is None:
            unsure.append(condition_evidence(condition))
    return sign(found, facts, Need.CONDITIONS, unsure=unsure)


def _initial_encounter(condition: Condition) -> bool:
    return any(
        code.system == "ICD10CM" and code.code.endswith(_INITIAL) for code in condition.codes
    )
