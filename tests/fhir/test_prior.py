"""Which order a renewal replaces, where only a business identifier names it."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.facts import Need
from tests.fhir.calls import Call, bundle, order, read


@pytest.mark.parametrize(
    ("borne", "named", "prior"),
    [
        ({"system": "urn:rx", "value": "9"}, {"system": "urn:rx", "value": "9"}, "old"),
        ([{"value": "8"}, {"value": "9"}], {"value": "9"}, "old"),
        ({"system": "urn:rx", "value": "9"}, {"value": "9"}, ""),
        ({"system": "urn:rx"}, {"system": "urn:rx"}, ""),
        ("9", {"value": "9"}, ""),
    ],
)
def test_a_prior_may_be_named_by_its_identifier(borne: Any, named: Any, prior: str) -> None:
    old, other = order("old", identifier=borne), order("other", identifier=[{"value": "7"}])
    new = order("new", priorPrescription={"identifier": named})
    reading = read(Call({"medicationRequests": bundle(old, other, new)}), [Need.MEDICATIONS])
    found = {each.ref: each.prior for each in reading.facts.orders}
    assert found["MedicationRequest/new"] == (f"MedicationRequest/{prior}" if prior else "")


def test_an_identifier_of_two_orders_names_neither() -> None:
    twins = [order(name, identifier=[{"value": "9"}]) for name in ("a", "b")]
    new = order("new", priorPrescription={"identifier": {"value": "9"}})
    test = {"resourceType": "Observation", "id": "o", "identifier": [{"value": "9"}]}
    reading = read(
        Call({"medicationRequests": bundle(*twins), "x": bundle(test)}, bundle(new)),
        [Need.MEDICATIONS],
    )
    assert {each.prior for each in reading.facts.orders} == {""}
