"""The orders being signed: which of them count, whose they are, and how they were sent."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.dates import Span, span_of
from cds_service.clinical.facts import Need
from cds_service.errors import BadRequest
from tests.fhir.calls import AS_OF, Call, Server, bundle, mine, order, raw, read

DAYS = {"expectedSupplyDuration": {"value": 7, "unit": "days"}}


def refs(draft_orders: Any, hook: str = "order-sign", selections: Any = None) -> list[str]:
    """The drafts that count."""
    reading = read(Call({}, draft_orders, selections, hook), [])
    assert list(reading.drafts.counted) == [
        fact.ref for fact in (*reading.facts.orders, *reading.facts.requests)
    ]
    return list(reading.drafts.counted)


@pytest.mark.parametrize(
    "status", ["draft", "active", "on-hold", "unknown", "", None, "no-such-status", 7]
)
def test_a_draft_counts_whatever_its_status(status: Any) -> None:
    assert refs(bundle(order(status=status))) == ["MedicationRequest/m1"]


@pytest.mark.parametrize(
    "status", ["revoked", "cancelled", "stopped", "completed", "entered-in-error"]
)
def test_a_draft_that_is_over_or_a_mistake_does_not(status: str) -> None:
    assert refs(bundle(order(status=status), order("m2"))) == ["MedicationRequest/m2"]


@pytest.mark.parametrize(
    ("selections", "expected"),
    [
        (None, ["m1", "m2"]),
        ([], ["m1", "m2"]),
        (["MedicationRequest/m2"], ["m2"]),
        (["https://ehr.example.org/fhir/MedicationRequest/m2"], ["m2"]),
        (["m2"], ["m2"]),
        (["MedicationRequest/m2", "MedicationRequest/gone"], ["m2"]),
        (["MedicationRequest/gone"], []),
        (["", " "], ["m1", "m2"]),
    ],
)
def test_on_order_select_only_selected_drafts_count(selections: Any, expected: list[str]) -> None:
    found = refs(bundle(order("m1"), order("m2")), "order-select", selections)
    assert found == [f"MedicationRequest/{each}" for each in expected]


def test_who_prescribes_is_read_of_a_draft() -> None:
    asked = {"requester": {"reference": "https://ehr/fhir/Practitioner/1"}}
    entered = {"recorder": {"reference": "Practitioner/2"}}
    drafts = bundle(order("m1", **asked, **entered), order("m2", **asked), order("m3"))
    one, other, nobody = read(Call({}, drafts), []).facts.orders
    assert one.prescribers == {"Practitioner/1", "Practitioner/2"}
    assert (other.prescribers, nobody.prescribers) == ({"Practitioner/1"}, frozenset())


def test_a_selection_that_names_no_entry_is_named() -> None:
    chosen = [" MedicationRequest/gone", "MedicationRequest/m2", "x", " "]
    reading = read(Call({}, bundle(order("m1"), order("m2")), chosen, "order-select"), [])
    assert [(u.ref, u.why) for u in reading.facts.unread] == [
        (gone, "selected, but not among the draft orders")
        for gone in ("MedicationRequest/gone", "x")
    ]
    over = bundle(order("m1", status="cancelled"), {"resourceType": "Task", "id": "t"})
    chosen = ["MedicationRequest/m1", "Task/t"]
    assert read(Call({}, over, chosen, "order-select"), []).facts.unread == ()
    assert read(Call({}, over, ["x"], "order-sign"), []).facts.unread == ()


def test_a_bundle_among_the_drafts_is_named() -> None:
    inner = {**bundle(order("m1")), "id": "set"}
    reading = read(Call({}, bundle(inner)), [])
    assert [(u.ref, u.why) for u in reading.facts.unread] == [
        ("Bundle/set", "a bundle among the draft orders")
    ]


def test_selections_say_nothing_on_order_sign() -> None:
    assert len(refs(bundle(order("m1"), order("m2")), "order-sign", ["MedicationRequest/m1"])) == 2


def test_a_selection_may_name_the_full_url_of_an_entry() -> None:
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": order(f"m{n}")} for n in (1, 2)]
    for chosen in ("urn:uuid:2", "2"):
        found = refs({"resourceType": "Bundle", "entry": entries}, "order-select", [chosen])
        assert found == ["MedicationRequest/m2"]


def test_temporary_long_and_missing_ids_are_kept_as_sent() -> None:
    long = "x" * 90
    entries = [
        {"resource": order(long)},
        {"resource": order("temp#1")},
        {"fullUrl": "urn:uuid:5", "resource": order(None)},  # type: ignore[arg-type]
        {"resource": order(None)},  # type: ignore[arg-type]
    ]
    found = refs({"resourceType": "Bundle", "entry": entries})
    assert found == [
        f"MedicationRequest/{long}",
        "MedicationRequest/temp#1",
        "urn:uuid:5",
        "MedicationRequest/unnamed-3",
    ]


def test_a_draft_starts_today_and_lasts_for_its_fills() -> None:
    written = order(authoredOn="2020-01-01", dispenseRequest={**DAYS, "numberOfRepeatsAllowed": 1})
    first, second = read(Call({}, bundle(written, order("m2"))), []).facts.orders
    assert (first.draft, first.span, first.supply_days, first.refills) == (
        True,
        span_of(AS_OF, 14),
        7,
        1,
    )
    assert (second.span, second.supply_days) == (Span(AS_OF), None)


@pytest.mark.parametrize(
    "kind", ["MedicationRequest", "ServiceRequest", "NutritionOrder", "DeviceRequest"]
)
def test_drafts_of_another_patient_get_no_guidance(kind: str) -> None:
    other = {"resourceType": kind, "id": "o", "subject": {"reference": "Patient/p2"}}
    with pytest.raises(BadRequest, match="another patient"):
        refs(bundle(order(), other))
    with pytest.raises(BadRequest, match="another patient"):
        refs(bundle({"resourceType": "Patient", "id": "p2"}, order()))
    with pytest.raises(BadRequest, match="another patient"):
        refs(bundle(order(subject={"reference": "urn:uuid:nobody"})))


def test_drafts_name_the_patient_as_they_like() -> None:
    patient = {"fullUrl": "urn:uuid:p", "resource": {"resourceType": "Patient", "id": "p1"}}
    entries = [
        patient,
        {"resource": order("a", subject={"reference": "urn:uuid:p"})},
        {"resource": order("b", subject={"reference": "https://ehr/fhir/Patient/p1"})},
        {"resource": order("c", subject=None)},
    ]
    assert len(refs({"resourceType": "Bundle", "entry": entries})) == 3


@pytest.mark.parametrize(
    "drafts", [5, "x", [], {"resourceType": "Bundle", "entry": 3}, bundle("x"), bundle(7)]
)
def test_impossible_drafts_are_a_bad_request(drafts: Any) -> None:
    with pytest.raises(BadRequest, match=r"context\.draftOrders"):
        refs(drafts)


@pytest.mark.parametrize("drafts", [None, {}, "", bundle(), {"resourceType": "Bundle"}])
def test_no_drafts_are_no_fault(drafts: Any) -> None:
    assert refs(drafts) == []


def test_one_order_sent_twice_counts_once() -> None:
    asked = {"resourceType": "ServiceRequest", "id": "s1", "code": {"text": "a"}}
    other = {**asked, "code": {"text": "b"}}
    assert len(read(Call({}, bundle(asked, asked)), []).facts.requests) == 1
    assert len(read(Call({}, bundle(asked, other, asked)), []).facts.requests) == 2
    unnamed = {"resourceType": "ServiceRequest", "code": {"text": "a"}}
    assert len(read(Call({}, bundle(unnamed, unnamed)), []).facts.requests) == 2


def test_drafts_are_kept_as_they_were_sent() -> None:
    sent = order(
        category={"text": "x"},
        unknownMember={"a": [1, 2.5]},
        dosageInstruction={"text": "one daily"},
    )
    reading = read(Call({}, bundle(sent)), [])
    assert reading.drafts.counted == {"MedicationRequest/m1": sent}


def test_the_draft_copy_of_a_request_in_the_chart_gives_way() -> None:
    asked = mine("ServiceRequest", "s1", status="draft", intent="order")
    other = mine("ServiceRequest", "s2", status="active", intent="order")
    call = Call({"serviceRequests": bundle(asked, other)}, bundle(asked))
    found = read(call, [Need.SERVICE_REQUESTS]).facts.requests
    assert sorted((each.ref, each.draft) for each in found) == [
        ("ServiceRequest/s1", True),
        ("ServiceRequest/s2", False),
    ]


def test_an_order_keeps_its_chart_copy_as_one_id_may_name_two_drugs() -> None:
    call = Call({"medicationRequests": bundle(order())}, bundle(order()))
    assert [o.draft for o in read(call, [Need.MEDICATIONS]).facts.orders] == [True, False]


def test_drafts_are_never_read_from_the_server() -> None:
    server = Server({})
    read(Call({}, bundle(order())), [], server)
    assert server.asked == []


@pytest.mark.parametrize("subject", ["Patient/p2", ["Patient/p2"], {"reference": {"x": 1}}, 7])
def test_a_subject_that_cannot_be_read_is_not_taken_for_the_patient(subject: Any) -> None:
    with pytest.raises(BadRequest, match="another patient"):
        refs(bundle(order(subject=subject)))
    reading = read(
        Call({"medicationRequests": bundle(order(subject=subject), order("m2"))}),
        [Need.MEDICATIONS],
    )
    assert ([o.ref for o in reading.facts.orders], reading.facts.dropped) == (
        ["MedicationRequest/m2"],
        1,
    )


def test_a_subject_in_a_shape_of_its_own_is_read() -> None:
    for subject in ("Patient/p1", [{"reference": "Patient/p1"}], ["Patient/p1"]):
        assert refs(bundle(order(subject=subject))) == ["MedicationRequest/m1"], subject


@pytest.mark.parametrize("number", ["9" * 6000, "1e999999"])
def test_a_number_beyond_measure_costs_only_itself(number: str) -> None:
    asked = {"quantity": {"value": "@"}, "expectedSupplyDuration": {"value": 7, "unit": "d"}}
    sent = raw(bundle(order(dispenseRequest=asked), order("m2"))).replace(b'"@"', number.encode())
    reading = read(Call({"medicationRequests": sent}, sent), [Need.MEDICATIONS])
    assert [(o.supply_days, o.quantity) for o in reading.facts.orders] == [
        (7, None),
        (None, None),
    ] * 2
    assert list(reading.drafts.counted) == [
        "MedicationRequest/m2"
    ]  # the other could not be given back as it was
    odd = raw(bundle(order(status=5, x="@"))).replace(b'"@"', number.encode())
    assert read(Call({"medicationRequests": odd}), [Need.MEDICATIONS]).facts.orders[0].status == "5"


def test_a_request_not_to_do_something_is_no_draft() -> None:
    never = mine("ServiceRequest", "s", status="draft", intent="order", doNotPerform=True)
    assert refs(bundle(never)) == []


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ({"resource": {"resourceType": "MedicationOrder", "id": "o"}}, "MedicationOrder/o"),
        ({"resource": {"resourceType": "ProcedureRequest", "id": "o"}}, "ProcedureRequest/o"),
        ({"resource": {"id": "o"}}, "o"),
        ({"fullUrl": "urn:uuid:o", "resource": {}}, "urn:uuid:o"),
        (order("o"), "unnamed-0"),
    ],
)
def test_an_entry_that_is_no_request_of_ours_is_named(entry: dict[str, Any], named: str) -> None:
    reading = read(Call({}, {"resourceType": "Bundle", "entry": [entry]}), [])
    assert [gap.ref for gap in reading.facts.unread] == [named]
    assert reading.drafts.counted == {}


def test_other_requests_are_none_of_our_business() -> None:
    others = [
        {"resourceType": kind, "id": "x"} for kind in ("NutritionOrder", "Task", "Medication")
    ]
    assert read(Call({}, bundle(*others)), []).facts.unread == ()


def test_a_selection_may_give_the_uuid_of_a_full_url_its_type() -> None:
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": order(None)} for n in (1, 2)]  # type: ignore[arg-type]
    drafts = {"resourceType": "Bundle", "entry": entries}
    assert refs(drafts, "order-select", ["MedicationRequest/2"]) == ["urn:uuid:2"]
