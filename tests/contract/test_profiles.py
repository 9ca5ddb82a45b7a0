"""One answer, shaped for each kind of client."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from cds_service.clients import ANYONE, Client
from cds_service.protocol.crd import CARD_TYPES, card_type
from cds_service.protocol.linter import lint, lint_discovery
from cds_service.protocol.preference_list import SYSTEM
from cds_service.protocol.profiles import Profile, shape, shape_discovery, topic_code
from cds_service.protocol.services import SERVICES
from cds_service.service import Service
from tests.contract.answers import AS_OF, SERVICE, answer, asked, folder
from tests.protocol.hook_requests import body

DRUG = "medicationCodeableConcept"
UUID = "0b1e9b1a-0000-5000-8000-00000000000{}"
CREATE = {
    "type": "create",
    "description": "Order it *now*",
    "resource": {"resourceType": "ServiceRequest"},
}
TASK = {"type": "create", "description": "Plan a <taper>", "resource": {"resourceType": "Task"}}
UPDATE = {
    "type": "update",
    "description": "Less",
    "resource": {"resourceType": "ServiceRequest", "id": "d"},
}
DELETE = {"type": "delete", "description": "Remove it", "resourceId": "ServiceRequest/d"}


def neutral() -> dict[str, Any]:
    """An answer that holds what no card of ours holds today."""
    card = {
        "uuid": UUID.format(1),
        "summary": "S",
        "indicator": "info",
        "source": {
            "label": "L",
            "topic": {"system": "urn:cds-service:card", "code": "lumbar-imaging"},
        },
        "suggestions": [
            {
                "label": "Both",
                "uuid": UUID.format(2),
                "isRecommended": True,
                "actions": [CREATE, DELETE],
            },
            {"label": "Change", "uuid": UUID.format(3), "actions": [UPDATE]},
            {"label": "Plan", "uuid": UUID.format(4), "actions": [TASK]},
            {"label": "Nothing to do", "uuid": UUID.format(5)},
        ],
        "selectionBehavior": "at-most-one",
        "links": [
            {"label": "App", "type": "smart", "url": "https://a.b/launch", "appContext": "{}"}
        ],
    }
    return {"cards": [card], "systemActions": [UPDATE, TASK]}


@pytest.mark.parametrize("profile", list(Profile))
def test_the_answer_is_the_recorded_one(service: Service, profile: Profile) -> None:
    recorded = json.loads((folder() / f"{profile.value}.json").read_text("utf-8"))
    assert answer(service, profile, asked(service)) == recorded


def test_the_recorded_request_is_the_one_that_is_sent(service: Service) -> None:
    assert json.loads((folder() / "request.json").read_text("utf-8")) == asked(service)


@pytest.mark.parametrize("profile", list(Profile))
def test_every_shape_is_still_a_sound_answer(service: Service, profile: Profile) -> None:
    sent = asked(service)
    assert lint(answer(service, profile, sent), "order-sign", sent["context"]["draftOrders"]) == []


@pytest.mark.parametrize("profile", list(Profile))
def test_shaping_leaves_the_neutral_answer_alone(profile: Profile) -> None:
    given = neutral()
    before = deepcopy(given)
    shape(given, profile, drafts=["ServiceRequest/d"])
    assert given == before


def test_2_and_3_differ_in_discovery_only(service: Service) -> None:
    assert shape(neutral(), Profile.STRICT) == shape(neutral(), Profile.NEXT) == neutral()
    document = shape_discovery(service.discovery(), Profile.NEXT)
    assert {entry["version"] for entry in document["services"]} == {"3.0.0"}
    assert all(entry["hookVersion"] for entry in document["services"])


def test_epic_gets_one_action_a_suggestion_and_what_it_cannot_do_as_text() -> None:
    shaped = shape(neutral(), Profile.EPIC, entry_of=lambda _: "77")
    (card,) = shaped["cards"]
    assert card["selectionBehavior"] == "any"
    entry = {"code": {"coding": [{"system": SYSTEM, "code": "77"}]}}
    made = CREATE | {"resource": {"resourceType": "ServiceRequest"} | entry}
    assert [each.get("actions") for each in card["suggestions"]] == [[made], [DELETE], None]
    assert [each["label"] for each in card["suggestions"][:2]] == ["Order it *now*", "Remove it"]
    ids = [each["uuid"] for each in card["suggestions"]]
    assert ids[0] == UUID.format(2)
    assert len(set(ids)) == 3
    assert card["detail"] == "To do by hand:\n\n- Less\n- Plan a \\<taper\\>"
    assert card["source"]["topic"]["code"] == "lumbarImaging"
    assert shaped["systemActions"] == [UPDATE]


def test_epic_takes_back_orders_only_and_the_rest_is_for_hands() -> None:
    given = neutral()
    given["cards"][0]["suggestions"] = [
        {
            "label": f"Take back {kind}",
            "uuid": UUID.format(number),
            "actions": [{"type": "delete", "resourceId": f"{kind}/d"}],
        }
        for number, kind in enumerate(("MedicationRequest", "DeviceRequest"), 2)
    ]
    (card,) = shape(given, Profile.EPIC)["cards"]
    assert [each["label"] for each in card["suggestions"]] == ["Take back MedicationRequest"]
    assert card["detail"] == "To do by hand:\n\n- Take back DeviceRequest"


def test_epic_is_offered_no_order_without_an_entry_but_told_what_to_order() -> None:
    given = neutral()
    given["cards"][0]["suggestions"][0]["actions"] = [
        CREATE | {"resource": {"resourceType": "ServiceRequest", "code": {"text": "MRI [lumbar]"}}},
        {"type": "create", "resource": {"resourceType": "Condition"}},
    ]
    (card,) = shape(given, Profile.EPIC)["cards"]
    kept = [each["actions"][0]["resource"] for each in card["suggestions"] if "actions" in each]
    assert kept == [{"resourceType": "Condition"}]  # no order: Epic adds it to the problem list
    assert "- Order it \\*now\\*: MRI \\[lumbar\\]\n" in card["detail"]


def test_orders_of_an_answer_are_found_in_the_preference_list(service: Service) -> None:
    cards = answer(service, Profile.EPIC, asked(service))["cards"]
    resources = [s["actions"][0]["resource"] for c in cards for s in c.get("suggestions", ())]
    codes = [
        [(each["system"] == SYSTEM, each["code"]) for each in (r.get("code") or r[DRUG])["coding"]]
        for r in resources
    ]
    assert codes == [
        [(True, "12345"), (False, "1725059")],
        [(True, "PT_AMB"), (False, "444831000124102")],
    ]
    (naproxen,) = [card["detail"] for card in cards if "aproxen 500 mg" in card["detail"]]
    assert "One tablet twice a day with food" in naproxen  # has no entry


def test_a_card_without_buttons_left_has_no_choice_to_make() -> None:
    given = neutral()
    given["cards"][0]["suggestions"] = [
        {"label": "Plan", "uuid": UUID.format(4), "actions": [TASK]}
    ]
    given["cards"][0]["detail"] = "Why"
    del given["systemActions"]
    shaped = shape(given, Profile.EPIC)
    assert not {"suggestions", "selectionBehavior"} & shaped["cards"][0].keys()
    assert shaped["cards"][0]["detail"].startswith("Why\n\nTo do by hand:")
    assert "systemActions" not in shaped


def test_epic_topics_are_letters_and_digits_and_stay_apart() -> None:
    cards = {
        card
        for offer in SERVICES
        for cards in offer.cards.values()
        for card in (*cards, offer.folding)
    }
    codes = {topic_code(card) for card in cards}
    assert len(codes) == len(cards)
    assert all(code.isascii() and code.isalnum() and len(code) <= 100 for code in codes)


def test_oracle_gets_version_1_without_context_for_apps() -> None:
    (card,) = shape(neutral(), Profile.ORACLE)["cards"]
    assert card["selectionBehavior"] == "at-most-one"
    assert [each.get("actions") for each in card["suggestions"]] == [[CREATE], [TASK], None]
    assert not any("isRecommended" in each for each in card["suggestions"])
    assert card["links"] == [{"label": "App", "type": "smart", "url": "https://a.b/launch"}]
    assert card["detail"] == "To do by hand:\n\n- Remove it\n- Less"


def test_oracle_discovers_the_opening_of_a_chart_only(service: Service) -> None:
    document = shape_discovery(service.discovery(), Profile.ORACLE)
    assert {entry["hook"] for entry in document["services"]} == {"patient-view"}
    assert lint_discovery(document) == []


def test_the_sandbox_finds_system_actions_where_it_looks() -> None:
    given = neutral() | {"extension": {"cds-service.dropped": 1}}
    shaped = shape(given, Profile.SANDBOX)
    assert shaped["extension"] == {"cds-service.dropped": 1, "systemActions": [UPDATE, TASK]}
    assert shaped["systemActions"] == [UPDATE, TASK]
    assert shape({"cards": []}, Profile.SANDBOX) == {"cards": []}


def test_crd_topics_are_card_types_and_cards_name_their_orders() -> None:
    given = neutral()
    reasons = [{"criterion": "x", "status": "met", "because": ["Condition/1", "ServiceRequest/d"]}]
    given["cards"][0]["extension"] = {"cds-service.reasons": reasons}
    (card,) = shape(given, Profile.CRD, drafts={"ServiceRequest/d"})["cards"]
    assert card["source"]["topic"] == {"system": CARD_TYPES, "code": "off-guideline"}
    assert card["extension"]["davinci-crd.associated-resource"] == ["ServiceRequest/d"]
    assert card["extension"]["cds-service.card"] == "lumbar-imaging"


def test_crd_offers_a_switch_for_every_type_of_card(service: Service) -> None:
    document = service.discovery(replace(ANYONE, profile=Profile.CRD))
    assert lint_discovery(document) == []
    for entry in document["services"]:
        options = entry["extension"]["davinci-crd.configuration-options"]
        codes = [option["code"] for option in options]
        assert len(set(codes)) == len(codes)
        assert len({option["name"] for option in options}) == len(codes)
        offer = next(each for each in SERVICES if each.id == entry["id"])
        assert {card_type(card) for card in offer.cards[entry["hook"]]} <= set(codes)
        assert entry["extension"]["davinci-crd.version"]


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ({"max-cards": 1, "unknown": True}, slice(0, 1)),
        ({"max-cards": 0}, slice(0, 0)),
        ({"max-cards": True}, slice(None)),
        ([{"code": "max-cards", "value": 2}, 5], slice(0, 2)),
        ("text", slice(None)),
        ({"max-cards": "1"}, slice(None)),
    ],
)
def test_crd_configuration_is_honoured(service: Service, sent: Any, left: slice) -> None:
    request = asked(service)
    whole = answer(service, Profile.CRD, request)["cards"]
    asking = request | {"extension": {"davinci-crd.configuration": sent}}
    assert answer(service, Profile.CRD, asking)["cards"] == whole[left]
    assert answer(service, Profile.STRICT, asking) == answer(service, Profile.STRICT, request)


def test_crd_types_can_be_switched_off(service: Service) -> None:
    request = asked(service) | {"extension": [{"davinci-crd.configuration": {"guideline": False}}]}
    types = [
        card["source"]["topic"]["code"] for card in answer(service, Profile.CRD, request)["cards"]
    ]
    assert types
    assert "guideline" not in types


def test_what_is_remembered_does_not_depend_on_the_profile(service: Service) -> None:
    sent = body(asked(service))
    traces = [
        service.respond(SERVICE, sent, client=Client("x", profile=profile), as_of=AS_OF).trace.cards
        for profile in Profile
    ]
    assert all(trace == traces[0] for trace in traces)
