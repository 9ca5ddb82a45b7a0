"""What a finding rests on, and how findings combine when part of the chart is unknown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from cds_service.clinical.criteria import MET, NOT_MET, UNKNOWN, Criterion, Indicator, Status
from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.facts import Condition, Fact, Facts, Need, Observation, Quantity
from cds_service.frozen import Frozen
from cds_service.knowledge.codes import Code, ValueSet
from cds_service.knowledge.numbers import Number

# Seventh characters of ICD-10-CM that say the injury is healing or a sequela, not new.
HEALING = frozenset("DGKPS")
_FULL_ICD10CM = 7
UNITS_AS_WRITTEN = {"Cel": "°C", "[degF]": "°F", "[lb_av]": "lb"}


class Evidence(Frozen):
    """One thing known: its reference (empty for the age), its name, its date and, if
    measured, its value.
    """

    ref: str
    label: str
    when: FuzzyDate | None = None
    value: Quantity | None = None


class Sign(Frozen):
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
        return tuple(dict.fromkeys(e.ref for e in self.evidence if e.ref))


ABSENT = Sign(NOT_MET)


def any_of(*signs: Sign) -> Sign:
    """Whether at least one holds; a sign that holds outweighs one that is unknown."""
    met = [sign for sign in signs if sign.met]
    if met:
        return Sign(MET, _evidence(met))
    unknown = [sign for sign in signs if sign.status is UNKNOWN]
    return Sign(UNKNOWN, _evidence(unknown), _missing(unknown)) if unknown else ABSENT


def all_of(*signs: Sign) -> Sign:
    """Whether every one holds; a sign that does not hold outweighs one that is unknown.

    Where the chart is silent on one, data that could not be read on another would settle nothing:
    none is missing.
    """
    if any(sign.status is NOT_MET for sign in signs):
        return ABSENT
    unknown = [sign for sign in signs if sign.status is UNKNOWN]
    if not unknown:
        return Sign(MET, _evidence(signs))
    silent = any(not sign.missing for sign in unknown)
    return Sign(UNKNOWN, _evidence(signs), () if silent else _missing(unknown))


def unless(sign: Sign, other: Sign) -> Sign:
    """`sign`, silent where `other` holds."""
    return ABSENT if other.met else sign


def _missing(signs: Iterable[Sign]) -> tuple[Need, ...]:
    return tuple(sorted({need for sign in signs for need in sign.missing}))


def _evidence(signs: Iterable[Sign]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(e for sign in signs for e in sign.evidence))


def sign(
    found: Iterable[Evidence], facts: Facts, *needs: Need, unsure: Iterable[Evidence] = ()
) -> Sign:
    """Holds with evidence; without, unknown if a need was unavailable or something could
    not be dated.
    """
    met = ordered(found)
    if met:
        return Sign(MET, met)
    missing = () if facts.available.issuperset(needs) else tuple(filter(facts.lacks, needs))
    doubtful = ordered(unsure)
    return Sign(UNKNOWN, doubtful, missing) if missing or doubtful else ABSENT


def ordered(found: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Evidence oldest first, each once, whatever the order of the chart; undated comes last."""
    once = tuple(found)
    if len(once) < 2:
        return once
    return tuple(
        sorted(
            set(once),
            key=lambda e: (e.when.first if e.when else date.max, e.label, e.ref, str(e.value)),
        )
    )


def condition_evidence(condition: Condition) -> Evidence:
    """A condition as evidence."""
    return Evidence(condition.ref, name(condition), condition.when)


def measured(observation: Observation) -> Evidence:
    """A measurement as evidence, its unit as clinicians write it; one that is only known to lie on a
    side of a number has none as its value, and is told by its name.
    """
    value, label = observation.value, name(observation)
    if value is not None:
        unit = "" if value.unit.startswith("{") else UNITS_AS_WRITTEN.get(value.unit, value.unit)
        if value.comparator:
            label = f"{label}: {value.comparator}{value.value.normalize():f} {unit}".rstrip()
        value = None if value.comparator else Quantity(value.value, unit)
    return Evidence(observation.ref, label, observation.when, value)


def described(evidence: Iterable[Evidence]) -> tuple[str, ...]:
    """Each thing known in words, once: its name, its value if measured, its date."""
    told = (
        e.label
        + (f": {e.value.value.normalize():f} {e.value.unit}".rstrip() if e.value else "")
        + (f" ({e.when})" if e.when else "")
        for e in evidence
    )
    return tuple(dict.fromkeys(told))


def name(fact: Fact) -> str:
    """What the chart calls it, else its code."""
    return fact.text or (min(fact.codes).written if fact.codes else fact.ref)


def age(when: FuzzyDate | None, as_of: date, *limits: Number) -> bool | None:
    """Whether the age in days meets every limit; None if undated or a partial date leaves it open.

    A date that begins after `as_of` is ignored (False); one that may reach beyond is read up to
    `as_of`.
    """
    if when is None:
        return None
    high = (as_of - when.first).days
    if high < 0:
        return False
    if when.first == when.last:
        if len(limits) == 1:
            return limits[0].met_by(high)
        return not [limit for limit in limits if not limit.met_by(high)]
    ends = (max((as_of - when.last).days, 0), high)
    if all(limit.met_by(end) for limit in limits for end in ends):
        return True
    if any(not limit.met_by(ends[0]) and not limit.met_by(ends[1]) for limit in limits):
        return False
    return None


def healing(code: Code) -> bool:
    """Whether an ICD-10-CM code is of a healing or sequela encounter.

    >>> healing(Code("ICD10CM", "S32010D")), healing(Code("ICD10CM", "S32010A"))
    (True, False)
    """
    return code.system == "ICD10CM" and len(code.code) == _FULL_ICD10CM and code.code[-1] in HEALING


def coded(conditions: Iterable[Condition], codes: ValueSet) -> tuple[Condition, ...]:
    """The conditions with a code of the set."""
    return tuple(c for c in conditions if codes.any_of(c.codes))


def spreading_cancer(codes: frozenset[Code], skin: ValueSet, *cancers: ValueSet) -> bool:
    """Whether a diagnosis is a cancer that spreads; one that ICD-10-CM calls a skin cancer of the
    other kind (`skin`) is none for being called a cancer in SNOMED CT too.
    """
    exact = skin.any_of(codes)
    return any(
        code not in skin
        and (code.system == "ICD10CM" or not exact)
        and any(code in one for one in cancers)
        for code in codes
    )


def not_healing(conditions: Iterable[Condition], *injuries: ValueSet) -> tuple[Condition, ...]:
    """The conditions whose ICD-10-CM codes of the sets are not all of healing or sequela encounters.

    The codings of a concept name one diagnosis, and of them only ICD-10-CM says which encounter it is.
    """
    return tuple(c for c in conditions if not _healing_only(c, injuries))


def _healing_only(condition: Condition, injuries: tuple[ValueSet, ...]) -> bool:
    told = [
        healing(code)
        for code in condition.codes
        if code.system == "ICD10CM" and any(code in codes for codes in injuries)
    ]
    return bool(told) and all(told)


def recorded(
    facts: Facts, codes: ValueSet, window: Number | None = None
) -> tuple[Observation, ...]:
    """Final results with a code of the set, parts of panels included, dated and not in the
    future, oldest first; with a `window` in days only those that lie in it whatever their
    date may mean.
    """
    as_of = facts.as_of
    found = facts.results_in(codes)
    if window is None:
        dated = [o for o in found if o.when is not None and o.when.first <= as_of]
    else:
        dated = [o for o in found if age(o.when, as_of, window)]
    counting = [o for o in dated if o.counts]
    return tuple(sorted(counting, key=lambda o: (day_of(o.when, as_of), o.ref)))


def day_of(when: FuzzyDate | None, as_of: date) -> date:
    """The latest day a date may mean, not after `as_of`."""
    return as_of if when is None else min(when.last, as_of)


def said(
    name: str, sign: Sign, indicator: Indicator, context: tuple[str, ...] = (), **words: Any
) -> Iterator[Criterion]:
    """The criterion of a sign that is met or unknown; it rests on its evidence and on the `context`
    it needs.
    """
    if sign.status is not NOT_MET:
        because = tuple(dict.fromkeys((*sign.refs, *context)))
        yield Criterion(
            name,
            sign.status,
            indicator,
            {"evidence": sign.evidence, **words},
            because,
            sign.missing,
        )
