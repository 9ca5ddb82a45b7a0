"""What makes an epidural injection unsafe now: bleeding, infection, pregnancy, allergy. Pure."""

from __future__ import annotations

import re
from fractions import Fraction

from cds_service.clinical.dispensed import dispensed, handed_out
from cds_service.clinical.evidence import (
    Evidence,
    Sign,
    age,
    any_of,
    coded,
    condition_evidence,
    day_of,
    measured,
    recorded,
    sign,
)
from cds_service.clinical.facts import Condition, Facts, Need, Observation, Quantity
from cds_service.clinical.infection import infection
from cds_service.clinical.injectates import ALLERGENS, allergic
from cds_service.clinical.measures import held_against, unit_of
from cds_service.clinical.medications import medications
from cds_service.clinical.rule import Known, reasoning
from cds_service.clinical.toxicology_reading import RESULTS, reading
from cds_service.frozen import Frozen
from cds_service.knowledge.drugs.model import DrugClass

BLEEDING_CONDITIONS = ("anticoagulant-status", "antiplatelet-status", "coagulopathy")
# Units as `unit_of` spells them.
RATIO_UNITS = frozenset({"", "1", "inr", "{inr}", "[inr]", "ratio", "{ratio}", "unitless"})
# 10*9/L, and 10*3/uL, which is as much.
_BILLIONS = re.compile(
    r"x?10(?:\*\*|[*^e])?\(?(?:3\)?/(?:ul|mm3)|9\)?/l)"
    r"|(?:k|thou|thous|thousands?)/(?:ul|mm3)|(?:g|giga|bil|billion)/l|/nl"
)
_SINGLE = re.compile(r"(?:\{?cells?\}?|\{#\})?/(?:ul|mm3)")
THOUSANDS = 1000  # without a unit, a count below this can only be in thousands a microlitre


class EsiSafety(Frozen):
    """Each contraindication with its evidence."""

    bleeding: Sign
    infection: Sign
    pregnancy: Sign
    allergy: Sign


@reasoning(
    wants=(Need.CONDITIONS, Need.OBSERVATIONS, Need.MEDICATIONS, Need.ALLERGIES),
    uses=(dispensed, infection, medications),
    numbers=(
        "esi.inr",
        "esi.platelets",
        "esi.lab_days",
        "esi.pregnancy_days",
        "esi.pregnancy_test_days",
    ),
    codes=(
        *RESULTS,
        *BLEEDING_CONDITIONS,
        "inr",
        "platelets",
        "pregnancy",
        "pregnant-answers",
        "not-pregnant-answers",
        "allergy-status",
        *ALLERGENS,
    ),
)
def esi_safety(facts: Facts, known: Known) -> EsiSafety:
    """Contraindications from orders, dispenses, conditions, results and allergies; low-dose aspirin
    alone is none.

    A diagnosis without a date counts as new. A result whose unit or answer cannot be read leaves
    its sign unknown.
    """
    germs = known.derived(infection)
    return EsiSafety(
        _bleeding(facts, known),
        any_of(germs.spinal, germs.systemic, germs.fever),
        _pregnancy(facts, known),
        _allergy(facts, known),
    )


def _active(facts: Facts, known: Known, *groups: str) -> tuple[Condition, ...]:
    active = [c for c in facts.conditions if c.active(facts.as_of)]
    return tuple(c for group in groups for c in coded(active, known.codes(group)))


def _bleeding(facts: Facts, known: Known) -> Sign:
    thinners = (DrugClass.ANTICOAGULANT, DrugClass.ANTIPLATELET_P2Y12)
    taken = known.derived(medications).exposures(*thinners, drafts=True)
    handed = known.derived(dispensed)
    taken += tuple(handed_out(d) for d in handed if d.drug and d.drug.is_a(*thinners))
    return any_of(
        sign((Evidence(e.ref, e.label) for e in taken), facts, Need.MEDICATIONS),
        sign(
            map(condition_evidence, _active(facts, known, *BLEEDING_CONDITIONS)),
            facts,
            Need.CONDITIONS,
        ),
        _result(facts, known, "inr"),
        _result(facts, known, "platelets"),
    )


def _result(facts: Facts, known: Known, test: str) -> Sign:
    """The latest result of the window, the worst of several on one day."""
    window, limit = known.number("esi.lab_days"), known.number(f"esi.{test}")
    recent = recorded(facts, known.codes(test), window)
    newest = max((day_of(o.when, facts.as_of) for o in recent), default=None)
    latest = [o for o in recent if day_of(o.when, facts.as_of) == newest]
    amounts = [(o, ratio(o.value) if test == "inr" else thousands(o.value)) for o in latest]
    bad, unsure = held_against(limit, amounts)
    return sign(bad, facts, Need.OBSERVATIONS, unsure=unsure)


def ratio(value: Quantity | None) -> Fraction | None:
    """An INR; None for a time in seconds or without a value."""
    if value is None or unit_of(value) not in RATIO_UNITS:
        return None
    return Fraction(value.value)


def thousands(value: Quantity | None) -> Fraction | None:
    """A platelet count in 10*9/L; None without a value, or where the unit leaves its size open.

    >>> from decimal import Decimal
    >>> thousands(Quantity(Decimal(90000), "/uL")) == 90, thousands(Quantity(Decimal(90000))) is None
    (True, True)
    """
    if value is None:
        return None
    unit, amount = unit_of(value), Fraction(value.value)
    if not unit:
        return amount if amount < THOUSANDS else None
    if _BILLIONS.fullmatch(unit):
        return amount
    return amount / THOUSANDS if _SINGLE.fullmatch(unit) else None


def _pregnancy(facts: Facts, known: Known) -> Sign:
    window = known.number("esi.pregnancy_days")
    recorded_now = (
        condition_evidence(c)
        for c in _active(facts, known, "pregnancy")
        if age(c.when, facts.as_of, window) is not False
    )
    return any_of(sign(recorded_now, facts, Need.CONDITIONS), _pregnancy_test(facts, known))


def _pregnancy_test(facts: Facts, known: Known) -> Sign:
    """The latest test or status of the window, unless a pregnancy is recorded as over since."""
    window, codes = known.number("esi.pregnancy_test_days"), known.codes("pregnancy")
    tests = recorded(facts, codes, window)
    newest = max((day_of(o.when, facts.as_of) for o in tests), default=None)
    ended = [
        day_of(c.abated, facts.as_of)
        for c in coded(facts.conditions, codes)
        if c.ever(facts.as_of) and c.abated is not None
    ]
    if newest is None or any(day >= newest for day in ended):
        return sign((), facts, Need.OBSERVATIONS)
    latest = [(o, _pregnant(o, known)) for o in tests if day_of(o.when, facts.as_of) == newest]
    positive = [measured(o) for o, says in latest if says]
    unread = [measured(o) for o, says in latest if says is None]
    return sign(positive, facts, Need.OBSERVATIONS, unsure=unread)


def _pregnant(test: Observation, known: Known) -> bool | None:
    if known.codes("pregnant-answers").any_of(test.value_codes):
        return True
    if known.codes("not-pregnant-answers").any_of(test.value_codes):
        return False
    text = test.value_text.strip().lower()
    if text.startswith(("pregnant", "not pregnant")):
        return text.startswith("pregnant")
    said = reading(test, known)
    return None if said is None else said == "positive"


def _allergy(facts: Facts, known: Known) -> Sign:
    noted = map(condition_evidence, _active(facts, known, "allergy-status"))
    return any_of(allergic(facts, known), sign(noted, facts, Need.CONDITIONS))
