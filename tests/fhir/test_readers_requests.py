"""Requests for services and devices as EHRs send them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from cds_service.clinical.dates import on
from cds_service.clinical.facts import Need
from cds_service.knowledge.codes import Code
from tests.fhir.calls import CPT, ICD10, facts, mine


def test_a_service_request() -> None:
    members = {
        "status": "active",
        "intent": "order",
        "priority": "urgent",
        "code": {"coding": [{"system": CPT, "code": "62323"}], "text": "ESI"},
        "quantityQuantity": {"value": 2},
        "occurrencePeriod": {"start": "2026-03-10"},
        "authoredOn": "2026-02-28",
        "requester": {"reference": "Practitioner/1"},
        "performerType": {
            "coding": [{"system": "http://nucc.org/provider-taxonomy", "code": "207T00000X"}]
        },
        "reasonCode": [{"coding": [{"system": ICD10, "code": "M54.16"}]}],
        "reasonReference": {"reference": "Condition/1"},
    }
    (found,) = facts(Need.SERVICE_REQUESTS, mine("ServiceRequest", "s", **members)).requests
    assert (found.codes, found.text, found.open) == ({Code("CPT", "62323")}, "ESI", True)
    assert found.performer_types == {Code("NUCC", "207T00000X")}
    assert found.quantity is not None
    assert (found.quantity.value, found.priority, found.requester) == (
        Decimal(2),
        "urgent",
        "Practitioner/1",
    )
    assert (found.when, found.occurs) == (on(date(2026, 2, 28)), on(date(2026, 3, 10)))
    assert (found.reasons, found.reason_refs) == ({Code("ICD10CM", "M5416")}, ("Condition/1",))
    never = mine("ServiceRequest", "s", **members, doNotPerform=True)
    assert facts(Need.SERVICE_REQUESTS, never).requests == ()


def test_a_device_request() -> None:
    brace = {
        "coding": [
            {"system": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "code": "L0631"}
        ]
    }
    (found,) = facts(
        Need.DEVICES, mine("DeviceRequest", "d", status="active", codeCodeableConcept=brace)
    ).devices
    assert found.codes == {Code("HCPCS", "L0631")}
