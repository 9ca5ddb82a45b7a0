"""What an order that a button creates rests on: its own trigger, not its neighbours on the card."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cds_service.cases import Call, House, Road

AS_OF = date(2026, 3, 1)
PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1970-05-01"}
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
COVERED = {
    "resourceType": "Coverage",
    "id": "cover",
    "status": "active",
    "beneficiary": {"reference": "Patient/p1"},
    "payor": [{"display": "Cigna"}],
}


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def condition(code: str, onset: str) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": code.replace(".", ""),
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": ICD10, "code": code}]},
        "subject": {"reference": "Patient/p1"},
        "onsetDateTime": onset,
    }


def score(code: str, value: int, day: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{code}",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": day,
        "valueInteger": value,
    }


BACK_PAIN = condition("M54.50", "2026-02-09")


def created(house: House, *chart: dict[str, Any]) -> list[dict[str, Any]]:
    """The resource of every button that creates one, on opening the chart."""
    context = {"userId": "Practitioner/a", "patientId": "p1"}
    call = Call("low-back-pain", "patient-view", AS_OF, "x", context, (PATIENT, BACK_PAIN, *chart))
    cards = house.ask(call, Road.PREFETCH).body["cards"]
    suggestions = [each for card in cards for each in card.get("suggestions", ())]
    return [s["actions"][0]["resource"] for s in suggestions if s["actions"][0]["type"] == "create"]


def one(resources: list[dict[str, Any]], text: str) -> dict[str, Any]:
    (found,) = [each for each in resources if each.get("code", {}).get("text") == text]
    return found


def reasons(resource: dict[str, Any]) -> list[str]:
    concepts = resource.get("reasonCode", [])
    concepts = concepts if isinstance(concepts, list) else [concepts]
    return [coding["code"] for concept in concepts for coding in concept["coding"]]


def test_a_referral_for_disability_tells_nothing_of_substance_use(house: House) -> None:
    addiction, disability = condition("F11.20", "2025-12-31"), condition("Z73.6", "2026-01-10")
    orders = created(house, addiction, disability)
    assert reasons(one(orders, "Cognitive behavioral care")) == ["Z73.6"]
    assert reasons(one(orders, "Substance use disorder program")) == ["F11.20"]


def test_a_task_for_the_payer_names_what_it_is_for(house: House) -> None:
    chart = (condition("F32.1", "2025-12-31"), condition("Z73.6", "2026-01-10"), COVERED)
    orders = created(house, *chart)
    assert reasons(one(orders, "Disability and vocational services")) == ["Z73.6"]


def test_a_task_that_rests_on_a_result_refers_to_it(house: House) -> None:
    task = one(created(house, score("44260-8", 2, "2026-02-25")), "Suicide risk assessment")
    assert task["reasonReference"] == {"reference": "Observation/o44260-8"}
    assert "reasonCode" not in task


def test_one_order_of_a_card_is_recommended_at_most(house: House) -> None:
    chart = (condition("F11.20", "2025-12-31"), condition("Z73.6", "2026-01-10"))
    context = {"userId": "Practitioner/a", "patientId": "p1"}
    call = Call("low-back-pain", "patient-view", AS_OF, "x", context, (PATIENT, BACK_PAIN, *chart))
    cards = house.ask(call, Road.PREFETCH).body["cards"]
    found = [sum(s.get("isRecommended", False) for s in c.get("suggestions", ())) for c in cards]
    assert max(found) == 1
