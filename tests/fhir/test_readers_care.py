"""Visits, plans, documents, goals, allergies and questionnaires as EHRs send them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from cds_service.clinical.dates import FuzzyDate, on
from cds_service.clinical.facts import Encounter, Need, Quantity
from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.model import DrugClass
from tests.fhir.calls import CPT, ICD10, LOINC, SNOMED, facts, mine


def visit(status: str = "finished", **members: Any) -> Encounter:
    """An encounter, read."""
    (found,) = facts(Need.ENCOUNTERS, mine("Encounter", "e", status=status, **members)).encounters
    return found


def test_an_encounter_and_the_specialties_of_those_who_took_part() -> None:
    nucc = "http://nucc.org/provider-taxonomy"
    role = {
        "resourceType": "PractitionerRole",
        "id": "r",
        "specialty": [{"coding": [{"system": nucc, "code": "225100000X"}]}],
    }
    found = visit(
        **{"class": {"code": "AMB"}},
        type=[{"coding": [{"system": CPT, "code": "97110"}], "text": "Therapy"}],
        serviceType={"coding": [{"system": nucc, "code": "2251X0800X"}]},
        participant=[
            {"individual": {"reference": "#r"}},
            {"individual": {"reference": "Practitioner/9"}},
        ],
        contained=[role],
        period={"start": "2026-01-05T10:00:00Z", "end": "2026-01-05T10:30:00Z"},
        reasonCode=[{"coding": [{"system": ICD10, "code": "M54.50"}]}],
        hospitalization={"dischargeDisposition": {"coding": [{"system": "d", "code": "hosp"}]}},
    )
    assert (found.codes, found.text, found.done) == ({Code("CPT", "97110")}, "Therapy", True)
    assert found.specialties == {Code("NUCC", "2251X0800X"), Code("NUCC", "225100000X")}
    assert (found.when, found.ended) == (on(date(2026, 1, 5)), on(date(2026, 1, 5)))
    assert found.reasons == {Code("ICD10CM", "M5450")}
    assert found.disposition == {Code("d", "hosp")}


def test_the_end_dates_a_visit_that_is_over_and_none_that_is_under_way() -> None:
    assert visit(period={"end": "2026-01-05"}).when == on(date(2026, 1, 5))
    assert visit("in-progress", period={"end": "2026-01-05"}).when is None


def test_documents_goals_and_plans() -> None:
    loinc = {"coding": [{"system": LOINC, "code": "80764-4"}]}
    (document,) = facts(
        Need.DOCUMENTS,
        mine("DocumentReference", "d", status="current", type=loinc, date="2026-01-05T00:00:00Z"),
    ).documents
    assert (document.codes, document.when) == ({Code("LOINC", "80764-4")}, on(date(2026, 1, 5)))
    (goal,) = facts(
        Need.GOALS,
        mine(
            "Goal",
            "g",
            lifecycleStatus="active",
            achievementStatus={"coding": [{"code": "improving"}]},
            statusDate="2026-01-05",
        ),
    ).goals
    assert (goal.achievement, goal.status, goal.when) == (
        "improving",
        "active",
        on(date(2026, 1, 5)),
    )
    (plan,) = facts(
        Need.CARE_PLANS,
        mine(
            "CarePlan", "p", status="active", category=[loinc], created="2026-01-05", title="Plan",
            author={"reference": "Practitioner/1"}, contributor={"reference": "Practitioner/2"},
            meta={"lastUpdated": "2026-02-05T00:00:00Z"},
        ),
    ).care_plans  # fmt: skip
    assert (plan.codes, plan.text) == ({Code("LOINC", "80764-4")}, "Plan")
    assert (plan.when, plan.updated) == (on(date(2026, 1, 5)), on(date(2026, 2, 5)))
    assert plan.authors == {"Practitioner/1", "Practitioner/2"}


def test_an_allergy_names_its_substances_and_its_drug() -> None:
    members = {
        "resourceType": "AllergyIntolerance",
        "id": "a",
        "patient": {"reference": "Patient/p1"},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "code": {"text": "ibuprofen"},
        "reaction": {"substance": {"coding": [{"system": SNOMED, "code": "426722004"}]}},
        "recordedDate": "2020",
    }
    (found,) = facts(Need.ALLERGIES, members).allergies
    assert (found.active, found.codes) == (True, {Code("SNOMED", "426722004")})
    assert found.drug is not None
    assert found.drug.is_a(DrugClass.NSAID)


def test_answers_by_link_id_nested_ones_included() -> None:
    child = {"linkId": "child", "answer": [{"valueDecimal": 1.5}]}
    items = [
        {"linkId": "score", "answer": [{"valueInteger": 38}, {"valueInteger": 1}]},
        {"linkId": "group", "item": [{"linkId": "result", "answer": {"valueString": "proceed"}}]},
        {"linkId": "parent", "answer": [{"valueBoolean": True, "item": [child]}]},
        {"linkId": "code", "answer": [{"valueCoding": {"system": SNOMED, "code": "1"}}]},
        {"linkId": "day", "answer": [{"valueDate": "2026-01"}]},
        {"linkId": "amount", "answer": [{"valueQuantity": {"value": 2, "unit": "km"}}]},
        {"linkId": "none", "answer": [{}]},
    ]  # fmt: skip
    filled = mine(
        "QuestionnaireResponse", "q", questionnaire="urn:cds-service:questionnaire:fabq-w|1.0",
        status="completed", authored="2026-02-01", item=items,
    )  # fmt: skip
    (found,) = facts(Need.QUESTIONNAIRE_RESPONSES, filled).questionnaire_responses
    assert (found.questionnaire, found.when) == (
        "urn:cds-service:questionnaire:fabq-w",
        on(date(2026, 2, 1)),
    )
    assert found.answers == {
        "score": Decimal(38), "result": "proceed", "parent": True, "child": Decimal("1.5"),
        "code": Code("SNOMED", "1"), "day": FuzzyDate(date(2026, 1, 1), date(2026, 1, 31)),
        "amount": Quantity(Decimal(2), "km"),
    }  # fmt: skip
