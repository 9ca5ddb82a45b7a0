"""Red flags: what combines to one, and what missing data may never do."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from time import perf_counter

import pytest
from hypothesis import given, settings

from cds_service.clinical.bone_health import bone_health
from cds_service.clinical.criteria import MET, NOT_MET, UNKNOWN
from cds_service.clinical.dates import FuzzyDate, Span, fuzzy
from cds_service.clinical.evidence import (
    ABSENT,
    Evidence,
    Sign,
    age,
    all_of,
    any_of,
    measured,
    name,
    unless,
)
from cds_service.clinical.facts import Condition, Facts, Need, Observation, Order, Patient, Quantity
from cds_service.clinical.infection import celsius, marker_amount, suspicion
from cds_service.clinical.malignancy import kilograms, malignancy
from cds_service.clinical.red_flags import RedFlags, emergency, red_flags
from cds_service.clinical.scores import scores
from cds_service.knowledge.drugs.model import DrugClass
from tests.changes import replace
from tests.clinical.spine_charts import (
    AS_OF,
    BACK_PAIN,
    ago,
    chart,
    charts,
    code,
    concluded,
    condition,
    knowledge,
    order,
    procedure,
    result,
    withheld,
    without,
)
from tests.pace import allowed

EMERGENCIES = ("cauda_equina", "cord_deficit", "infection", "fracture", "complication")
FLAGS = tuple(name for name in RedFlags.__struct_fields__ if name != "context")


def flags(facts: Facts) -> RedFlags:
    return concluded(red_flags, facts)


def severity(found: RedFlags) -> int:
    return 2 if any(f.met for f in found.emergencies) else 1 if found.any_met else 0


def test_a_long_problem_list_takes_no_longer_a_problem_than_a_short_one() -> None:
    told = ("ICD10CM#M5450", "ICD10CM#M5416", "ICD10CM#G834", "ICD10CM#C7951")
    many = [condition(n, told[n % 4], ago(n % 700)) for n in range(4000)]
    start = perf_counter()
    assert flags(chart(*many)).cauda_equina.met
    assert perf_counter() - start < allowed(
        3
    )  # 10 when each is held against all that say back pain


@settings(deadline=None)
@given(charts, withheld)
def test_data_that_could_not_be_read_never_makes_it_worse(
    facts: list[object], needs: set[Need]
) -> None:
    whole = chart(*facts)
    assert severity(flags(without(whole, needs))) <= severity(flags(whole))


@settings(deadline=None)
@given(charts)
def test_the_order_of_the_chart_does_not_matter(facts: list[object]) -> None:
    assert flags(chart(*facts)) == flags(chart(*reversed(facts)))


@settings(deadline=None)
@given(charts, withheld)
def test_list_s_follows_the_emergencies(facts: list[object], needs: set[Need]) -> None:
    seen = without(chart(*facts), needs)
    assert concluded(emergency, seen) == any(getattr(flags(seen), flag).met for flag in EMERGENCIES)


@settings(deadline=None)
@given(charts)
def test_evidence_stands_in_the_chart(facts: list[object]) -> None:
    refs = {fact.ref for fact in facts}  # type: ignore[attr-defined]
    for flag in FLAGS:
        assert set(getattr(flags(chart(*facts)), flag).refs) <= refs


@settings(deadline=None)
@given(charts)
def test_an_emergency_is_not_also_a_question(facts: list[object]) -> None:
    found = flags(chart(*facts))
    assert not (found.infection.met and found.possible_infection.met)
    assert not (found.fracture.met and found.possible_fracture.met)
    assert not (found.complication.met and found.postoperative_pain.met)


def test_a_lasting_deficit_alone_does_not_exempt() -> None:
    found = flags(chart(BACK_PAIN, condition(1, "ICD10CM#M21371", ago(35))))
    assert found.lasting_deficit.met and found.any_met
    assert not found.exempt and not any(f.met for f in found.emergencies)


def test_back_pain_is_the_context_not_the_evidence() -> None:
    found = flags(chart(BACK_PAIN, condition(1, "ICD10CM#G834", ago(3))))
    assert found.cauda_equina.refs == ("Condition/1",)
    assert found.context == ("Condition/0",)


def test_a_code_that_is_both_context_and_sign_is_shown() -> None:
    found = flags(chart(condition(1, "SNOMED#764272007", ago(3))))
    assert found.cauda_equina.met and found.cauda_equina.refs == ("Condition/1",)


def test_a_condition_of_the_future_is_ignored() -> None:
    assert not flags(chart(BACK_PAIN, condition(1, "ICD10CM#G834", ago(-2)))).any_met


def test_what_is_silent_in_the_chart_cannot_be_settled_by_other_data() -> None:
    unknown = flags(without(chart(BACK_PAIN), {Need.MEDICATIONS})).possible_infection
    assert unknown == Sign(UNKNOWN)


FOUND = Sign(MET, (Evidence("Condition/1", "one"),))
UNREAD = Sign(UNKNOWN, (), (Need.CONDITIONS,))
SILENT = Sign(UNKNOWN)


@pytest.mark.parametrize(
    ("combined", "status", "missing"),
    [
        (any_of(FOUND, UNREAD, ABSENT), MET, ()),
        (any_of(UNREAD, SILENT, ABSENT), UNKNOWN, (Need.CONDITIONS,)),
        (any_of(ABSENT, ABSENT), NOT_MET, ()),
        (all_of(FOUND, FOUND), MET, ()),
        (all_of(FOUND, UNREAD), UNKNOWN, (Need.CONDITIONS,)),
        (all_of(FOUND, UNREAD, SILENT), UNKNOWN, ()),
        (all_of(FOUND, UNREAD, ABSENT), NOT_MET, ()),
        (unless(FOUND, FOUND), NOT_MET, ()),
        (unless(FOUND, UNREAD), MET, ()),
    ],
)
def test_signs_combine_in_three_values(combined: Sign, status: object, missing: object) -> None:
    assert (combined.status, combined.missing) == (status, missing)


LIMIT = "red-flags.new_onset_days"


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (ago(30), True),
        (ago(31), False),
        (ago(-1), False),
        (None, None),
        (fuzzy("2025-06"), True),
        (fuzzy("2025-05"), None),
        (fuzzy("2025-04"), False),
    ],
)
def test_the_age_of_a_partial_date(when: FuzzyDate | None, expected: bool | None) -> None:
    number = knowledge().number(LIMIT, AS_OF)
    assert number is not None
    assert age(when, AS_OF, number) is expected


def test_a_measurement_is_named_and_its_unit_written_as_read() -> None:
    assert measured(result(1, "LOINC#8310-5", "38.4", "Cel", 1)).value == Quantity(
        Decimal("38.4"), "°C"
    )
    assert measured(result(1, "LOINC#72514-3", "6", "{score}", 1)).value == Quantity(Decimal(6), "")
    assert measured(Observation("Observation/1")).value is None
    assert name(Condition("Condition/1")) == "Condition/1"
    assert name(Condition("Condition/1", frozenset({code("ICD10CM#M545")}))) == "M54.5"


def test_units_that_say_nothing_are_not_read() -> None:
    assert celsius(None) is None
    assert kilograms(None) is None
    assert marker_amount("crp", result(1, "LOINC#1988-5", "12", "", 1)) is None
    assert marker_amount("esr", result(1, "LOINC#30341-2", "12", "mg", 1)) is None


@pytest.mark.parametrize(
    ("crp", "status"),
    [(">10", MET), ("<10", NOT_MET), ("<20", UNKNOWN), (">5", UNKNOWN)],
)
def test_a_marker_that_is_only_known_to_lie_on_a_side(crp: str, status: object) -> None:
    hot = result(1, "LOINC#8310-5", "38.5", "Cel", 1)
    found = flags(chart(BACK_PAIN, hot, result(2, "LOINC#1988-5", crp, "mg/L", 1)))
    assert (found.infection.status, found.possible_infection.met) == (status, status is not MET)


@pytest.mark.parametrize(("value", "status"), [("<38", NOT_MET), ("<39", UNKNOWN), (">38", MET)])
def test_a_temperature_that_is_only_known_to_lie_on_a_side(value: str, status: object) -> None:
    found = flags(chart(BACK_PAIN, result(1, "LOINC#8310-5", value, "Cel", 1)))
    assert found.possible_infection.status is status


def test_a_pain_score_that_is_only_known_to_lie_on_a_side() -> None:
    def pain(value: str) -> Sign:
        return concluded(scores, chart(result(1, "LOINC#72514-3", value, "{score}", 1))).pain

    assert [pain(value).status for value in (">5", "<9", "<4")] == [MET, UNKNOWN, NOT_MET]


@pytest.mark.parametrize(
    ("value", "unit"), [(80, "KGs"), (80000, "grams"), (5, "lbs."), (5, "Pounds"), (80, "oz")]
)
def test_weights_in_the_units_that_charts_write(value: int, unit: str) -> None:
    pound = Fraction("0.45359237")
    kilos = {"KGs": 80, "grams": 80, "lbs.": 5 * pound, "Pounds": 5 * pound, "oz": 5 * pound}
    assert kilograms(Quantity(Decimal(value), unit)) == kilos[unit]


def test_a_weight_that_is_only_known_to_lie_on_a_side_is_passed_over() -> None:
    assert kilograms(Quantity(Decimal(200), "kg", ">")) is None


def test_a_result_without_a_value_is_not_a_marker() -> None:
    assert marker_amount("crp", Observation("Observation/1", status="final", when=ago(1))) is None


def test_several_results_of_a_day_read_as_the_highest_marker() -> None:
    facts = chart(
        result(1, "LOINC#1988-5", "4", "mg/L", 1), result(2, "LOINC#1988-5", "14", "mg/L", 1)
    )
    assert concluded(suspicion, facts).marker.refs == ("Observation/2",)


def test_several_weights_of_a_day_read_as_the_smallest_fall() -> None:
    facts = chart(
        result(1, "LOINC#29463-7", "80", "kg", 100),
        result(2, "LOINC#29463-7", "75", "kg", 100),
        result(3, "LOINC#29463-7", "74", "kg", 5),
    )
    assert concluded(malignancy, facts).weight_loss.status is NOT_MET


def test_red_flags_without_a_patient() -> None:
    facts = chart(BACK_PAIN, condition(1, "ICD10CM#R634", ago(3)), patient=None)
    assert flags(facts).malignancy.status is UNKNOWN
    unborn = chart(BACK_PAIN, condition(1, "ICD10CM#R634", ago(3)), patient=Patient("Patient/1"))
    assert flags(unborn).malignancy == Sign(UNKNOWN, flags(unborn).malignancy.evidence)


def test_surgery_dated_by_its_year_leaves_pain_after_it_unknown() -> None:
    undated = replace(procedure(1, "CPT#63047", 0), when=fuzzy("2025"))
    found = flags(chart(BACK_PAIN, undated))
    assert found.postoperative_pain.status is UNKNOWN


STEROID = order(1, DrugClass.SYSTEMIC_CORTICOSTEROID, 100, 120)


@pytest.mark.parametrize(
    ("taken", "long"),
    [
        (STEROID, True),
        (replace(STEROID, draft=True), False),
        (replace(STEROID, do_not_perform=True), False),
        (replace(STEROID, intent="plan"), False),
        (replace(STEROID, status="cancelled"), False),
        (order(1, DrugClass.NSAID, 100, 120), False),
        (replace(STEROID, span=Span(AS_OF - timedelta(days=95))), True),
        (replace(STEROID, span=Span(AS_OF - timedelta(days=95)), status="completed"), False),
        (replace(STEROID, span=None), False),
        (order(1, DrugClass.SYSTEMIC_CORTICOSTEROID, -3, 120), False),
        (order(1, DrugClass.SYSTEMIC_CORTICOSTEROID, 900, 120, "completed"), False),
    ],
)
def test_how_long_a_corticosteroid_was_taken(taken: Order, long: bool) -> None:
    assert concluded(bone_health, chart(taken)).corticosteroid.met is long
