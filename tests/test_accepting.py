"""Accepting a suggestion settles what made it: the next call does not ask for the same again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_service.cases import Call, Case, House, Road, call_of, load_cases
from cds_service.cases.roads import met
from cds_service.clinical.esi_checklist import RECORD
from cds_service.clinical.facts import Need
from cds_service.knowledge.codes import Code
from cds_service.shipped import shipped
from tests.changes import replace

pytestmark = pytest.mark.slow

CASES = Path(__file__).parent / "cases"
SPINE = (
    "esi_decision_support",
    "lumbar_imaging",
    "medical_spine_center",
    "therapy_medical_necessity_review",
)
# Case file, name of the case, label of the suggestion, the criterion that it settles.
SETTLED = (
    (
        0,
        "Every criterion is met, and the payer asks for a record",
        "Record the",
        "decision-support-record-required",
    ),
    (0, "A code without imaging guidance", "Order with imaging guidance", "no-image-guidance"),
    (0, "A cervical injection without imaging guidance", "Order with imaging", "no-image-guidance"),
    (
        0,
        "Pain and naproxen for 27 days",
        "Defer the injection to 2025-06-17",
        "pain-under-four-weeks",
    ),
    (0, "Three transforaminal levels", "Order one unit", "levels-or-regions-exceeded"),
    (
        0,
        "Axial reason although radiculopathy is on file",
        "Give the diagnosis",
        "indication-not-supported",
    ),
    (1, "MRI on day 10", "Defer the imaging order to 2025-07-19", "early-imaging"),
    (1, "MRI on day 10", "Cancel the imaging order", "early-imaging"),
    (
        2,
        "Surgeon referral without a medical spine visit",
        "Refer to a medical",
        "medical-spine-visit-first",
    ),
    (
        2,
        "Ten weeks of pain, treatment did not help",
        "Refer to a medical",
        "medical-spine-visit-recommended",
    ),
    (3, "Thirteen visits without a current score", "Ask for fewer visits", "review-denial-risk"),
    (
        2,
        "Visit done, neither authorization nor summary",
        "Draft the authorization",
        "spine-surgery-visit-authorization",
    ),
    (
        3,
        "The fifth visit, and no review request",
        "Draft the review request",
        "review-point-reached",
    ),
)


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def _case(house: House, file: int, name: str) -> Case:
    cases = load_cases(CASES / f"{SPINE[file]}.yaml", house.systems)
    return next(case for case in cases if case.name == name)


def _actions(body: dict[str, Any], label: str) -> Iterator[dict[str, Any]]:
    for card in body["cards"]:
        for suggestion in card.get("suggestions", ()):
            if suggestion["label"].startswith(label):
                yield from suggestion["actions"]


def accepted(call: Call, action: dict[str, Any]) -> Call:
    """The next call after the client did what a suggestion says."""
    drafts = [dict(e["resource"]) for e in call.context.get("draftOrders", {}).get("entry", ())]
    resource: Any = action.get("resource")
    if action["type"] == "delete":
        drafts = [d for d in drafts if f"{d['resourceType']}/{d['id']}" != action["resourceId"]]
    elif action["type"] == "update":
        drafts = [resource if d["id"] == resource["id"] else d for d in drafts]
    elif resource["resourceType"] == "ServiceRequest" and drafts:
        drafts.append({**resource, "id": "accepted"})
    else:
        call = replace(call, resources=(*call.resources, {**resource, "id": "accepted"}))
    if "draftOrders" not in call.context:
        return call
    bundle = {**call.context["draftOrders"], "entry": [{"resource": d} for d in drafts]}
    return replace(call, context={**call.context, "draftOrders": bundle})


@pytest.mark.parametrize(("file", "name", "label", "criterion"), SETTLED)
def test_accepting_settles(house: House, file: int, name: str, label: str, criterion: str) -> None:
    call = call_of(_case(house, file, name))
    before = house.ask(call, Road.PREFETCH)
    assert criterion in met(before)
    (action,) = _actions(before.body, label)
    after = house.ask(accepted(call, action), Road.PREFETCH)
    assert after.status == 200
    assert criterion not in met(after)


def test_the_record_answers_the_published_questionnaire(house: House) -> None:
    published = json.loads(
        (shipped("fhir_fixtures") / "questionnaires/esi-decision-support.json").read_text()
    )
    call = call_of(_case(house, 0, SETTLED[0][1]))
    (action,) = _actions(house.ask(call, Road.PREFETCH).body, "Record the result")
    record = action["resource"]
    assert record["questionnaire"] == published["url"]
    recognised = house.service.knowledge.valueset(RECORD)
    assert Code("QUESTIONNAIRE", record["questionnaire"]) in recognised
    assert [(i["linkId"], i["text"]) for i in record["item"]] == [
        (i["linkId"], i["text"]) for i in published["item"]
    ]
    assert record["item"][0]["answer"] == [{"valueString": "criteria met"}]
    assert record["status"] == "completed"


@pytest.mark.parametrize(
    ("name", "offered"),
    [("A record of 365 days ago", False), ("A record of 366 days ago", True)],
)
def test_a_record_that_is_on_file_is_not_offered_again(
    house: House, name: str, offered: bool
) -> None:
    answer = house.ask(call_of(_case(house, 0, name)), Road.PREFETCH)
    assert "criteria-met" in met(answer)
    assert bool(list(_actions(answer.body, "Record the result"))) is offered


def test_once_recorded_the_result_is_not_offered_again(house: House) -> None:
    call = call_of(_case(house, 0, SETTLED[0][1]))
    (action,) = _actions(house.ask(call, Road.PREFETCH).body, "Record the result")
    after = house.ask(accepted(call, action), Road.PREFETCH)
    assert list(_actions(after.body, "Record the result")) == []


def test_the_checklist_stands_on_the_card_once_with_the_fda_note(house: House) -> None:
    for name in (SETTLED[0][1], "Contrast allergy", "On selection the record is a note"):
        body = house.ask(call_of(_case(house, 0, name)), Road.PREFETCH).body
        text = "\n".join(card["detail"] for card in body["cards"])
        assert text.count("Checklist:") == 1
        assert text.count("not approved by the FDA") == 1
        assert "Image guidance in the order: **met**" in text


def test_an_unknown_item_says_what_would_settle_it(house: House) -> None:
    call = call_of(_case(house, 0, "Contrast allergy"))
    answer = house.ask(replace(call, withheld=frozenset({Need.MEDICATIONS})), Road.PREFETCH)
    text = "\n".join(card["detail"] for card in answer.body["cards"])
    assert "bleeding disorder: **unknown**; to settle it: the medication list" in text


@pytest.mark.parametrize("label", ["Cancel the imaging order", "Defer the imaging order"])
def test_of_two_early_images_each_is_settled_in_turn(house: House, label: str) -> None:
    """The button says which of them; what it settles is not touched again."""
    call = call_of(_case(house, 1, "MRI on day 10"))
    (entry,) = call.context["draftOrders"]["entry"]
    xray = {**entry["resource"], "id": "x-ray", "code": {"text": "X-ray of the lumbar spine"}}
    cpt = {"system": "http://www.ama-assn.org/go/cpt", "code": "72100"}
    xray["code"]["coding"] = [cpt]
    bundle = {**call.context["draftOrders"], "entry": [entry, {"resource": xray}]}
    call = replace(call, context={**call.context, "draftOrders": bundle})
    settled: list[str] = []
    for _ in range(2):
        answer = house.ask(call, Road.PREFETCH)
        assert "early-imaging" in met(answer)
        (action,) = _actions(answer.body, label)
        resource = action.get("resource", {"resourceType": "", "id": ""})
        settled.append(action.get("resourceId") or f"ServiceRequest/{resource['id']}")
        labels = [s["label"] for c in answer.body["cards"] for s in c["suggestions"]]
        assert all(("MRI" in each) is (len(settled) == 1) for each in labels)
        call = accepted(call, action)
    assert len(set(settled)) == 2 and settled[1] == "ServiceRequest/x-ray"
    assert "early-imaging" not in met(house.ask(call, Road.PREFETCH))


APPOINTMENTS = (
    ("therapy_referral", "New back pain in an adult", "2025-06-30", "2025-07-14"),
    ("therapy_reevaluation", "Day 29 of therapy is overdue", "2025-06-16", "2025-06-23"),
)


@pytest.mark.parametrize(("file", "name", "start", "end"), APPOINTMENTS)
def test_a_re_evaluation_is_proposed_for_the_right_days(
    house: House, file: str, name: str, start: str, end: str
) -> None:
    """Day 14 to 28 of a trial that begins today; within a week where it is due."""
    cases = load_cases(CASES / f"{file}.yaml", house.systems)
    call = call_of(next(case for case in cases if case.name == name))
    made = _actions(house.ask(call, Road.PREFETCH).body, "Book")
    resources = [action["resource"] for action in made]
    assert {"start": start, "end": end} in [r.get("requestedPeriod", [{}])[0] for r in resources]


@pytest.mark.parametrize(
    ("said", "offered"),
    [
        ({"authoredOn": "2025-06-16"}, False),
        ({"authoredOn": "2025-06-03"}, False),
        ({"authoredOn": "2025-06-02"}, True),
        ({"authoredOn": "2025-06-17"}, True),
        ({"authoredOn": "2025-06"}, True),
        ({"authoredOn": "2025-06-16", "priority": "routine"}, True),
        ({"authoredOn": "2025-06-16", "intent": "proposal"}, True),
    ],
)
def test_what_was_ordered_in_the_last_two_weeks_is_not_offered_again(
    house: House, said: dict[str, str], offered: bool
) -> None:
    """The card speaks on; only its button for the same order, as urgent as this, is gone."""
    cases = load_cases(CASES / "spine_emergency.yaml", house.systems)
    call = call_of(next(case for case in cases if case.name == "Lumbar fracture fourteen days ago"))
    before = house.ask(call, Road.PREFETCH)
    (action,) = _actions(before.body, "Order lumbar CT")
    signed = {**action["resource"], "id": "ct", "status": "active", **said}
    after = house.ask(replace(call, resources=(*call.resources, signed)), Road.PREFETCH)
    assert "acute-spinal-fracture" in met(after)
    assert bool(list(_actions(after.body, "Order lumbar CT"))) is offered
    assert list(_actions(after.body, "Refer to emergency"))
