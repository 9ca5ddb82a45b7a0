"""Charts of patients with back pain, as facts, for the tests of shared reasoning."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import TypeVar

from hypothesis import strategies as st

from cds_service.clinical.dates import FuzzyDate, on, span_of
from cds_service.clinical.facts import (
    Condition,
    Encounter,
    Facts,
    Goal,
    Need,
    Observation,
    Order,
    Patient,
    Procedure,
    Quantity,
    Request,
)
from cds_service.clinical.rule import Asker, Call, Known
from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.model import Drug, DrugClass
from cds_service.knowledge.loader import load_knowledge
from cds_service.knowledge.model import Knowledge
from tests.changes import replace

T = TypeVar("T")
AS_OF = date(2025, 6, 16)
ADULT = Patient("Patient/1", on(date(1960, 1, 15)), "female")


@cache
def knowledge() -> Knowledge:
    """The shipped knowledge, loaded once."""
    return load_knowledge()


def concluded(reasoning: Callable[[Facts, Known], T], facts: Facts) -> T:
    """What shared reasoning concludes from facts."""
    return Known(Call(facts, knowledge()), Asker("test", (reasoning,))).derived(reasoning)


def ago(days: int) -> FuzzyDate:
    """The day that many days before the as-of date."""
    return on(AS_OF - timedelta(days=days))


def code(text: str) -> Code:
    """`ICD10CM#M5450` as a code."""
    system, _, rest = text.partition("#")
    return Code(system, rest)


def condition(
    ref: int, text: str, when: FuzzyDate | None, status: str = "active", checked: str = ""
) -> Condition:
    """A condition that began `when`."""
    return Condition(
        f"Condition/{ref}",
        frozenset({code(text)}),
        text,
        status,
        when,
        verification=checked,
        onset=when,
    )


def result(ref: int, text: str, value: str, unit: str, days: int) -> Observation:
    """A final result; `<20` is only known to lie below."""
    number = value.lstrip("<>=~")
    return Observation(
        f"Observation/{ref}",
        frozenset({code(text)}),
        text,
        "final",
        ago(days),
        value=Quantity(Decimal(number), unit, value.removesuffix(number)),
    )


def procedure(ref: int, text: str, days: int) -> Procedure:
    """A completed procedure."""
    return Procedure(f"Procedure/{ref}", frozenset({code(text)}), text, "completed", ago(days))


def visit(ref: int, text: str, days: int, specialty: str = "") -> Encounter:
    """A finished encounter."""
    specialties = frozenset({code(specialty)}) if specialty else frozenset()
    return Encounter(
        f"Encounter/{ref}",
        frozenset({code(text)}),
        text,
        "finished",
        ago(days),
        specialties=specialties,
    )


def order(ref: int, drug_class: DrugClass, days: int, supply: int, status: str = "active") -> Order:
    """A prescription of a drug of a class."""
    start = AS_OF - timedelta(days=days)
    return Order(
        f"MedicationRequest/{ref}",
        text=drug_class.value,
        status=status,
        intent="order",
        when=on(start),
        drug=Drug(f"{ref}", drug_class.value, "SCD", (), classes=frozenset({drug_class})),
        span=span_of(start, supply),
    )


def request(
    ref: int, text: str, days: int | None, status: str = "active", draft: bool = False
) -> Request:
    """A service request."""
    when = None if days is None else ago(days)
    return Request(
        f"ServiceRequest/{ref}",
        frozenset({code(text)}),
        text,
        status,
        when,
        draft=draft,
        intent="order",
    )


def goal(ref: int, achievement: str, days: int) -> Goal:
    """A goal with an achievement."""
    return Goal(f"Goal/{ref}", status="active", when=ago(days), achievement=achievement)


def chart(*facts: object, patient: Patient | None = ADULT, hook: str = "patient-view") -> Facts:
    """Facts by kind."""

    def of(kind: type[T]) -> tuple[T, ...]:
        return tuple(fact for fact in facts if isinstance(fact, kind))

    return Facts(
        AS_OF,
        hook,
        patient,
        orders=of(Order),
        conditions=of(Condition),
        observations=of(Observation),
        procedures=of(Procedure),
        encounters=of(Encounter),
        requests=of(Request),
        goals=of(Goal),
    )


BACK_PAIN = condition(0, "ICD10CM#M5450", ago(40))
POOL: tuple[object, ...] = (
    BACK_PAIN,
    condition(1, "ICD10CM#G834", ago(3)),
    condition(2, "ICD10CM#G8220", ago(31)),
    condition(3, "ICD10CM#R509", ago(2)),
    condition(4, "SNOMED#228388006", ago(400)),
    condition(5, "ICD10CM#R7881", ago(60)),
    condition(6, "ICD10CM#S32010A", None),
    condition(7, "ICD10CM#W010XXA", ago(5)),
    condition(8, "ICD10CM#M810", ago(900), "inactive"),
    condition(9, "ICD10CM#C61", ago(2000), "resolved"),
    condition(10, "ICD10CM#R634", None),
    condition(11, "ICD10CM#M21371", ago(20)),
    condition(12, "ICD10CM#G9761", ago(1)),
    result(1, "LOINC#8310-5", "38.4", "Cel", 2),
    result(2, "LOINC#30341-2", "35", "mm/h", 9),
    result(3, "LOINC#29463-7", "80", "kg", 120),
    result(4, "LOINC#29463-7", "74", "kg", 4),
    result(5, "LOINC#72514-3", "6", "{score}", 8),
    result(6, "LOINC#97909-6", "46", "%", 38),
    result(7, "LOINC#97909-6", "44", "%", 4),
    result(8, "LOINC#91147-9", "6", "{score}", 38),
    result(9, "LOINC#91147-9", "2", "{score}", 4),
    procedure(1, "CPT#63047", 20),
    procedure(2, "CPT#62323", 70),
    procedure(3, "CPT#98941", 12),
    visit(1, "CPT#97110", 36, "NUCC#225100000X"),
    visit(2, "CPT#97110", 10, "NUCC#225100000X"),
    order(1, DrugClass.SYSTEMIC_CORTICOSTEROID, 100, 120),
    order(2, DrugClass.NSAID, 39, 20),
    goal(1, "not-achieved", 3),
)
charts = st.lists(st.sampled_from(POOL), unique_by=id).flatmap(st.permutations)
withheld = st.sets(st.sampled_from([n for n in Need if n is not Need.PATIENT]), max_size=4)

_MEMBERS = {
    Need.CONDITIONS: "conditions",
    Need.OBSERVATIONS: "observations",
    Need.PROCEDURES: "procedures",
    Need.ENCOUNTERS: "encounters",
    Need.MEDICATIONS: "orders",
    Need.GOALS: "goals",
}


def without(facts: Facts, needs: set[Need]) -> Facts:
    """The same chart where these kinds could not be read."""
    empty = {_MEMBERS[need]: () for need in needs if need in _MEMBERS}
    return replace(facts, available=facts.available - needs, **empty)
