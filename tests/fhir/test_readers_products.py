"""The product of an order, however the order refers to it."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.facts import Need
from tests.fhir.calls import OXYCODONE, RXNORM, Call, bundle, order, read


def test_products_are_found_contained_in_the_bundle_in_the_chart_or_by_display() -> None:
    product = {"resourceType": "Medication", "id": "x", "code": OXYCODONE}
    by_parts = {
        "resourceType": "Medication",
        "id": "y",
        "ingredient": [{"itemCodeableConcept": OXYCODONE}],
    }

    def referring(identity: str, reference: str | None, **members: Any) -> dict[str, Any]:
        named = {"reference": reference, **members.pop("named", {})}
        return order(identity, medicationCodeableConcept=None, medicationReference=named, **members)

    entries = [
        {"resource": referring("contained", "#x", contained=[{"resourceType": "Basic"}, product])},
        {"resource": referring("entry", "Medication/x")},
        {"resource": referring("version", "https://ehr/fhir/Medication/x/_history/2")},
        {"resource": referring("parts", "Medication/y")},
        {"resource": referring("urn", "urn:uuid:z")},
        {"resource": referring("chart", "Medication/chart")},
        {
            "resource": referring(
                "display", "Medication/none", named={"display": "Oxycodone 5 mg tablet"}
            )
        },
        {"resource": referring("lost", "Medication/none")},
        {"resource": product},
        {"resource": by_parts},
        {"fullUrl": "urn:uuid:z", "resource": {**product, "id": None}},
    ]
    drafts = {"resourceType": "Bundle", "entry": entries}
    call = Call({"medicationRequests": bundle({**product, "id": "chart"}, order("c"))}, drafts)
    reading = read(call, [Need.MEDICATIONS])
    assert {o.ref.partition("/")[2]: o.opioid for o in reading.facts.orders} == {
        "contained": True, "entry": True, "version": True, "parts": True, "urn": True, "chart": True,
        "display": True, "lost": False, "c": True,
    }  # fmt: skip
    assert [u.ref for u in reading.facts.unread] == ["MedicationRequest/lost"]


MEDICATION = {"resourceType": "Medication", "code": OXYCODONE}


def drug_of(drafted: dict[str, Any], *others: Any, prefetch: Any = None) -> str:
    """What the one draft is called; empty if its drug could not be told."""
    entries = [{"resource": drafted}, *others]
    reading = read(Call(prefetch, {"resourceType": "Bundle", "entry": entries}), [])
    (found,) = reading.facts.orders
    return "" if found.drug is None else found.text


def referring(reference: str) -> dict[str, Any]:
    """A draft that names its product by reference."""
    return order(medicationCodeableConcept=None, medicationReference={"reference": reference})


def test_a_product_may_be_an_entry_that_only_its_full_url_names() -> None:
    entry = {"fullUrl": "urn:uuid:m", "resource": MEDICATION}
    assert drug_of(referring("urn:uuid:m"), entry) == "oxycodone 5 MG Oral Tablet"
    assert drug_of(referring("urn:uuid:other"), entry) == ""


def test_an_entry_keeps_its_full_url_in_a_bundle_of_an_odd_shape() -> None:
    entries = [
        {"resource": referring("urn:uuid:m")},
        {"fullUrl": "urn:uuid:m", "resource": MEDICATION},
    ]
    drafts = {"resourceType": "Bundle", "link": "next", "entry": entries}
    (found,) = read(Call(None, drafts), []).facts.orders
    assert found.text == "oxycodone 5 MG Oral Tablet"


def test_a_product_may_come_under_a_key_of_its_own() -> None:
    product = MEDICATION | {"id": "m"}
    for value in (product, bundle(product)):
        found = drug_of(referring("Medication/m"), prefetch={"products": value, "odd": 5})
        assert found == "oxycodone 5 MG Oral Tablet"


@pytest.mark.parametrize(
    "medication",
    [
        {"concept": OXYCODONE},
        {"reference": {"reference": "#m"}},
        {"reference": "#m"},
        {"reference": {"display": "oxycodone 5 MG Oral Tablet"}},
        [{"concept": OXYCODONE}],
        {"concept": OXYCODONE, "reference": 5},
    ],
)
def test_a_product_may_be_named_as_other_versions_of_fhir_do(medication: Any) -> None:
    drafted = order(
        medicationCodeableConcept=None,
        medication=medication,
        contained=[MEDICATION | {"id": "m"}],
    )
    assert drug_of(drafted) == "oxycodone 5 MG Oral Tablet"


@pytest.mark.parametrize("medication", [{}, {"concept": 5}, 5, None])
def test_a_product_of_another_version_that_cannot_be_read_is_named(medication: Any) -> None:
    drafted = order(medicationCodeableConcept=None, medication=medication)
    reading = read(Call({}, bundle(drafted)), [])
    assert "the medication could not be read" in {gap.why for gap in reading.facts.unread}


def part(
    code: str, name: str, strength: float | None = None, per: tuple[float, str] = (1, "tablet")
) -> Any:
    """An ingredient of a product, so much in one of it."""
    coded = {"coding": [{"system": RXNORM, "code": code, "display": name}]}
    if strength is None:
        return {"itemCodeableConcept": coded}
    above, below = {"value": strength, "unit": "mg"}, {"value": per[0], "unit": per[1]}
    return {"itemCodeableConcept": coded, "strength": {"numerator": above, "denominator": below}}


OXYCODONE_20 = part("7804", "oxycodone", 20, (1, "capsule"))
APAP, CODEINE = part("161", "acetaminophen", 300), part("2670", "codeine", 30)


@pytest.mark.parametrize(
    ("code", "parts", "strengths"),
    [
        ({"text": "Pain capsule compounded"}, [OXYCODONE_20], [("oxycodone", 20, "mg")]),
        (None, [APAP, CODEINE], [("acetaminophen", 300, "mg"), ("codeine", 30, "mg")]),
        ({"text": "oxycodone"}, [OXYCODONE_20], [("oxycodone", 20, "mg")]),
        ({"text": "oxycodone 10 mg"}, [part("7804", "oxycodone")], [("oxycodone", 10, "mg")]),
        ({"text": "acetaminophen"}, [APAP, CODEINE], [("acetaminophen", 300, "mg"), ("codeine", 30, "mg")]),
        (OXYCODONE, [OXYCODONE_20], [("oxycodone", 5, "mg")]),
        ({"text": "house mixture"}, [part("7804", "oxycodone", 5, (5, "mL"))], [("oxycodone", 1, "mg/mL")]),
        (None, [part("7804", "oxycodone", 20, (2, "tablet"))], [("oxycodone", None, None)]),
        (None, [part("7804", "oxycodone"), {}], [("oxycodone", None, None)]),
    ],
)  # fmt: skip
def test_what_a_product_contains_tells_what_its_code_does_not(
    code: Any, parts: list[Any], strengths: list[Any]
) -> None:
    product = {"resourceType": "Medication", "id": "m", "code": code, "ingredient": parts}
    drafted = referring("#m") | {"contained": [product]}
    reading = read(Call(None, {"resourceType": "Bundle", "entry": [{"resource": drafted}]}), [])
    (found,) = reading.facts.orders
    assert found.drug is not None
    assert found.drug_conflict is None
    assert sorted((c.ingredient, c.strength, c.unit) for c in found.drug.components) == strengths
