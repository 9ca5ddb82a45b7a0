"""Whose the resources are that come by prefetch: only those of the patient are read."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.facts import Need
from cds_service.fhir.prefetch import Came
from tests.fhir.calls import PATIENT, Call, Server, bundle, condition, order, read
from tests.fhir.test_prefetch import came


def test_the_patient_by_every_road() -> None:
    needs = [Need.PATIENT]
    for value in (PATIENT, bundle(PATIENT), {"resource": PATIENT}, {**PATIENT, "id": None}):
        reading = read(Call({"patient": value}), needs)
        assert reading.facts.age == 55, value
        assert reading.came == {Need.PATIENT: Came("prefetch")}
    fetched = read(Call({}, patient_id="Patient/p1"), needs, Server({"Patient/p1": PATIENT}))
    assert (fetched.facts.age, fetched.came[Need.PATIENT]) == (55, Came("fetched"))
    assert read(Call({"patient": None}), needs).came[Need.PATIENT] == Came("empty")
    assert read(Call({}), needs, Server({})).facts.lacks(Need.PATIENT)


def test_another_patient_is_no_patient() -> None:
    reading = read(Call({"patient": {**PATIENT, "id": "p2"}}), [Need.PATIENT])
    assert (reading.facts.patient, reading.facts.dropped) == (None, 1)
    assert reading.came[Need.PATIENT] == Came("missing", "another patient")


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p1",
        " Patient/p1 ",
        "https://ehr.example.org/fhir/Patient/p1",
        "https://ehr.example.org/fhir/Patient/p1/_history/4",
        "Patient/p1/_history/4",
        "urn:uuid:00000000-0000-4000-8000-000000000001",
    ],
)
def test_resources_of_the_patient_by_every_form_of_reference(reference: str) -> None:
    entry = {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": PATIENT}
    prefetch = {
        "patient": {"resourceType": "Bundle", "entry": [entry]},
        "conditions": bundle(condition(subject={"reference": reference})),
    }
    reading = read(Call(prefetch), [Need.PATIENT, Need.CONDITIONS])
    assert (len(reading.facts.conditions), reading.facts.dropped) == (1, 0)


@pytest.mark.parametrize(
    "reference", ["Patient/p2", "Patient/p11", "Group/p1", "urn:uuid:9", "#p1", "p2"]
)
def test_resources_of_others_are_dropped_and_counted(reference: str) -> None:
    other = condition("other", subject={"reference": reference})
    other_order = order("other", subject={"reference": reference})
    prefetch = {
        "conditions": bundle(condition(), other),
        "medicationRequests": bundle(order(), other_order),
    }
    reading = read(Call(prefetch), [Need.CONDITIONS, Need.MEDICATIONS])
    assert [c.ref for c in reading.facts.conditions] == ["Condition/c1"]
    assert [o.ref for o in reading.facts.orders] == ["MedicationRequest/m1"]
    assert reading.facts.dropped == 2
    assert not reading.facts.lacks(Need.CONDITIONS)


def test_a_result_of_another_patient_alone_is_no_result() -> None:
    way, available, _ = came(
        Call({"conditions": bundle(condition(subject={"reference": "Patient/p2"}))})
    )
    assert (way, available) == (Came("missing", "another patient"), False)


@pytest.mark.parametrize("subject", [None, {}, {"display": "Canary"}, {"reference": ""}])
def test_a_resource_that_names_nobody_is_taken_to_be_of_the_patient(subject: Any) -> None:
    assert came(Call({"conditions": bundle(condition(subject=subject))})) == (
        Came("prefetch"),
        True,
        1,
    )


def test_patients_in_other_members_are_checked_too() -> None:
    other = {"reference": "Patient/p2"}
    kinds = {
        "coverages": {"resourceType": "Coverage", "beneficiary": other},
        "claims": {"resourceType": "Claim", "patient": other},
        "allergyIntolerances": {"resourceType": "AllergyIntolerance", "patient": other},
    }
    prefetch = {key: bundle(value) for key, value in kinds.items()}
    assert read(Call(prefetch), [Need(key) for key in kinds]).facts.dropped == 3
