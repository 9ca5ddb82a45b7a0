"""The queries we publish and ask, and the linter that keeps them portable."""

from __future__ import annotations

import re

import pytest

from cds_service.clinical.facts import Need
from cds_service.fhir.queries import TYPES, expand, faults, template
from cds_service.fhir.r4 import DECODERS
from cds_service.fhir.readers import READERS


@pytest.mark.parametrize("need", list(Need))
def test_every_need_has_a_portable_template_and_a_reader(need: Need) -> None:
    assert faults(template(need)) == ()
    assert TYPES[need] in DECODERS
    assert need is Need.PATIENT or TYPES[need] in READERS


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Condition?patient={{context.patientId}}&_include=Condition:encounter", "_include"),
        ("Condition?patient={{context.patientId}}&code:not=1", "code:not"),
        ("Condition?patient={{context.patientId}}&code:text=x", "code:text"),
        ("Condition?patient={{context.patientId}}&subject.name=x", r"subject\.name"),
        ("Condition?_has:Observation:patient:code=1", "_has"),
        ("Observation?patient={{context.patientId}}&date=sa2024-01-01", "sa"),
        ("Observation?patient={{context.patientId}}&code=", "no value"),
        ("Observation?patient={{userId}}", "not a prefetch token"),
        ("Observation?patient={{context.draftOrders}}", "not a prefetch token"),
        ("Observation?performer={{context.userId}}", "holds a type"),
        ("/Patient/{{context.patientId}}", "relative"),
        ("https://ehr.example.org/Patient/{{context.patientId}}", "relative"),
        ("Patient/$everything", "a read is"),
        ("Patient/1?x=2", "a search is"),
        ("Observation?code=" + "1" * 2000, "longer"),
    ],
)
def test_templates_outside_the_subset_are_found(text: str, fault: str) -> None:
    assert any(re.search(fault, each) for each in faults(text)), faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{context.userId}}",
        "Encounter/{{context.encounterId}}",
        "Observation?patient={{context.patientId}}&category=laboratory,survey&date=ge2024-01-01&_count=100&_sort=-date",
        "Observation?patient={{context.patientId}}&code:in=urn:oid:1.2.3",
        "Practitioner/{{userPractitionerId}}",
    ],
)
def test_templates_inside_the_subset_are_fine(text: str) -> None:
    assert faults(text) == ()


def test_tokens_are_expanded_and_encoded() -> None:
    known = {"patient_id": "a&b=c", "user_id": "Practitioner/7", "encounter_id": "e/1"}
    assert (
        expand("Condition?patient={{context.patientId}}", **known) == "Condition?patient=a%26b%3Dc"
    )
    assert expand("{{context.userId}}", **known) == "Practitioner/7"
    assert expand("Encounter/{{context.encounterId}}", **known) == "Encounter/e%2F1"
    assert expand("Practitioner/{{userPractitionerId}}", **known) == "Practitioner/7"
    assert expand("Patient/{{userPatientId}}", **known) is None
    assert expand("Encounter/{{context.encounterId}}", patient_id="1") is None
    assert expand("X?y={{today()}}", **known) is None
