"""Cover, claims and payers' answers as EHRs send them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.dates import on
from cds_service.clinical.facts import Claim, ClaimResponse, Coverage, Need
from cds_service.knowledge.codes import Code
from tests.fhir.calls import AS_OF, CPT, Call, Server, bundle, condition, facts, read

PAYER = {
    "resourceType": "Organization",
    "id": "o",
    "name": "Plan Seven",
    "alias": "P7",
    "identifier": [{"system": "urn:payer", "value": "7"}],
}


def cover(*beside: Any, **members: Any) -> Coverage:
    """A coverage, read; `beside` are other entries of its bundle."""
    resource = {
        "resourceType": "Coverage",
        "id": "v",
        "status": "active",
        "beneficiary": {"reference": "Patient/p1"},
    }
    (found,) = facts(Need.COVERAGES, {**resource, **members}, *beside).coverages
    return found


def test_a_payer_is_named_by_display_organisation_and_plan() -> None:
    found = cover(
        payor=[
            {"reference": "#o", "display": "Seven", "identifier": {"system": "urn:x", "value": "1"}}
        ],
        contained=[PAYER],
        period={"start": "2026-01-01", "end": "2026-12"},
        order=1,
        **{"class": [{"name": "Gold", "value": "G1"}]},
        identifier=[{"system": "urn:member", "value": "canary"}],
        subscriber={"display": "Canary"},
    )
    assert found.names == ("Seven", "Plan Seven", "P7", "Gold", "G1")
    assert found.identifiers == {"urn:payer#7", "urn:x#1"}
    assert (found.order, found.when, found.active(AS_OF)) == (1, on(date(2026, 1, 1)), True)


@pytest.mark.parametrize(
    "reference", ["Organization/o", "https://ehr/fhir/Organization/o", "#o", "urn:uuid:o"]
)
def test_a_payer_in_the_same_bundle_or_contained(reference: str) -> None:
    contained = [PAYER] if reference == "#o" else []
    coverage = {
        "resourceType": "Coverage",
        "id": "v",
        "payor": {"reference": reference},
        "contained": contained,
    }
    entries = [{"resource": coverage}, {"fullUrl": "urn:uuid:o", "resource": PAYER}]
    reading = read(
        Call({"coverages": {"resourceType": "Bundle", "entry": entries}}), [Need.COVERAGES]
    )
    assert reading.facts.coverages[0].names == ("Plan Seven", "P7")


def test_a_person_who_pays_is_no_payer() -> None:
    assert cover(payor=[{"reference": "Patient/p1", "display": "Canary"}]).names == ()


def referring(*payors: Any, **members: Any) -> dict[str, Any]:
    """Active cover that names its payors as given."""
    return {"resourceType": "Coverage", "id": "v", "status": "active", "payor": payors, **members}


def test_payers_that_nothing_brings_along_are_read_from_the_server_four_at_most() -> None:
    covers = [referring({"reference": f"Organization/x{n}"}, id=f"v{n}") for n in range(6)]
    server = Server({f"Organization/x{n}": {**PAYER, "id": f"x{n}"} for n in range(6)})
    reading = read(Call({"coverages": bundle(*covers)}), [Need.COVERAGES], server)
    assert server.asked == [f"Organization/x{n}" for n in range(4)]
    known = {c.ref: ("Plan Seven" in c.names, c.payor_unread) for c in reading.facts.coverages}
    assert known == {f"Coverage/v{n}": (n < 4, n >= 4) for n in range(6)}
    assert {(u.ref, u.why) for u in reading.facts.unread} == {
        ("Coverage/v4", "the payor could not be read"),
        ("Coverage/v5", "the payor could not be read"),
    }


@pytest.mark.parametrize(
    "coverage",
    [
        referring({"reference": "Organization/o", "display": "Seven"}),
        referring({"reference": "Organization/o", "identifier": {"value": "7"}}),
        referring({"reference": "Organization/o"}, status="cancelled"),
        referring({"reference": "Patient/p1"}),
        referring({}),
    ],
)
@pytest.mark.parametrize("beside", [[], [condition()]])
def test_only_payers_that_cannot_be_told_otherwise_are_read(
    coverage: dict[str, Any], beside: list[Any]
) -> None:
    server = Server({"Organization/o": PAYER})
    reading = read(Call({"coverages": bundle(coverage, *beside)}), [Need.COVERAGES], server)
    assert server.asked == [] and reading.facts.unread == ()


@pytest.mark.parametrize("beside", [condition(), {"resourceType": "Coverage", "payor": 5}])
def test_a_payer_is_read_for_a_cover_that_stands_among_others(beside: dict[str, Any]) -> None:
    server = Server({"Organization/o": PAYER})
    sent = bundle(beside, referring({"reference": "Organization/o"}))
    reading = read(Call({"coverages": sent}), [Need.COVERAGES], server)
    assert server.asked == ["Organization/o"]
    assert reading.facts.coverages[-1].names == ("Plan Seven", "P7")


def test_a_payer_is_read_at_the_address_that_is_given() -> None:
    url = "https://ehr/fhir/Organization/o"
    server = Server({url: PAYER})
    sent = bundle(referring({"reference": url}))
    reading = read(Call({"coverages": sent}), [Need.COVERAGES], server)
    assert reading.facts.coverages[0].names == ("Plan Seven", "P7")


def test_a_payer_may_come_under_a_key_of_its_own() -> None:
    prefetch = {"coverages": bundle(referring({"reference": "Organization/o"})), "payers": PAYER}
    reading = read(Call(prefetch), [Need.COVERAGES])
    assert reading.facts.coverages[0].names == ("Plan Seven", "P7")


def test_a_payer_may_be_mapped_by_its_reference() -> None:
    found = cover(payor=[{"reference": "https://ehr/fhir/Organization/o"}])
    assert (found.identifiers, found.payor_unread) == ({"Organization/o"}, True)


def claim(kind: str = "Claim", **members: Any) -> Claim:
    """A claim, read."""
    need = Need.CLAIMS if kind == "Claim" else Need.BENEFITS
    resource = {
        "resourceType": kind,
        "id": "k",
        "status": "active",
        "patient": {"reference": "Patient/p1"},
    }
    (found,) = facts(need, {**resource, **members}).claims
    return found


@pytest.mark.parametrize("kind", ["Claim", "ExplanationOfBenefit"])
def test_a_claim_with_its_lines(kind: str) -> None:
    code = {"coding": [{"system": CPT, "code": "97110"}]}
    found = claim(
        kind,
        type={"coding": [{"system": "urn:cds-service:claim-type", "code": "therapy_mnr"}]},
        use="claim",
        created="2026-02-01",
        billablePeriod={"start": "2026-01-01"},
        related=[{"claim": {"reference": "Claim/before"}}],
        item=[
            {"productOrService": code, "servicedDate": "2026-01-05", "quantity": {"value": 2}},
            {"productOrService": code, "servicedPeriod": {"start": "2026-01-06"}},
            {"productOrService": code},
        ],
    )
    assert (found.kind, found.use, found.when) == (kind, "claim", on(date(2026, 2, 1)))
    assert found.codes == {Code("urn:cds-service:claim-type", "therapy_mnr")}
    assert [line.when for line in found.lines] == [on(date(2026, 1, d)) for d in (5, 6, 1)]
    assert (found.lines[0].codes, found.lines[0].quantity) == ({Code("CPT", "97110")}, Decimal(2))
    assert (found.related, found.complete) == (("Claim/before",), None)


@pytest.mark.parametrize("place", ["category", "code"])
@pytest.mark.parametrize("value", [True, False])
def test_whether_a_submission_is_complete(place: str, value: bool) -> None:
    said = {"coding": [{"system": "urn:cds-service:claim-info", "code": "submission-complete"}]}
    other = {"category": {"coding": [{"code": "attachment"}]}, "valueBoolean": not value}
    assert claim(supportingInfo=[other, {place: said, "valueBoolean": value}]).complete is value


PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-reviewAction"


A3 = {"coding": [{"code": "A3"}]}


@pytest.mark.parametrize(
    "item",
    [
        {"extension": [{"url": PAS, "extension": [{"url": PAS + "Code", "valueCodeableConcept": A3}]}]},
        {"extension": [{"url": "reviewActionCode", "valueCode": "A3"}]},
        {"extension": [{"url": "reviewActionCode", "valueCoding": {"code": "A3"}}]},
        {"reason": {"coding": [{"system": "https://codesystem.x12.org/005010/306", "code": "A3"}]}},
    ],
)  # fmt: skip
def test_a_decision_in_its_known_places(item: dict[str, Any]) -> None:
    found = answered(item)
    assert (found.decisions, found.request, found.when) == ({"A3"}, "Claim/k", on(date(2026, 2, 5)))
    assert (found.use, found.outcome) == ("preauthorization", "complete")


@pytest.mark.parametrize(
    ("item", "disposition", "decisions"),
    [
        ({}, "Denied", {"A3"}),
        ({}, "Prior authorization DENIED - no functional score", {"A3"}),
        ({}, "Not certified", {"A3"}),
        ({}, "Approved in part: 6 of 10 visits", {"A2"}),
        ({}, "Claim not denied", set()),
        ({}, "Received, thank you", set()),
        ({"reason": {"text": "Denied"}}, "Processed", {"A3"}),
        ({"extension": [{"url": PAS, "valueCodeableConcept": {"text": "Not Certified"}}]}, None, {"A3"}),
        ({"reason": {"coding": [{"code": "A1"}]}}, "Denied", {"A1"}),
        ({"category": {"coding": [{"code": "x", "display": "Denied amount"}]}}, None, set()),
    ],
)  # fmt: skip
def test_a_decision_in_words_counts_where_no_code_tells_one(
    item: dict[str, Any], disposition: str | None, decisions: set[str]
) -> None:
    assert answered(item, disposition=disposition).decisions == decisions


def answered(item: dict[str, Any], **members: Any) -> ClaimResponse:
    """A payer's answer with one line, read."""
    answer = {
        "resourceType": "ClaimResponse",
        "id": "r",
        "patient": {"reference": "Patient/p1"},
        "status": "active",
        "use": "preauthorization",
        "outcome": "complete",
        "created": "2026-02-05",
        "request": {"reference": "Claim/k"},
        "item": [{"adjudication": [{"category": {"coding": [{"code": "submitted"}]}, **item}]}],
        **members,
    }
    (found,) = read(
        Call({"claimResponses": bundle(answer)}), [Need.CLAIM_RESPONSES]
    ).facts.claim_responses
    return found
