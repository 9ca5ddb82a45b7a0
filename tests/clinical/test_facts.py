"""What is asked of a chart: facts by value set, and results by their age."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from cds_service.clinical.dates import FuzzyDate, fuzzy, on
from cds_service.clinical.evidence import recorded
from cds_service.clinical.facts import Condition, Facts, Observation, Quantity
from cds_service.knowledge.codes import Code, ValueSet
from tests.clinical.prescriptions import AS_OF, knowledge

BOTH, ONE = Code("ICD10CM", "M5450"), Code("ICD10CM", "M5416")
PAIN = ValueSet("pain", exact=frozenset({BOTH}))
BACK = ValueSet("back", exact=frozenset({BOTH, ONE}))
FEVER = ValueSet("fever", exact=frozenset({Code("LOINC", "8310-5")}))


def test_a_fact_of_several_sets_is_one() -> None:
    facts = Facts(
        AS_OF,
        "patient-view",
        conditions=(
            Condition("Condition/1", frozenset({ONE})),
            Condition("Condition/2", frozenset({BOTH})),
            Condition("Condition/3", frozenset({Code("ICD10CM", "I10")})),
        ),
    )
    assert [c.ref for c in facts.conditions_in(PAIN, BACK)] == ["Condition/1", "Condition/2"]
    assert [c.ref for c in facts.conditions_in(PAIN)] == ["Condition/2"]


def test_a_result_counts_that_lies_in_the_window_whatever_its_date_may_mean() -> None:
    window = knowledge().in_force(AS_OF, ()).numbers["red-flags.fever_days"]
    whens: dict[str, FuzzyDate | None] = {
        "today": on(AS_OF),
        "long ago": on(AS_OF - timedelta(days=int(window.value) + 1)),
        "this year": fuzzy(f"{AS_OF:%Y}"),
        "undated": None,
        "to come": on(AS_OF + timedelta(days=1)),
    }
    facts = Facts(
        AS_OF,
        "patient-view",
        observations=tuple(
            Observation(ref, FEVER.exact, "", "final", when, Quantity(Decimal(39), "Cel"))
            for ref, when in whens.items()
        ),
    )
    assert [o.ref for o in recorded(facts, FEVER, window)] == ["today"]
    assert [o.ref for o in recorded(facts, FEVER)] == ["long ago", "this year", "today"]
