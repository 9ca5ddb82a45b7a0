"""The linter finds each fault that a client would stumble over."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from cds_service.protocol.linter import lint, lint_discovery

DRAFT = {
    "resourceType": "MedicationRequest",
    "id": "rx1",
    "status": "draft",
    "note": [{"text": "as received"}],
}
DRAFTS = {"resourceType": "Bundle", "entry": [{"resource": DRAFT}, {"fullUrl": "urn:uuid:1"}]}
ACTIONS = [
    {
        "type": "create",
        "description": "Order naloxone",
        "resource": {"resourceType": "MedicationRequest", "status": "draft"},
    },
    {
        "type": "update",
        "description": "Lower the dose",
        "resource": DRAFT | {"dosageInstruction": [{"text": "1"}]},
    },
    {
        "type": "delete",
        "description": "Remove the order",
        "resourceId": "MedicationRequest/rx1",
    },
]


def answer() -> dict[str, Any]:
    """An answer in which everything that may stand stands, and all of it is right."""
    card = {
        "uuid": "0b1e9b1a-0000-5000-8000-000000000001",
        "summary": "Opioids would total 63.75 MME/day",
        "detail": "Total **63.75** MME/day, pain \\< 4",
        "indicator": "warning",
        "source": {
            "label": "CDC 2022",
            "url": "https://www.cdc.gov/opioids",
            "topic": {"system": "urn:cds-service:card", "code": "opioid-dose"},
        },
        "suggestions": [
            {
                "uuid": f"0b1e9b1a-0000-5000-8000-00000000001{n}",
                "label": f"Do {n}",
                "actions": [action],
            }
            for n, action in enumerate(deepcopy(ACTIONS))
        ],
        "selectionBehavior": "any",
        "overrideReasons": [{"system": "urn:s", "code": "r", "display": "Done elsewhere"}],
        "links": [{"label": "Guideline", "url": "https://www.cdc.gov/", "type": "absolute"}],
        "extension": {
            "cds-service.reasons": [
                {"criterion": "c", "status": "met", "indicator": "warning", "because": ["A/1"]}
            ]
        },
    }
    return {"cards": [card], "extension": {"cds-service.dropped": 1}}


def entry() -> dict[str, Any]:
    return {
        "hook": "patient-view",
        "id": "opioid-safety",
        "title": "Opioid safety",
        "description": "MME",
        "version": "2.0.1",
        "prefetch": {
            "patient": "Patient/{{context.patientId}}",
            "conditions": "Condition?patient={{context.patientId}}",
        },
    }


def test_a_good_answer_has_no_faults() -> None:
    assert lint(answer(), "order-sign", DRAFTS) == []
    assert lint({"cards": []}, "patient-view") == []


Change = Callable[[dict[str, Any], dict[str, Any]], Any]


def action(index: int, **members: Any) -> Change:
    return lambda _response, card: card["suggestions"][index]["actions"][0].update(members)


def without(member: str) -> Change:
    return lambda _response, card: card.pop(member)


def with_(**members: Any) -> Change:
    return lambda _response, card: card.update(members)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda response, _card: response.pop("cards"), "cards: is required"),
        (lambda response, _card: response.update(cards={}), "cards: must be an array"),
        (lambda response, _card: response.update(extension={}), "extension: is empty"),
        (
            lambda response, _card: response["extension"].update(x=float("nan")),
            "JSON does not know",
        ),
        (
            lambda response, _card: response["extension"].update(x=[{"y": None}]),
            "extension.x.0.y: is empty",
        ),
        (lambda response, card: response["cards"].append(deepcopy(card)), "share a uuid"),
        (without("uuid"), "uuid: is required"),
        (without("source"), "source: is required"),
        (without("selectionBehavior"), "selectionBehavior"),
        (without("suggestions"), "selectionBehavior"),
        (with_(summary="x" * 140), "1 to 139 characters"),
        (with_(summary="two\nlines"), "one line"),
        (with_(detail="<img src=x>"), "raw HTML"),
        (with_(detail=""), "detail: must not be empty"),
        (with_(indicator="hard-stop"), "indicator: allowed are info, warning, critical"),
        (with_(selectionBehavior="all"), "selectionBehavior: allowed"),
        (with_(overrideReasons=[{"system": "urn:s", "code": "r"}]), "display: is required"),
        (with_(links=[]), "links: is empty"),
        (with_(links=[{"label": "x", "url": "/here", "type": "absolute"}]), "absolute http"),
        (
            with_(
                links=[{"label": "x", "url": "https://a.b", "type": "absolute", "appContext": "{}"}]
            ),
            "appContext",
        ),
        (lambda _response, card: card["source"].update(icon="http://a.b/icon.png"), "source.icon"),
        (lambda _response, card: card["source"].pop("topic"), "topic: is required"),
        (
            lambda _response, card: card["suggestions"][0].update(isRecommended=False),
            "left out rather than false",
        ),
        (action(0, type="CREATE"), "allowed are create, update, delete"),
        (action(0, description=""), "must not be empty"),
        (
            action(0, resource={"resourceType": "MedicationRequest", "status": "active"}),
            "must be a draft",
        ),
        (action(0, resourceId="MedicationRequest/rx1"), "no resourceId"),
        (
            action(1, resource={"resourceType": "MedicationRequest", "id": "rx1"}),
            "must keep every member",
        ),
        (
            action(1, resource={"resourceType": "MedicationRequest", "id": "rx2"}),
            "must be of a draft order",
        ),
        (action(2, resourceId="MedicationRequest/rx2"), "must name a draft order"),
        (action(2, resource=DRAFT), "no resource"),
    ],
)
def test_a_fault_is_found(change: Change, fault: str) -> None:
    response = answer()
    change(response, response["cards"][0])
    assert fault in "; ".join(lint(response, "order-sign", DRAFTS))


def test_at_most_one_of_one_choice_is_recommended() -> None:
    response = answer()
    card = response["cards"][0]
    card["selectionBehavior"] = "at-most-one"
    for suggestion in card["suggestions"][:2]:
        suggestion["isRecommended"] = True
    assert "more than one is recommended" in lint(response, "order-sign", DRAFTS)[0]


def test_a_hook_that_no_service_answers_is_a_fault() -> None:
    assert lint({"cards": []}, "order-review") != []


def test_a_good_discovery_has_no_faults() -> None:
    assert lint_discovery({"services": [entry()]}) == []
    assert lint_discovery({"services": []}) == []


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"id": "opioid safety"}, "one URL path segment"),
        ({"hook": "order-review"}, "unknown"),
        ({"description": ""}, "description"),
        ({"version": "STU2"}, "semantic version"),
        ({"prefetch": {}}, "at least one template"),
        ({"prefetch": {"x": {}}}, "must be a string"),
        ({"prefetch": {"x": "/Patient/{{context.patientId}}"}}, "relative"),
        ({"prefetch": {"x": "Patient/{{context.draftOrders}}"}}, "not known to 2.0 clients"),
        ({"prefetch": {"x": "Patient/{{context.patientId"}}, "not known to 2.0 clients"),
        ({"prefetch": {"x": "Encounter/{{context.encounterId}}"}}, "cannot be relied on"),
        ({"prefetch": {"x": "Condition?_include=y"}}, "query subset"),
        ({"prefetch": {"x": "Condition?code=" + "x" * 2000}}, "longer than"),
    ],
)
def test_a_discovery_fault_is_found(members: dict[str, Any], fault: str) -> None:
    assert fault in "; ".join(lint_discovery({"services": [entry() | members]}))


def test_drafts_of_any_shape_are_looked_at() -> None:
    odd = {"entry": [None, "x", {}, {"resource": "y"}, {"resource": {}}]}
    assert lint({"cards": []}, "order-sign", odd) == []


def test_an_id_stands_once_with_each_hook() -> None:
    assert "twice" in lint_discovery({"services": [entry(), entry()]})[0]
