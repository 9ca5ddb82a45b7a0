"""What a finding rests on, and how findings combine when part of the chart is unknown. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cds_service.clinical.criteria import MET, NOT_MET, UNKNOWN, Status
from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.facts import Condition, Fact, Facts, Need, Observation, Quantity
from cds_service.knowledge.codes import Code, ValueSet
from cds_service.knowledge.numbers import Number

# Seventh characters of ICD-10-CM that say the injury is healing or a sequela, not new.
HEALING = frozenset("DGKS")
_FULL_ICD10CM = 7


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing in the chart: its reference, its name as recorded, its date and, for a measurement, its value."""

    ref: str
    label: str
    when: FuzzyDate | None = None
    value: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """Whether something holds, what shows it, and the needs for want of which it is unknown."""

    status: Status
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[Need, ...] = ()

    @property
    def met(self) -> bool:
        """Whether it holds."""
        return self.status is MET

    @property
    def refs(self) -> tuple[str, ...]:
        """The references of the evidence, each once."""
        return tuple(dict.fromkeys(e.ref for e in self.evidence))


ABSENT = Sign(NOT_MET)


def any_of(*signs: Sign) -> Sign:
    """Whether at least one holds; a sign that holds outweighs one that is unknown."""
    met = [sign for sign in signs if sign.met]
    if met:
        return Sign(MET, _evidence(met))
    return _unknown_or_absent(signs)


def all_of(*signs: Sign) -> Sign:
    """Whether every one holds; a sign that does not hold outweighs one that is unknown."""
    if any(sign.status is NOT_MET for sign in signs):
        return ABSENT
    if all(sign.met for sign in signs):
        return Sign(MET, _evidence(signs))
    return _unknown_or_absent(signs)


def unless(sign: Sign, other: Sign) -> Sign:
    """`sign`, silent where `other` holds."""
    return ABSENT if other.met else sign


def _unknown_or_absent(signs: Iterable[Sign]) -> Sign:
    unknown = [sign for sign in signs if sign.status is UNKNOWN]
    if not unknown:
        return ABSENT
    known = [sign for sign in signs if sign.met]
    return Sign(
        UNKNOWN, _evidence([*known, *unknown]), tuple(sorted({need for sign in unknown for need in sign.missing}))
    )


def _evidence(signs: Iterable[Sign]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(e for sign in signs for e in sign.evidence))


def sign(found: Iterable[Evidence], facts: Facts, *needs: Need, unsure: Iterable[Evidence] = ()) -> Sign:
    """Holds with any evidence; without, unknown where a need was unavailable or something could not be dated."""
    met = ordered(found)
    if met:
        return Sign(MET, met)
    missing = tuple(need for need in needs if facts.lacks(need))
    doubtful = ordered(unsure)
    return Sign(UNKNOWN, doubtful, missing) if missing or doubtful else ABSENT


def ordered(found: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Evidence oldest first, each once, whatever the order of the chart; undated comes last."""
    return tuple(
        sorted(set(found), key=lambda e: (e.when.first if e.when else date.max, e.label, e.ref, str(e.value)))
    )


def condition_evidence(condition: Condition) -> Evidence:
    """A condition as evidence."""
    return Evidence(condition.ref, name(condition), condition.when)


def measured(observation: Observation) -> Evidence:
    """A measurement as evidence."""
    return Evidence(observation.ref, name(observation), observation.when, observation.value)


def name(fact: Fact) -> str:
    """What the chart calls it, else its code."""
    return fact.text or (min(fact.codes).code if fact.codes else fact.ref)


def age(when: FuzzyDate | None, as_of: date, *limits: Number) -> bool | None:
    """Whether the age in days meets every limit; None if undated or a partial date leaves it open.

    A date that begins after `as_of` is ignored (False); one that may reach beyond is read up to `as_of`.
    """
    if when is None:
        return None
    low, high = when.age(as_of)
    if high < 0:
        return False
    ends = (max(low, 0), high)
    if all(limit.met_by(end) for limit in limits for end in ends):
        return True
    if any(not limit.met_by(ends[0]) and not limit.met_by(ends[1]) for limit in limits):
        return False
    return None


def healing(code: Code) -> bool:
    """Whether an ICD-10-CM code is of a healing or sequela encounter.

    >>> healing(Code("ICD10CM", "S32010D")), healing(Code("ICD10CM", "S32010A")), healing(Code("SNOMED", "125608S"))
    (True, False, False)
    """
    return code.system == "ICD10CM" and len(code.code) == _FULL_ICD10CM and code.code[-1] in HEALING


def coded(conditions: Iterable[Condition], codes: ValueSet) -> tuple[Condition, ...]:
    """The conditions with a code of the set."""
    return tuple(c for c in conditions if codes.any_of(c.codes))


def coded_new(conditions: Iterable[Condition], codes: ValueSet) -> tuple[Condition, ...]:
    """The conditions with a code of the set that is not of a healing or sequela encounter."""
    return tuple(c for c in conditions if any(code in codes and not healing(code) for code in c.codes))


def recorded(facts: Facts, codes: ValueSet) -> tuple[Observation, ...]:
    """Final results with a code of the set, dated and not in the future, oldest first."""
    found = [
        o
        for o in facts.observations
        if o.counts and o.when is not None and o.when.first <= facts.as_of and codes.any_of(o.codes)
    ]
    return tuple(sorted(found, key=lambda o: (day_of(o.when, facts.as_of), o.ref)))


def day_of(when: FuzzyDate | None, as_of: date) -> date:
    """The latest day a date may mean, not after `as_of`."""
    return as_of if when is None else min(when.last, as_of)
