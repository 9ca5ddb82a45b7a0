"""A request to the payer can be drafted from the card, where all that it must name is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.cases import Call, House, Road, call_of, load_cases
from cds_service.clients import Client
from cds_service.clinical.facts import Need
from cds_service.protocol.profiles import Profile
from tests.changes import replace

CASES = Path(__file__).parent / "cases"
AUTHORIZATION = (
    "medical_spine_center",
    "Visit done, neither authorization nor summary",
    "spine_office_visit_pa",
)
REVIEW = (
    "therapy_medical_necessity_review",
    "The fifth visit, and no review request",
    "therapy_mnr",
)


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def _call(house: House, file: str, name: str) -> Call:
    cases = load_cases(CASES / f"{file}.yaml", house.systems)
    return call_of(next(case for case in cases if case.name == name))


def _created(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        action["resource"]
        for card in body["cards"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
        if action["type"] == "create"
    ]


def _claims(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [made for made in _created(body) if made["resourceType"] == "Claim"]


def _asked(house: House, call: Call) -> dict[str, Any]:
    answer = house.ask(call, Road.PREFETCH)
    assert answer.status == 200
    return answer.body


@pytest.mark.parametrize(("file", "name", "kind"), [AUTHORIZATION, REVIEW])
def test_the_claim_asks_for_what_the_card_says(
    house: House, file: str, name: str, kind: str
) -> None:
    call = _call(house, file, name)
    (cover,) = (r for r in call.resources if r["resourceType"] == "Coverage")
    (claim,) = _claims(_asked(house, call))
    get_fhir_model_class("Claim").model_validate(claim)
    assert (claim["use"], claim["status"]) == ("preauthorization", "draft")
    assert claim["type"]["coding"][0] == {
        "system": "urn:cds-service:claim-type",
        "code": kind,
        "display": claim["type"]["coding"][0]["display"],
    }
    assert claim["created"] == "2025-06-16"
    assert claim["patient"] == {"reference": f"Patient/{call.context['patientId']}"}
    assert claim["provider"] == {"reference": call.context["userId"]}
    assert claim["insurance"][0]["coverage"] == {"reference": f"Coverage/{cover['id']}"}
    assert [d["sequence"] for d in claim["diagnosis"]] == [1]
    coding = claim["diagnosis"][0]["diagnosisCodeableConcept"]["coding"][0]
    assert coding["code"].startswith("M54")
    assert claim["item"][0]["productOrService"]["text"]


def test_the_task_comes_first(house: House) -> None:
    kinds = [made["resourceType"] for made in _created(_asked(house, _call(house, *REVIEW[:2])))]
    assert kinds.index("Task") < kinds.index("Claim")


def _other_cover(call: Call, name: str) -> Call:
    (cover,) = (r for r in call.resources if r["resourceType"] == "Coverage")
    other = json.loads(json.dumps(cover).replace("HealthPartners", name)) | {"id": "other"}
    return replace(call, resources=(*call.resources, other))


def test_of_two_covers_the_claim_is_on_the_payers_own(house: House) -> None:
    call = _other_cover(_call(house, *AUTHORIZATION[:2]), "Medicare")
    (claim,) = _claims(_asked(house, call))
    assert claim["insurance"][0]["coverage"]["reference"] != "Coverage/other"


def test_two_covers_that_could_be_meant_make_no_claim(house: House) -> None:
    call = _other_cover(_call(house, *AUTHORIZATION[:2]), "HealthPartners")
    body = _asked(house, call)
    assert _claims(body) == []
    assert any(made["resourceType"] == "Task" for made in _created(body))


@pytest.mark.parametrize("user", ["Patient/1", "RelatedPerson/1", ""])
def test_only_who_may_claim_drafts_a_claim(house: House, user: str) -> None:
    call = _call(house, *AUTHORIZATION[:2])
    body = _asked(house, replace(call, context={**call.context, "userId": user or "Group/1"}))
    assert _claims(body) == []


def test_a_client_that_takes_no_claims_reads_it_as_text(house: House) -> None:
    call = _call(house, *AUTHORIZATION[:2])
    keys = tuple(Need)
    given = house.service.respond(
        call.service,
        call.body(keys),
        client=Client("epic", profile=Profile.EPIC),
        as_of=call.as_of,
    )
    body = json.loads(json.dumps(given.body, default=float))
    assert _claims(body) == []
    detail = "\n".join(card["detail"] for card in body["cards"])
    assert "- Draft the claim that asks the plan to authorize" in detail
