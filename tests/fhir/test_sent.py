"""A prefetch that holds what our templates ask for is read in one pass, its bytes left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from cds_service.clinical.facts import Need
from cds_service.fhir.prefetch import read_facts
from cds_service.fhir.sent import Prefetched
from cds_service.protocol.messages import read_request
from tests.fhir.calls import (
    AS_OF,
    PATIENT,
    Call,
    Server,
    bundle,
    condition,
    mine,
    order,
    outcome,
    vocabulary,
)
from tests.protocol.hook_requests import body, patient_view

NEEDS = (Need.PATIENT, Need.CONDITIONS, Need.MEDICATIONS)
CHART = {
    "patient": PATIENT,
    "conditions": bundle(condition()),
    "medicationRequests": bundle(order(), outcome("information")),
}


class Sealed(Mapping[str, msgspec.Raw]):
    """Bytes that nobody may ask for."""

    def __getitem__(self, key: str) -> msgspec.Raw:
        raise AssertionError(key)

    def __iter__(self) -> Iterator[str]:
        raise AssertionError

    def __len__(self) -> int:
        raise AssertionError


def typed(prefetch: Any) -> Any:
    """The prefetch in its type, as the service reads it; None where it does not fit."""
    return read_request(body(patient_view(prefetch=prefetch)), Prefetched).typed


@pytest.mark.parametrize(
    "prefetch",
    [
        CHART,
        {},
        CHART | {"conditions": None},
        CHART | {"observations": bundle()},
        CHART | {"conditions": bundle(condition(), total=1, link=[])},
    ],
)
def test_what_our_templates_ask_for_fits(prefetch: Any) -> None:
    assert typed(prefetch) is not None


@pytest.mark.parametrize(
    "prefetch",
    [
        CHART | {"problemList": bundle(condition())},
        CHART | {"conditions": bundle(order())},
        CHART | {"conditions": bundle(condition(clinicalStatus=5, recordedDate=5))},
        CHART | {"conditions": condition()},
        CHART | {"conditions": ""},
    ],
)
def test_anything_else_does_not(prefetch: Any) -> None:
    assert typed(prefetch) is None


@pytest.mark.parametrize("server", [None, Server({})])
def test_a_prefetch_that_fits_is_not_looked_at_again(server: Server | None) -> None:
    call = Call(Sealed(), typed=typed(CHART), hook="patient-view")
    found = read_facts(call, as_of=AS_OF, needs=NEEDS, vocabulary=vocabulary(), fetch=server)
    assert [fact.ref for fact in (*found.facts.conditions, *found.facts.orders)] == [
        "Condition/c1",
        "MedicationRequest/m1",
    ]
    assert found.facts.available == frozenset(NEEDS)


@pytest.mark.parametrize("named", ["Medication/d1", " https://ehr.example.org/fhir/Medication/d1"])
def test_a_product_that_an_order_only_names_is_asked_for(named: str) -> None:
    given = order(medicationReference={"reference": named}, medicationCodeableConcept=None)
    prefetch = CHART | {"medicationRequests": bundle(given, order("m2"))}
    drug = {"resourceType": "Medication", "id": "d1", "code": {"text": "oxycodone"}}
    server = Server({named.strip(): drug})
    sent = {key: msgspec.Raw(json.dumps(value).encode()) for key, value in prefetch.items()}
    call = Call(sent, typed=typed(prefetch), hook="patient-view")
    found = read_facts(call, as_of=AS_OF, needs=NEEDS, vocabulary=vocabulary(), fetch=server)
    assert call.typed is not None and server.asked == [named.strip()]
    assert next(o.text for o in found.facts.orders) == "oxycodone"


def test_what_is_of_another_patient_is_dropped_without_its_bytes() -> None:
    elsewhere = mine("Condition", "c9", subject={"reference": "Patient/p2"})
    call = Call(Sealed(), typed=typed(CHART | {"conditions": bundle(elsewhere)}))
    found = read_facts(call, as_of=AS_OF, needs=NEEDS, vocabulary=vocabulary())
    assert (found.facts.conditions, found.facts.dropped) == ((), 1)
