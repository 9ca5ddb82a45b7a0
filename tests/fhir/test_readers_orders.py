"""Prescriptions, dispenses and statements as EHRs send them."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from cds_service.clinical.dates import FAR_PAST, FuzzyDate, Span, on
from cds_service.clinical.facts import Need, Order
from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.model import DrugClass
from tests.fhir.calls import ICD10, OXYCODONE, RXNORM, facts, mine, order

TWICE = {
    "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
    "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
}


def one(**members: Any) -> Order:
    """A chart order, read."""
    (found,) = facts(Need.MEDICATIONS, order(**members)).orders
    return found


def daily(found: Order) -> Fraction | None:
    """Tablets a day."""
    return found.sig.steps[0][0].daily if found.sig.steps else None


def test_a_whole_order() -> None:
    found = one(
        identifier=[{"system": "urn:rx", "value": "9"}],
        category=[{"coding": [{"code": "community"}]}],
        authoredOn="2026-02-20T23:30:00-05:00",
        reasonCode=[{"coding": [{"system": ICD10, "code": "M54.50"}]}],
        reasonReference=[{"reference": "Condition/c1"}],
        priorPrescription={"reference": "MedicationRequest/old/_history/1"},
        courseOfTherapyType={"coding": [{"code": "acute"}]},
        dosageInstruction=[TWICE],
        dispenseRequest={
            "quantity": {"value": 20, "unit": "tablet"},
            "expectedSupplyDuration": {"value": 10, "unit": "d"},
            "numberOfRepeatsAllowed": 1,
            "validityPeriod": {"start": "2026-02-20", "end": "2026-05-21"},
        },
    )
    assert found.codes == {Code("RXNORM", "1049621")}
    assert (found.opioid, found.text) == (True, "oxycodone 5 MG Oral Tablet")
    assert (found.when, found.span) == (
        on(date(2026, 2, 20)),
        Span(date(2026, 2, 20), date(2026, 3, 12)),
    )
    assert (found.supply_days, found.refills) == (10, 1)
    assert daily(found) == 2
    assert found.reasons == {Code("ICD10CM", "M5450")}
    assert found.reason_refs == ("Condition/c1",)
    assert found.prior == "MedicationRequest/old"
    assert (found.categories, found.intent, found.draft) == ({"community"}, "order", False)


def test_supply_is_counted_from_quantity_and_dose_where_no_length_is_said() -> None:
    found = one(
        authoredOn="2026-02-20",
        dosageInstruction=[TWICE],
        dispenseRequest={"quantity": {"value": 60}},
    )
    assert (found.supply_days, found.span) == (30, Span(date(2026, 2, 20), date(2026, 3, 22)))


def test_an_order_without_a_length_or_a_date_has_no_end() -> None:
    assert one(authoredOn="2026-02-20").span == Span(date(2026, 2, 20))
    assert one().span is None


def test_a_partial_date_makes_the_longest_span() -> None:
    found = one(
        authoredOn="2026-01", dispenseRequest={"expectedSupplyDuration": {"value": 10, "unit": "d"}}
    )
    assert found.span == Span(date(2026, 1, 1), date(2026, 2, 10))


@pytest.mark.parametrize(
    "concept",
    [
        OXYCODONE,
        {"coding": [{"system": "urn:ehr:local", "code": "7"}, *OXYCODONE["coding"]]},
        {"coding": [{"system": "urn:oid:2.16.840.1.113883.6.88", "code": "1049621"}]},
        {"coding": OXYCODONE["coding"][0]},
        {"coding": [{"system": RXNORM, "code": 1049621}]},
        {"text": "Oxycodone 5 mg tablet"},
        {
            "text": "pain pill",
            "coding": [{"system": "urn:ehr:local", "display": "oxycodone HCl 5 mg tab"}],
        },
        {
            "coding": [{"system": RXNORM, "code": "1049621"}, {"system": 5, "code": {}}],
            "text": ["x"],
        },
    ],
)
def test_an_opioid_is_known_by_any_coding_or_name(concept: Any) -> None:
    assert one(medicationCodeableConcept=concept).opioid


def test_an_order_for_a_drug_that_no_rule_asks_about_is_no_fact() -> None:
    lisinopril = {"coding": [{"system": RXNORM, "code": "314076"}], "text": "lisinopril 10 mg"}
    assert (
        facts(Need.MEDICATIONS, order(medicationCodeableConcept=lisinopril), order("m2"))
        .orders[0]
        .ref.endswith("m2")
    )


@pytest.mark.parametrize(
    "missing", [{"medicationCodeableConcept": None}, {"medicationCodeableConcept": {}}]
)
def test_an_order_without_a_drug_is_named(missing: Any) -> None:
    found = facts(Need.MEDICATIONS, order(**missing))
    assert [u.why for u in found.unread] == ["the medication could not be read"]
    assert len(found.orders) == 1


@pytest.mark.parametrize(
    "members",
    [
        {"category": {"coding": [{"code": "community"}]}},
        {"dosageInstruction": TWICE},
        {"dosageInstruction": [{**TWICE, "doseAndRate": TWICE["doseAndRate"][0]}]},  # type: ignore[index]
        {
            "dosageInstruction": [
                {**TWICE, "doseAndRate": None, "doseQuantity": {"value": 1, "unit": "tablet"}}
            ]
        },
        {
            "dosageInstruction": [
                {**TWICE, "doseAndRate": [{"doseQuantity": {"value": "1", "unit": "tablet"}}]}
            ]
        },
        {"identifier": {"value": "1"}, "reasonCode": {"text": "pain"}, "status": ["active"]},
        {"requester": "Practitioner/1", "note": [5], "meta": 7},
        {"resourceType": None},
    ],
)
def test_vendor_shapes_are_read(members: Any) -> None:
    found = one(**{"dosageInstruction": [TWICE], **members})
    assert (found.opioid, found.status, daily(found)) == (True, "active", 2)


@pytest.mark.parametrize(
    "dosage",
    [
        [{**TWICE, "doseAndRate": [{"doseQuantity": {"value": "two", "unit": "tablet"}}]}],
        [TWICE, {**TWICE, "timing": {"repeat": {"frequency": {}}}}],
        [TWICE, "twice a day"],
        "twice a day",
    ],
)
def test_an_unreadable_instruction_makes_the_dose_unknown_and_is_named(dosage: Any) -> None:
    found = facts(Need.MEDICATIONS, order(dosageInstruction=dosage))
    assert found.orders[0].opioid
    assert found.orders[0].sig.unread == "the dosage instruction could not be read"
    assert [u.ref for u in found.unread] == ["MedicationRequest/m1"]
    assert found.unread[0].why.startswith("dosageInstruction")


@pytest.mark.parametrize(
    "beside", [{"duration": "half an hour"}, {"durationUnit": {"code": "h"}}, {"offset": "at noon"}]
)
def test_what_no_dose_depends_on_costs_no_dose(beside: dict[str, Any]) -> None:
    repeat = {**TWICE["timing"]["repeat"], **beside}
    found = facts(
        Need.MEDICATIONS, order(dosageInstruction=[{**TWICE, "timing": {"repeat": repeat}}])
    )
    assert (daily(found.orders[0]), found.unread) == (2, ())


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e99999", "9e999999999"])
def test_absurd_numbers_are_no_dose(value: str) -> None:
    dosage = [{**TWICE, "doseAndRate": [{"doseQuantity": {"value": value, "unit": "tablet"}}]}]
    asked = {"quantity": {"value": value}, "numberOfRepeatsAllowed": value}
    found = one(dosageInstruction=dosage, dispenseRequest=asked)
    assert found.sig.unread
    assert (found.supply_days, found.quantity, found.refills) == (None, None, 0)


def test_a_supply_that_could_not_be_read_leaves_the_order_open() -> None:
    asked = {"expectedSupplyDuration": {"value": 3, "unit": "d"}, "numberOfRepeatsAllowed": [1, 2]}
    found = facts(Need.MEDICATIONS, order(authoredOn="2025-01-01", dispenseRequest=asked))
    assert (found.orders[0].supply_days, found.orders[0].span) == (3, Span(date(2025, 1, 1)))
    assert found.unread[0].why == "dispenseRequest.numberOfRepeatsAllowed could not be read"


@pytest.mark.parametrize(("intent", "orders"), [("order", 1), ("plan", 0), ("proposal", 0)])
def test_only_a_plan_that_is_reported_is_a_statement(intent: str, orders: int) -> None:
    found = facts(Need.MEDICATIONS, order(intent=intent, reportedBoolean=True))
    assert (len(found.orders), len(found.statements)) == (orders, 1 - orders)


def test_reasons_that_the_order_brings_along() -> None:
    reason = {
        "resourceType": "Condition",
        "id": "r",
        "code": {"coding": [{"system": ICD10, "code": "M54.50"}]},
    }
    found = one(contained=[reason], reasonReference=[{"reference": "#r"}])
    assert found.reasons == {Code("ICD10CM", "M5450")}


def test_a_dispense() -> None:
    members = {
        "status": "completed",
        "medicationCodeableConcept": OXYCODONE,
        "daysSupply": {"value": 10, "unit": "days"},
        "whenPrepared": "2026-02-01",
        "whenHandedOver": "2026-02-02",
        "authorizingPrescription": {"reference": "MedicationRequest/m1"},
    }
    (found,) = facts(Need.DISPENSES, mine("MedicationDispense", "d", **members)).dispenses
    assert (found.opioid, found.supply_days, found.when) == (True, 10, on(date(2026, 2, 2)))
    assert found.orders == ("MedicationRequest/m1",)
    del members["daysSupply"], members["whenHandedOver"]
    more = {"quantity": {"value": 20, "unit": "tablet"}, "dosageInstruction": [TWICE]}
    (found,) = facts(Need.DISPENSES, mine("MedicationDispense", "d", **members, **more)).dispenses
    assert (found.supply_days, found.when) == (10, on(date(2026, 2, 1)))


def test_a_statement() -> None:
    members = {"status": "active", "medicationCodeableConcept": OXYCODONE, "dosage": [TWICE]}

    def stated(**more: Any) -> Any:
        return facts(
            Need.STATEMENTS, mine("MedicationStatement", "s", **members, **more)
        ).statements[0]

    found = stated(
        effectivePeriod={"start": "2026-01-05", "end": "2026-02"}, basedOn=[{"reference": "x/1"}]
    )
    assert (found.opioid, found.when) == (True, on(date(2026, 1, 5)))
    assert found.span == Span(date(2026, 1, 5), date(2026, 3, 1))
    assert found.sig.steps[0][0].daily == 2
    assert stated(effectivePeriod={"end": "2999-12-31"}).span == Span(FAR_PAST, date(3000, 1, 1))
    assert stated(effectivePeriod={"end": "9999-12-31"}).span is None
    assert stated(effectiveDateTime="2026").when == FuzzyDate(date(2026, 1, 1), date(2026, 12, 31))
    assert (stated(dateAsserted="2026-01-01").when, stated(dateAsserted="2026-01-01").span) == (
        on(date(2026, 1, 1)),
        None,
    )


def test_the_same_words_of_two_drugs_are_two_doses() -> None:
    ten = {"coding": [{"system": RXNORM, "code": "1049611"}], "text": "oxycodone 10 mg"}
    gabapentin = {"coding": [{"system": RXNORM, "code": "310431"}], "text": "gabapentin 300 mg"}
    found = facts(
        Need.MEDICATIONS,
        order("a", dosageInstruction=[TWICE]),
        order("b", dosageInstruction=[TWICE], medicationCodeableConcept=ten),
        order("c", dosageInstruction=[TWICE], medicationCodeableConcept=gabapentin),
    )
    assert [o.is_a(DrugClass.GABAPENTINOID) for o in found.orders] == [False, False, True]


@pytest.mark.parametrize(
    ("code", "name", "amount", "below", "strengths"),
    [
        ("7804", "oxycodone", (10, "mg"), (1, "tablet"), [("10", "mg")]),
        ("7804", "oxycodone", (5, "mg"), (5, "mL"), [("1", "mg/mL")]),
        ("7804", "oxycodone", (11, "mg"), (1, "tablet"), [("None", None)]),  # no such product
    ],
)
def test_a_product_by_its_ingredient_and_strength(
    code: str,
    name: str,
    amount: tuple[int, str],
    below: tuple[int, str],
    strengths: list[tuple[str, str | None]],
) -> None:
    strength = {
        "numerator": {"value": amount[0], "unit": amount[1]},
        "denominator": {"value": below[0], "unit": below[1]},
    }
    concept = {"coding": [{"system": RXNORM, "code": code, "display": name}]}
    product = {
        "resourceType": "Medication",
        "id": "product",
        "ingredient": [{"itemCodeableConcept": concept, "strength": strength}],
    }
    found = one(
        medicationCodeableConcept=None,
        medicationReference={"reference": "#product"},
        contained=[product],
    )
    assert found.drug is not None
    assert [(str(c.strength), c.unit) for c in found.drug.opioids] == strengths
