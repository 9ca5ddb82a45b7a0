"""What the buttons of the opioid cards leave of a draft order, and of what the chart says."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cds_service.cases import Call, House, Road
from cds_service.cases.roads import faults

AS_OF = date(2026, 3, 1)
UCUM = "http://unitsofmeasure.org"
PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1970-05-01"}
FOUR_A_DAY = {"frequency": 4, "period": 1, "periodUnit": "d"}
DAY = {"unit": "days", "system": UCUM, "code": "d"}


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def draft(instruction: dict[str, Any], dispense: dict[str, Any]) -> dict[str, Any]:
    """Oxycodone 10 mg, to be signed."""
    dose = {"doseQuantity": {"value": 10, "unit": "mg", "system": UCUM, "code": "mg"}}
    return {
        "resourceType": "MedicationRequest",
        "id": "d1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1049621"}]
        },
        "dosageInstruction": [{"doseAndRate": [dose], **instruction}],
        "dispenseRequest": dispense,
    }


def updates(house: House, order: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The changed draft of each button that changes it, by the first word of its label."""
    return {
        label.split()[0]: action["resource"]
        for label, action in suggestions(house, "order-sign", order).items()
        if action["type"] == "update"
    }


def repeat_of(order: dict[str, Any]) -> dict[str, Any]:
    repeat: dict[str, Any] = order["dosageInstruction"][0]["timing"]["repeat"]
    return repeat


@pytest.mark.parametrize(
    "limit",
    [
        {"boundsDuration": {"value": 30, **DAY}},
        {"boundsPeriod": {"start": "2026-03-01", "end": "2026-03-30"}},
        {"count": 120},
    ],
)
def test_fewer_doses_a_day_are_taken_for_as_long(house: House, limit: dict[str, Any]) -> None:
    order = draft({"timing": {"repeat": {**FOUR_A_DAY, **limit}}}, {"numberOfRepeatsAllowed": 0})
    assert repeat_of(updates(house, order)["Fewer"]) == {**FOUR_A_DAY, "frequency": 3, **limit}


@pytest.mark.parametrize(("before", "after"), [(56, 42), (57, 42), (1, 1)])
def test_fewer_doses_a_day_make_no_longer_supply(house: House, before: int, after: int) -> None:
    """Three quarters of the tablets for three doses a day instead of four; a package stays one."""
    order = draft({"timing": {"repeat": FOUR_A_DAY}}, {"quantity": {"value": before}})
    assert updates(house, order)["Fewer"]["dispenseRequest"] == {"quantity": {"value": after}}


def test_fewer_doses_a_day_leave_no_word_of_the_old_frequency(house: House) -> None:
    said = {"text": "four times a day", "patientInstruction": "Take one four times a day"}
    clock = {"timeOfDay": ["08:00:00", "12:00:00", "16:00:00", "20:00:00"]}
    code = {"text": "QID"}
    order = draft(
        {**said, "timing": {"code": code, "repeat": clock}}, {"numberOfRepeatsAllowed": 0}
    )
    (instruction,) = updates(house, order)["Fewer"]["dosageInstruction"]
    assert instruction == {
        "doseAndRate": order["dosageInstruction"][0]["doseAndRate"],
        "timing": {"repeat": {**FOUR_A_DAY, "frequency": 3}},
    }


def test_a_draft_with_a_daily_maximum_is_not_offered_fewer_doses(house: House) -> None:
    most = {"numerator": {"value": 80, "code": "mg"}, "denominator": {"value": 1, **DAY}}
    instruction = {"timing": {"repeat": FOUR_A_DAY}, "maxDosePerPeriod": most}
    assert "Fewer" not in updates(house, draft(instruction, {"numberOfRepeatsAllowed": 0}))


@pytest.mark.parametrize("sequence", [1, 2])
def test_two_instructions_are_not_offered_fewer_doses(house: House, sequence: int) -> None:
    """Taken together or one after the other: the button would change the first alone."""
    step = {"timing": {"repeat": FOUR_A_DAY}}
    order = draft({**step, "sequence": 1}, {"numberOfRepeatsAllowed": 0})
    order["dosageInstruction"].append({**order["dosageInstruction"][0], "sequence": sequence})
    assert "Fewer" not in updates(house, order)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"boundsDuration": {"value": 2, "code": "wk"}}, {"boundsDuration": {"value": 7, **DAY}}),
        ({"boundsRange": {"high": {"value": 14, **DAY}}}, {"boundsDuration": {"value": 7, **DAY}}),
        ({"count": 56}, {"boundsDuration": {"value": 7, **DAY}}),
        (
            {"boundsPeriod": {"start": "2026-03-02", "end": "2026-03-15"}},
            {"boundsPeriod": {"start": "2026-03-02", "end": "2026-03-08"}},
        ),
        ({"boundsDuration": {"value": 5, **DAY}}, {"boundsDuration": {"value": 5, **DAY}}),
        ({}, {}),
    ],
)
def test_a_shorter_supply_is_taken_for_no_longer(
    house: House, before: dict[str, Any], after: dict[str, Any]
) -> None:
    dispense = {"expectedSupplyDuration": {"value": 14, **DAY}, "quantity": {"value": 112}}
    order = draft({"timing": {"repeat": {**FOUR_A_DAY, **before}}}, dispense)
    shorter = updates(house, order)["Shorten"]
    assert repeat_of(shorter) == {**FOUR_A_DAY, **after}
    assert shorter["dispenseRequest"] == {
        "expectedSupplyDuration": {"value": 7, **DAY},
        "quantity": {"value": 56},
    }


def test_steps_that_follow_one_another_keep_their_lengths(house: House) -> None:
    step = {"timing": {"repeat": {**FOUR_A_DAY, "boundsDuration": {"value": 10, **DAY}}}}
    order = draft({**step, "sequence": 1}, {"expectedSupplyDuration": {"value": 20, **DAY}})
    order["dosageInstruction"].append({**order["dosageInstruction"][0], "sequence": 2})
    shorter = updates(house, order)["Shorten"]
    assert shorter["dosageInstruction"] == order["dosageInstruction"]


def test_a_length_in_words_is_not_contradicted(house: House) -> None:
    order = draft(
        {"text": "Take 1 tablet by mouth every 6 hours for 14 days"}, {"numberOfRepeatsAllowed": 0}
    )
    order["dosageInstruction"][0].pop("doseAndRate")
    assert "Shorten" not in updates(house, order)


def test_an_instruction_that_is_no_list_is_not_changed(house: House) -> None:
    order = draft({"timing": {"repeat": FOUR_A_DAY}}, {"numberOfRepeatsAllowed": 0})
    order["dosageInstruction"] = order["dosageInstruction"][0]
    assert "Fewer" not in updates(house, order)


RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def fact(kind: str, **members: Any) -> dict[str, Any]:
    """A resource of the chart, of the month before."""
    dated = {"Condition": "recordedDate", "Observation": "effectiveDateTime"}
    return {
        "resourceType": kind,
        "id": kind.lower(),
        "subject": {"reference": "Patient/p1"},
        dated.get(kind, "authoredOn"): "2026-02-10",
        **members,
    }


def ordered(code: str) -> dict[str, Any]:
    medication = coded(RXNORM, code)
    members = {"status": "active", "intent": "order", "medicationCodeableConcept": medication}
    return {**fact("MedicationRequest", **members), "id": f"rx-{code}"}


def requested(code: str) -> dict[str, Any]:
    return fact("ServiceRequest", status="active", intent="order", code=coded(SNOMED, code))


SPRAY, LORAZEPAM, IBUPROFEN, HYDROCODONE = "1725059", "197901", "197806", "857002"
DISORDER = fact("Condition", code=coded("http://hl7.org/fhir/sid/icd-10-cm", "F11.20"))
COCAINE = fact(
    "Observation", status="final", code=coded("http://loinc.org", "3397-7"), valueString="Positive"
)


def answered(
    house: House,
    hook: str,
    order: dict[str, Any],
    *chart: dict[str, Any],
    service: str = "opioid-safety",
) -> list[dict[str, Any]]:
    """The cards of the answer to this chart; on order-sign with an order to be signed."""
    context: dict[str, Any] = {"userId": "Practitioner/dr", "patientId": "p1"}
    if hook == "order-sign":
        entry = [{"resource": order}]
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entry}
    call = Call(service, hook, AS_OF, "buttons", context, (PATIENT, *chart))
    answer = house.ask(call, Road.PREFETCH)
    assert answer.body["cards"] and not faults(answer, call)
    cards: list[dict[str, Any]] = answer.body["cards"]
    return cards


def suggestions(
    house: House,
    hook: str,
    order: dict[str, Any],
    *chart: dict[str, Any],
    service: str = "opioid-safety",
) -> dict[str, dict[str, Any]]:
    """What the buttons of the answer do, by their labels."""
    return {
        suggestion["label"]: action
        for card in answered(house, hook, order, *chart, service=service)
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    }


def labels(house: House, hook: str, *chart: dict[str, Any]) -> set[str]:
    """The buttons of the answer to this chart; on order-sign with 60 MME for 30 days to be signed."""
    days = {"expectedSupplyDuration": {"value": 30, **DAY}}
    order = draft({"timing": {"repeat": FOUR_A_DAY}}, days)
    return set(suggestions(house, hook, order, *chart))


def created(
    house: House, order: dict[str, Any], label: str, *chart: dict[str, Any]
) -> dict[str, Any]:
    """The order that a button creates."""
    resource: dict[str, Any] = suggestions(house, "order-sign", order, *chart)[label]["resource"]
    return resource


@pytest.mark.parametrize(
    ("hook", "label", "chart", "there"),
    [
        ("order-sign", "Order naloxone nasal spray", (), ordered(SPRAY)),
        ("patient-view", "Order naloxone nasal spray", (DISORDER,), ordered(SPRAY)),
        (
            "patient-view",
            "Order naloxone nasal spray",
            (ordered(LORAZEPAM), ordered(HYDROCODONE)),
            ordered(SPRAY),
        ),
        ("order-sign", "Draft naproxen 500 mg (check contraindications)", (), ordered(IBUPROFEN)),
        ("order-sign", "Refer to physical therapy", (), requested("444831000124102")),
        ("order-sign", "Order a urine drug test", (COCAINE,), requested("310627008")),
        (
            "patient-view",
            "Refer for treatment of opioid use disorder",
            (DISORDER,),
            requested("1254709001"),
        ),
    ],
)
def test_what_is_already_ordered_is_not_offered(
    house: House, hook: str, label: str, chart: tuple[Any, ...], there: dict[str, Any]
) -> None:
    assert label in labels(house, hook, *chart)
    assert label not in labels(house, hook, *chart, there)


def test_support_for_a_high_dose_offers_naloxone_once(house: House) -> None:
    pain = fact("Condition", code=coded("http://hl7.org/fhir/sid/icd-10-cm", "M54.50"))
    supply = {"expectedSupplyDuration": {"value": 60, **DAY}}
    dose = draft({"timing": {"repeat": FOUR_A_DAY}}, supply)
    dose |= {"status": "active", "authoredOn": "2026-02-10"}
    view = "patient-view"
    offered = suggestions(house, view, {}, pain, dose, service="low-back-pain")
    assert "Order naloxone nasal spray" in offered
    offered = suggestions(house, view, {}, pain, dose, ordered(SPRAY), service="low-back-pain")
    assert "Order naloxone nasal spray" not in offered


def test_an_order_that_rests_on_a_result_names_it(house: House) -> None:
    days = {"expectedSupplyDuration": {"value": 30, **DAY}}
    order = draft({"timing": {"repeat": FOUR_A_DAY}}, days)
    assert "reasonReference" not in created(house, order, "Order a urine drug test")
    test = created(house, order, "Order a urine drug test", COCAINE)
    assert test["reasonReference"] == [{"reference": "Observation/observation"}]
    order["reasonCode"] = [coded("http://hl7.org/fhir/sid/icd-10-cm", "M54.50")]
    test = created(house, order, "Order a urine drug test", COCAINE)
    assert test["reasonCode"] == order["reasonCode"] and "reasonReference" not in test


def test_a_task_says_why_it_is_to_be_done(house: House) -> None:
    days = {"expectedSupplyDuration": {"value": 30, **DAY}}
    order = draft({"timing": {"repeat": FOUR_A_DAY}}, days)
    plan = "Plan a taper with the patient"
    assert "reasonCode" not in created(house, order, plan, ordered(LORAZEPAM))
    order["reasonCode"] = [coded("http://hl7.org/fhir/sid/icd-10-cm", "M54.50")]
    assert created(house, order, plan, ordered(LORAZEPAM))["reasonCode"] == order["reasonCode"][0]
