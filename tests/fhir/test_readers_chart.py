"""Patients, conditions, results, procedures, visits and answers as EHRs send them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.dates import FuzzyDate, on
from cds_service.clinical.facts import Condition, Need, Observation, Quantity
from cds_service.knowledge.codes import Code
from tests.fhir.calls import AS_OF, CPT, LOINC, PATIENT, SNOMED, Call, condition, facts, mine, read

PAIN = {"coding": [{"system": LOINC, "code": "72514-3"}], "text": "Pain"}


def one_condition(**members: Any) -> Condition:
    """A condition, read."""
    (found,) = facts(Need.CONDITIONS, condition(**members)).conditions
    return found


def result(**members: Any) -> Observation:
    """A pain score, read."""
    members = {"status": "final", "code": PAIN, **members}
    (found,) = facts(Need.OBSERVATIONS, mine("Observation", "o", **members)).observations
    return found


def test_the_patient() -> None:
    disabled = {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-disability",
        "valueCodeableConcept": {},
    }
    reading = read(
        Call({"patient": {**PATIENT, "extension": [disabled], "birthDate": "1970"}}), [Need.PATIENT]
    )
    patient = reading.facts.patient
    assert patient is not None
    assert (patient.ref, patient.sex, patient.disability) == ("Patient/p1", "female", True)
    assert reading.facts.age == 55  # from the last possible birthday


def test_a_whole_condition() -> None:
    found = one_condition(
        clinicalStatus={"coding": [{"code": "active"}]},
        verificationStatus={"coding": [{"code": "confirmed"}]},
        category=[
            {"coding": [{"code": "problem-list-item"}]},
            {"coding": [{"code": "encounter-diagnosis"}]},
        ],
        encounter={"reference": "Encounter/e1"},
        onsetDateTime="2025-12",
        recordedDate="2026-01-02",
    )
    assert (found.codes, found.status, found.verification) == (
        {Code("ICD10CM", "M5450")},
        "active",
        "confirmed",
    )
    assert found.categories == {"problem-list-item", "encounter-diagnosis"}
    assert found.onset == found.when == FuzzyDate(date(2025, 12, 1), date(2025, 12, 31))
    assert (found.recorded, found.encounter) == (on(date(2026, 1, 2)), "Encounter/e1")
    assert found.active(AS_OF)


@pytest.mark.parametrize(
    ("members", "first", "last"),
    [
        ({"onsetDateTime": "2025-02-03T23:59:00-08:00"}, date(2025, 2, 3), date(2025, 2, 3)),
        ({"onsetPeriod": {"start": "2025-02"}}, date(2025, 2, 1), date(2025, 2, 28)),
        ({"onsetAge": {"value": 50, "code": "a"}}, date(2020, 5, 1), date(2021, 4, 30)),
        ({"onsetAge": {"value": 2, "unit": "weeks"}}, date(1970, 5, 15), date(1970, 5, 21)),
        (
            {
                "onsetRange": {
                    "low": {"value": 40, "unit": "years"},
                    "high": {"value": 45, "unit": "years"},
                }
            },
            date(2010, 5, 1),
            date(2016, 4, 30),
        ),
        ({"recordedDate": "2024"}, date(2024, 1, 1), date(2024, 12, 31)),
        ({"onsetString": "2024-05"}, date(2024, 5, 1), date(2024, 5, 31)),
    ],
)
def test_an_onset_of_any_type(members: Any, first: date, last: date) -> None:
    assert one_condition(**members).when == FuzzyDate(first, last)


@pytest.mark.parametrize(
    "members",
    [
        {"onsetString": "in childhood"},
        {"onsetDateTime": "last May"},
        {"onsetAge": {"value": 5, "unit": "fortnights"}},
        {"onsetAge": {"value": "NaN", "unit": "a"}},
        {"onsetAge": {"value": 999999, "unit": "a"}},
        {"onsetDateTime": {"year": 2020}},
    ],
)
def test_an_onset_that_cannot_be_read_is_named_and_no_date(members: Any) -> None:
    found = facts(Need.CONDITIONS, condition(**members))
    assert found.conditions[0].when is None
    assert [u.ref for u in found.unread] == ["Condition/c1"]
    assert "childhood" not in found.unread[0].why


def test_an_onset_by_age_without_a_birth_date_is_named() -> None:
    found = facts(Need.CONDITIONS, condition(onsetAge={"value": 50, "code": "a"}), patient=False)
    assert (found.conditions[0].onset, len(found.unread)) == (None, 1)


@pytest.mark.parametrize(
    ("members", "abated"),
    [
        ({"abatementDateTime": "2026-01-05"}, on(date(2026, 1, 5))),
        (
            {"abatementPeriod": {"start": "2026-01-05", "end": "2026-02"}},
            FuzzyDate(date(2026, 1, 5), date(2026, 2, 28)),
        ),
        ({"abatementPeriod": {"end": "2026-01-05"}}, on(date(2026, 1, 5))),
        (
            {"abatementAge": {"value": 50, "code": "a"}},
            FuzzyDate(date(2020, 5, 1), date(2021, 4, 30)),
        ),
        ({"abatementString": "long ago"}, None),
        ({"abatementBoolean": True}, None),
        ({"abatementDateTime": 5.5}, None),
    ],
)
def test_an_abatement_of_any_type(members: Any, abated: FuzzyDate | None) -> None:
    found = one_condition(**members)
    assert (found.has_abatement, found.abated, found.active(AS_OF)) == (True, abated, False)
    assert one_condition(abatementBoolean=False).has_abatement is False


def test_statuses_and_categories_in_other_shapes() -> None:
    found = one_condition(
        clinicalStatus="Active", category={"coding": {"code": "problem-list-item"}}
    )
    assert (found.status, found.categories) == ("active", {"problem-list-item"})
    assert one_condition(clinicalStatus={"text": "Resolved"}).status == "resolved"


def test_only_what_rules_ask_about_becomes_a_fact() -> None:
    assert (
        facts(Need.CONDITIONS, condition(code="I10"), condition("c2")).conditions[0].ref
        == "Condition/c2"
    )
    other = {"coding": [{"system": LOINC, "code": "2345-7"}]}
    assert (
        facts(Need.OBSERVATIONS, mine("Observation", "o", code=other, status="final")).observations
        == ()
    )
    assert (
        facts(Need.PROCEDURES, mine("Procedure", "p", code=other, status="completed")).procedures
        == ()
    )


def test_long_charts_are_read_like_short_ones() -> None:
    codes = ["I10"] * 30 + ["M54.50"] * 3 + ["E11.9"] * 30 + ["M54.16"]
    found = facts(Need.CONDITIONS, *(condition(f"c{n}", code) for n, code in enumerate(codes)))
    assert [c.ref for c in found.conditions] == [
        "Condition/c30",
        "Condition/c31",
        "Condition/c32",
        "Condition/c63",
    ]
    other = condition("x", "I10", subject={"reference": "Patient/p2"})
    assert (
        facts(Need.CONDITIONS, *[condition(f"c{n}", "I10") for n in range(40)], other).dropped == 1
    )


@pytest.mark.parametrize(
    ("value", "quantity"),
    [
        (
            {"valueQuantity": {"value": 6.50, "unit": "score", "code": "{score}"}},
            Quantity(Decimal("6.5"), "{score}"),
        ),
        ({"valueQuantity": {"value": "6", "unit": "score"}}, Quantity(Decimal(6), "score")),
        ({"valueInteger": 6}, Quantity(Decimal(6))),
        ({"valueQuantity": {"value": "NaN"}}, None),
        ({"valueQuantity": {"unit": "score"}}, None),
        ({"valueString": " 2.4 "}, Quantity(Decimal("2.4"))),
        ({"valueString": "> 8"}, Quantity(Decimal(8), "", ">")),
        ({"valueString": "12 of 27"}, None),
        ({}, None),
    ],
)
def test_a_value_that_is_a_number(value: Any, quantity: Quantity | None) -> None:
    assert result(**value).value == quantity


def test_values_of_other_types() -> None:
    coded = result(
        valueCodeableConcept={
            "coding": [{"system": SNOMED, "code": "10828004"}],
            "text": "Positive",
        }
    )
    assert (coded.value_codes, coded.value_text) == ({Code("SNOMED", "10828004")}, "Positive")
    worded = result(valueString="positive")
    assert (worded.value, worded.value_text) == (None, "positive")
    assert result(valueBoolean=False).value_flag is False
    below = result(valueQuantity={"value": 5, "comparator": "<"})
    assert (below.value, below.value_text) == (Quantity(Decimal(5), "", "<"), "<5")


def test_dates_interpretation_and_range_of_a_result() -> None:
    found = result(
        effectivePeriod={"start": "2026-01-05", "end": "2026-01-06"},
        issued="2026-02-01T00:00:00Z",
        interpretation={"coding": [{"code": "pos"}]},
        referenceRange=[{"text": "x"}, {"high": {"value": 10, "unit": "mg/L"}}],
    )
    assert (found.when, found.interpretation) == (on(date(2026, 1, 5)), {"POS"})
    assert found.reference_high == Quantity(Decimal(10), "mg/L")
    assert result(effectiveInstant="2026-01-05T10:00:00Z").when == on(date(2026, 1, 5))
    assert result(issued="2026-02-01T00:00:00Z").when == on(date(2026, 2, 1))
    assert result(effectivePeriod={"end": "2026-01-06"}).when == on(date(2026, 1, 6))


def test_a_panel_counts_when_one_of_its_parts_is_asked_about() -> None:
    panel = {"coding": [{"system": LOINC, "code": "55757-9"}]}
    phq9 = {"code": {"coding": [{"system": LOINC, "code": "44261-6"}]}, "valueInteger": 12}
    found = result(
        code=panel,
        component=[{"code": panel, "valueInteger": 1}, phq9],
        effectiveDateTime="2026-02-01",
    )
    assert [part.value for part in found.components] == [
        Quantity(Decimal(1)),
        Quantity(Decimal(12)),
    ]
    assert (found.components[1].when, found.components[1].counts) == (on(date(2026, 2, 1)), True)
    assert result(code=panel, component=phq9).components[0].codes == {Code("LOINC", "44261-6")}


def test_a_result_with_unreadable_parts_still_counts_and_is_named() -> None:
    broken = mine(
        "Observation", "o", status="final", code=PAIN, valueQuantity={"value": {"x": 1}}, method=5
    )
    found = facts(Need.OBSERVATIONS, broken)
    assert (found.observations[0].value, found.observations[0].counts) == (None, True)
    assert [u.why for u in found.unread] == ["valueQuantity.value could not be read"]


def test_a_code_that_cannot_be_read_is_named_though_nobody_may_ask_for_it() -> None:
    found = facts(
        Need.OBSERVATIONS,
        mine("Observation", "o", code={"coding": [{"system": LOINC, "code": [1, 2]}]}),
    )
    assert [u.why for u in found.unread] == ["code.coding[0].code could not be read"]


@pytest.mark.parametrize("none", ["0001-01-01", "1753-01-01T00:00:00Z", "9999-12-31", "0001"])
def test_what_systems_write_for_no_date_is_none_and_not_named(none: str) -> None:
    found = facts(Need.CONDITIONS, condition(onsetDateTime=none))
    assert (found.conditions[0].onset, found.unread) == (None, ())


def test_a_dateTime_is_a_day_as_written_or_in_the_configured_zone() -> None:
    late = mine("Observation", "o", code=PAIN, effectiveDateTime="2026-02-01T23:30:00-05:00")
    (written,) = facts(Need.OBSERVATIONS, late).observations
    (moved,) = facts(Need.OBSERVATIONS, late, zone="Europe/Berlin").observations
    assert (written.when, moved.when) == (on(date(2026, 2, 1)), on(date(2026, 2, 2)))


def test_a_procedure() -> None:
    code = {"coding": [{"system": SNOMED, "code": "1"}, {"system": CPT, "code": "97110"}]}
    members = {
        "status": "completed",
        "code": code,
        "performer": {"actor": {"reference": "Practitioner/1"}},
    }
    period = mine(
        "Procedure", "p", **members, performedPeriod={"start": "2026-01-05", "end": "2026-01-06"}
    )
    (found,) = facts(Need.PROCEDURES, period).procedures
    assert (found.when, found.ended, found.done) == (
        on(date(2026, 1, 5)),
        on(date(2026, 1, 6)),
        True,
    )
    assert found.performers == {"Practitioner/1"}
    words = facts(
        Need.PROCEDURES, mine("Procedure", "p", **members, performedString="some time ago")
    )
    assert (words.procedures[0].when, len(words.unread)) == (None, 1)
    said = mine("Procedure", "p", **members, performedString="2026-01-05")
    assert facts(Need.PROCEDURES, said).procedures[0].when == on(date(2026, 1, 5))
    plain = mine("Procedure", "p", **members, performedDateTime="2026-01-05")
    assert facts(Need.PROCEDURES, plain).procedures[0].when == on(date(2026, 1, 5))
