"""Signs of spinal infection: fever, raised markers, risk factors and the diagnosis itself. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from cds_service.clinical.criteria import UNKNOWN
from cds_service.clinical.evidence import (
    Evidence,
    Sign,
    age,
    any_of,
    condition_evidence,
    day_of,
    recorded,
    sign,
)
from cds_service.clinical.facts import Facts, Need, Observation, Quantity
from cds_service.clinical.measures import held_against, says_something, unit_of
from cds_service.clinical.medications import medications
from cds_service.clinical.problems import problems
from cds_service.clinical.rule import Known, reasoning
from cds_service.clinical.surgery import surgery
from cds_service.frozen import Frozen
from cds_service.knowledge.drugs.model import DrugClass

# Units as `unit_of` spells them.
FAHRENHEIT = frozenset(
    {"[degf]", "degf", "degreef", "degreesf", "f", "°f", "fahrenheit", "degreesfahrenheit"}
)
CELSIUS = frozenset(
    {"cel", "degc", "degreec", "degreesc", "c", "°c", "celsius", "degreescelsius", "centigrade"}
)
# How many mg/L one unit of a C-reactive protein result is.
CRP_UNITS = {
    "mg/l": Fraction(1),
    "ug/ml": Fraction(1),
    "mg/dl": Fraction(10),
    "g/l": Fraction(1000),
}
ESR_UNITS = frozenset(
    {"mm/h", "mm/hr", "mm/1h", "mm/1hr", "mm/hour", "mm/1hour", "mm", "mm/h{westergren}", ""}
)


class Infection(Frozen):
    """`spinal` the diagnosis, `fever` its sign; `systemic`, an infection elsewhere, is a risk."""

    spinal: Sign
    fever: Sign
    systemic: Sign


class Suspicion(Frozen):
    """What makes an infection likelier: `marker` (ESR or CRP) and `risk`."""

    marker: Sign
    risk: Sign


@reasoning(
    wants=(Need.CONDITIONS, Need.OBSERVATIONS),
    uses=(problems,),
    numbers=("red-flags.fever_celsius", "red-flags.fever_days", "red-flags.infection_days"),
    codes=("body-temperature",),
)
def infection(facts: Facts, known: Known) -> Infection:
    """Signs of infection of the spine. Absent readings are never read as normal ones.

    An active diagnosis without a date counts as new. Codes that only suggest injection drug use do
    not count.
    """
    listed, window = known.derived(problems), known.number("red-flags.infection_days")
    spinal = sign(
        map(condition_evidence, listed.active("redflag-spinal-infection")), facts, Need.CONDITIONS
    )
    recent = (
        condition_evidence(c)
        for c in listed.active("redflag-systemic-infection")
        if age(c.when, facts.as_of, window) is not False
    )
    systemic = sign(recent, facts, Need.CONDITIONS)
    return Infection(spinal, _fever(facts, known), systemic)


@reasoning(
    wants=(Need.CONDITIONS, Need.OBSERVATIONS, Need.MEDICATIONS, Need.PROCEDURES),
    uses=(infection, medications, problems, surgery),
    numbers=(
        "red-flags.spine_procedure_days",
        "red-flags.esr",
        "red-flags.crp",
        "red-flags.marker_days",
    ),
    codes=("esr", "crp", "esi-lumbar-sacral"),
)
def suspicion(facts: Facts, known: Known) -> Suspicion:
    """Raised markers, and infections, drugs and procedures that make one likelier."""
    return Suspicion(_marker(facts, known), _risk(facts, known))


def _fever(facts: Facts, known: Known) -> Sign:
    """A temperature or a diagnosis; one whose scale cannot be told leaves it unknown."""
    window, limit = known.number("red-flags.fever_days"), known.number("red-flags.fever_celsius")
    taken = recorded(facts, known.codes("body-temperature"), window)
    readings = ((o, celsius(o.value)) for o in taken if says_something(o))
    hot, unsure = held_against(limit, readings)
    named = (
        condition_evidence(c)
        for c in known.derived(problems).active("redflag-fever")
        if age(c.when, facts.as_of, window) is not False
    )
    return any_of(
        sign(hot, facts, Need.OBSERVATIONS, unsure=unsure), sign(named, facts, Need.CONDITIONS)
    )


def _marker(facts: Facts, known: Known) -> Sign:
    """The latest ESR and the latest CRP of the window; the highest of several on one day.

    A result in a unit that cannot be read leaves it unknown unless a later one can be read.
    """
    window, as_of = known.number("red-flags.marker_days"), facts.as_of
    raised: list[Evidence] = []
    unsure: list[Evidence] = []
    read = False
    for test in ("esr", "crp"):
        results = filter(says_something, recorded(facts, known.codes(test), window))
        told = [(o, marker_amount(test, o)) for o in results]
        days = [day_of(o.when, as_of) for o, amount in told if amount is not None]
        read = read or bool(days)
        latest = [each for each in told if not days or day_of(each[0].when, as_of) >= max(days)]
        latest.sort(key=lambda each: (each[1] or 0, each[0].ref))
        met, doubtful = held_against(known.number(f"red-flags.{test}"), latest)
        raised += met[-1:]
        unsure += doubtful
    if unsure or read or facts.lacks(Need.OBSERVATIONS):
        return sign(raised, facts, Need.OBSERVATIONS, unsure=unsure)
    return Sign(UNKNOWN)


def _risk(facts: Facts, known: Known) -> Sign:
    listed, systemic = known.derived(problems), known.derived(infection).systemic
    named = [
        *listed.active("iv-drug-use", "immunosuppression"),
        *listed.ever("hiv", "organ-transplant"),
    ]
    conditions = sign(map(condition_evidence, named), facts, Need.CONDITIONS)
    drugs = sign(
        (
            Evidence(e.ref, e.label)
            for e in known.derived(medications).exposures(
                DrugClass.IMMUNOSUPPRESSANT, DrugClass.SYSTEMIC_CORTICOSTEROID
            )
        ),
        facts,
        Need.MEDICATIONS,
    )
    injected = sign(_injections(facts, known), facts, Need.PROCEDURES)
    return any_of(systemic, conditions, drugs, known.derived(surgery).infectious, injected)


def _injections(facts: Facts, known: Known) -> Iterator[Evidence]:
    """Lumbar epidural injections of the window."""
    window, codes = known.number("red-flags.spine_procedure_days"), known.codes("esi-lumbar-sacral")
    for procedure in facts.procedures_in(codes):
        if procedure.done and age(procedure.when, facts.as_of, window):
            label = procedure.text or "Lumbar epidural injection"
            yield Evidence(procedure.ref, label, procedure.when)


def celsius(value: Quantity | None) -> Fraction | None:
    """A body temperature in degrees Celsius; None without a unit that says which scale it is.

    >>> from decimal import Decimal
    >>> celsius(Quantity(Decimal("100.4"), "[degF]")) == 38, celsius(Quantity(Decimal("38.6")))
    (True, None)
    """
    if value is None:
        return None
    unit = unit_of(value)
    if unit in FAHRENHEIT:
        return (Fraction(value.value) - 32) * Fraction(5, 9)
    return Fraction(value.value) if unit in CELSIUS else None


def marker_amount(test: str, result: Observation) -> Fraction | None:
    """An ESR in mm/h or a CRP in mg/L; None if the unit says neither."""
    if result.value is None:
        return None
    unit = unit_of(result.value)
    if test == "esr":
        return Fraction(result.value.value) if unit in ESR_UNITS else None
    factor = CRP_UNITS.get(unit)
    return None if factor is None else Fraction(result.value.value) * factor
