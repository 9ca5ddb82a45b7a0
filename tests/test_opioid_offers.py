"""Which buttons the opioid cards offer, and which they leave out for what the chart says."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.cases import Call, House, Road
from cds_service.cases.roads import faults
from tests.test_opioid_buttons import (
    AS_OF,
    DAY,
    FOUR_A_DAY,
    HYDROCODONE,
    IBUPROFEN,
    LORAZEPAM,
    PATIENT,
    RXNORM,
    answered,
    coded,
    draft,
    fact,
    ordered,
    suggestions,
    updates,
)

DAYS = {"expectedSupplyDuration": {"value": 5, **DAY}}
EITHER, SEDATIVE = "Plan a taper with the patient", "Plan a taper of the sedative with the patient"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
NAPROXEN = "Draft naproxen 500 mg (check contraindications)"
FOR_DISORDER = [coded(ICD10CM, "F11.20")]


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def order_of(code: str = "1049621", **members: Any) -> dict[str, Any]:
    """An order of four doses a day for five days, to be signed."""
    made = draft({"timing": {"repeat": FOUR_A_DAY}}, DAYS)
    return {**made, "medicationCodeableConcept": coded(RXNORM, code), **members}


@pytest.mark.parametrize(
    ("order", "taken", "offered"),
    [
        (order_of(), LORAZEPAM, EITHER),
        (order_of("1010604"), LORAZEPAM, SEDATIVE),  # a film for opioid use disorder only
        (order_of("864706", reasonCode=FOR_DISORDER), LORAZEPAM, SEDATIVE),  # methadone
        (order_of("864706"), LORAZEPAM, EITHER),
        (order_of(LORAZEPAM), "1010604", SEDATIVE),
    ],
)
def test_no_taper_of_a_treatment_for_opioid_use_disorder_is_offered(
    house: House, order: dict[str, Any], taken: str, offered: str
) -> None:
    found = suggestions(house, "order-sign", order, ordered(taken))
    assert {EITHER, SEDATIVE} & set(found) == {offered}


def test_another_opioid_beside_the_treatment_can_be_tapered(house: House) -> None:
    found = suggestions(house, "order-sign", order_of(), ordered("1010604"), ordered(LORAZEPAM))
    assert EITHER in found and SEDATIVE not in found


def condition(code: str, **members: Any) -> dict[str, Any]:
    return fact("Condition", code=coded(ICD10CM, code), **members)


def dispensed(code: str, **members: Any) -> dict[str, Any]:
    medication = coded(RXNORM, code)
    given = {"status": "completed", "medicationCodeableConcept": medication, **members}
    return {**fact("MedicationDispense", **given), "whenHandedOver": "2026-02-10"}


APIXABAN, CLOPIDOGREL = "1364445", "309362"
METFORMIN = "861007"
SUPPLY = {"daysSupply": {"value": 30, **DAY}}
OVER = {
    "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "resolved")
}


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (ordered(APIXABAN), "an anticoagulant or antiplatelet"),
        (ordered(CLOPIDOGREL), "an anticoagulant or antiplatelet"),
        (dispensed(APIXABAN, **SUPPLY), "an anticoagulant or antiplatelet"),
        (condition("Z79.01"), "an anticoagulant or antiplatelet"),
        (condition("Z33.1"), "pregnancy"),
        (condition("N18.4"), "severe kidney disease"),
        (condition("K92.2"), "an ulcer or gastrointestinal bleeding"),
        (condition("K25.9", **OVER), "an ulcer or gastrointestinal bleeding"),
        (condition("I50.9"), "heart failure"),
    ],
)
def test_naproxen_is_not_offered_where_the_chart_speaks_against_it(
    house: House, found: dict[str, Any], why: str
) -> None:
    cards = answered(house, "order-sign", order_of(), found)
    (card,) = (c for c in cards if c["source"]["topic"]["code"] == "opioid-nonopioid-first")
    assert NAPROXEN not in [s["label"] for s in card["suggestions"]]
    assert card["detail"].count(f"No NSAID is offered: {why} on record.") == 1


@pytest.mark.parametrize(
    "found",
    [
        condition("Z33.1", recordedDate="2023-02-10"),  # a pregnancy of three years ago
        condition("N18.30"),
        condition("I50.9", **OVER),
        dispensed(IBUPROFEN, status="cancelled"),
    ],
)
def test_naproxen_is_offered_otherwise(house: House, found: dict[str, Any]) -> None:
    assert NAPROXEN in suggestions(house, "order-sign", order_of(), found)


@pytest.mark.parametrize("members", [SUPPLY, {}])
def test_no_second_nsaid_is_offered_beside_one_that_was_handed_out(
    house: House, members: dict[str, Any]
) -> None:
    found = suggestions(house, "order-sign", order_of(), dispensed(IBUPROFEN, **members))
    assert NAPROXEN not in found


def test_a_lower_dose_promises_no_total_that_could_not_be_read(house: House) -> None:
    days = {"expectedSupplyDuration": {"value": 30, **DAY}}
    order = draft({"timing": {"repeat": FOUR_A_DAY}}, days)
    fewer = "Fewer doses a day, below 50 MME/day"
    assert f"{fewer} in total" in suggestions(house, "order-sign", order)
    unread = ordered(HYDROCODONE)  # without an instruction
    found = suggestions(house, "order-sign", order, unread)
    assert f"{fewer} among the doses that could be read" in found
    assert f"{fewer} in total" not in found


def test_a_shorter_supply_is_not_refilled(house: House) -> None:
    supply = {"expectedSupplyDuration": {"value": 14, **DAY}, "quantity": {"value": 56}}
    order = draft({"timing": {"repeat": FOUR_A_DAY}}, {**supply, "numberOfRepeatsAllowed": 3})
    shorter = updates(house, order)["Shorten"]["dispenseRequest"]
    assert shorter == {
        "expectedSupplyDuration": {"value": 7, **DAY},
        "quantity": {"value": 28},
        "numberOfRepeatsAllowed": 0,
    }


def shortened(house: House, *orders: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The buttons for a shorter supply of these drafts: label and what they do."""
    entry = [{"resource": order} for order in orders]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entry}
    context = {"userId": "Practitioner/dr", "patientId": "p1", "draftOrders": bundle}
    call = Call("opioid-safety", "order-sign", AS_OF, "several", context, (PATIENT,))
    answer = house.ask(call, Road.PREFETCH)
    assert not faults(answer, call)
    return [
        (suggestion["label"], suggestion["actions"][0])
        for card in answer.body["cards"]
        for suggestion in card.get("suggestions", ())
        if suggestion["label"].startswith("Shorten")
    ]


def for_days(days: int, name: str, **members: Any) -> dict[str, Any]:
    length = {"expectedSupplyDuration": {"value": days, **DAY}}
    return {**order_of(), "id": name, "dispenseRequest": length, **members}


@pytest.mark.parametrize(
    ("days", "told"),
    [
        ((10, 14), ["10 to 7 days", "14 to 7 days"]),
        ((14, 14), ["14 to 7 days (1 of 2)", "14 to 7 days (2 of 2)"]),
        ((14, 10, 14), ["14 to 7 days (1 of 2)", "10 to 7 days", "14 to 7 days (2 of 2)"]),
    ],
)
def test_buttons_for_orders_of_one_drug_are_told_apart(
    house: House, days: tuple[int, ...], told: list[str]
) -> None:
    """By their labels, and by the descriptions that some clients show instead."""
    made = shortened(house, *(for_days(each, f"d{n}") for n, each in enumerate(days)))
    assert [label.partition(" from ")[2] for label, _ in made] == told
    assert len({action["description"] for _, action in made}) == len(days)
    assert [action["resource"]["id"] for _, action in made] == [f"d{n}" for n in range(len(days))]


def test_no_button_changes_one_of_two_orders_that_share_their_id(house: House) -> None:
    """The button for oxycodone would have written tramadol into the order."""
    tramadol = for_days(14, "d1", medicationCodeableConcept=coded(RXNORM, "835603"))
    assert shortened(house, for_days(14, "d1"), tramadol) == []
    assert len(shortened(house, for_days(14, "d1"), for_days(14, "d1"))) == 1


def test_no_second_nsaid_is_offered_beside_one_that_is_drafted(house: House) -> None:
    def offered(other: str) -> bool:
        drafts = [order_of(), {**ordered(other), "status": "draft"}]
        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": each} for each in drafts],
        }
        context = {"userId": "Practitioner/dr", "patientId": "p1", "draftOrders": bundle}
        call = Call("opioid-safety", "order-sign", AS_OF, "buttons", context, (PATIENT,))
        cards = house.ask(call, Road.PREFETCH).body["cards"]
        return NAPROXEN in [s["label"] for card in cards for s in card.get("suggestions", ())]

    assert offered(METFORMIN)
    assert not offered(IBUPROFEN)


@pytest.mark.parametrize(("code", "mg"), [("891881", 30), ("864706", 10)])
def test_a_long_acting_draft_is_not_offered_fewer_doses(house: House, code: str, mg: int) -> None:
    """What is made to last until the next dose does not last longer for being taken less often."""
    order = draft(
        {"timing": {"repeat": {**FOUR_A_DAY, "frequency": 2}}}, {"numberOfRepeatsAllowed": 0}
    )
    order["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] = mg
    order["medicationCodeableConcept"] = coded(RXNORM, code)
    assert "Fewer" not in updates(house, order)
