"""Requirements of CDS Hooks that no other test keeps, each against the whole service."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from flask.testing import FlaskClient
from sqlalchemy.engine import make_url

from cds_service.protocol.discovery import discovery
from cds_service.protocol.linter import lint_discovery
from cds_service.protocol.services import SERVICES
from cds_service.service import Service
from cds_service.settings import Mode, Settings
from cds_service.web.app import create_app
from tests.contract.answers import DIAZEPAM, asked
from tests.contract.fhir_store import FhirStore
from tests.contract.loopback import Loopback
from tests.protocol.hook_requests import OXYCODONE, PATIENT, order_sign

URL = "/cds-services/opioid-safety"
TOKEN = "canary-token-of-one-call"


@pytest.fixture
def said(web: FlaskClient, service: Service) -> dict[str, Any]:
    """An answer with several cards."""
    answer: dict[str, Any] = web.post(URL, json=asked(service)).get_json()
    assert len(answer["cards"]) > 1
    return answer


def links(answer: dict[str, Any]) -> Iterator[str]:
    for card in answer["cards"]:
        yield from (link["url"] for link in card.get("links", ()))
        yield from (card["source"][name] for name in ("url", "icon") if name in card["source"])


def extensions(value: Any) -> Iterator[dict[str, Any]]:
    """Every extension of CDS Hooks in a message; those of FHIR resources are lists."""
    if isinstance(value, dict):
        if isinstance(value.get("extension"), dict):
            yield value["extension"]
        for member in value.values():
            yield from extensions(member)
    elif isinstance(value, list):
        for each in value:
            yield from extensions(each)


def test_discovery_needs_neither_database_nor_fhir_server(service: Service) -> None:
    settings = Settings(
        mode=Mode.TEST, database_url="sqlite:////nowhere/memory.db", log_level="error"
    )
    loaded = (service.knowledge, service.vocabulary, service.rules, service.library)
    web = create_app(Service(settings, *loaded)).test_client()
    for _ in range(2):
        assert web.get("/cds-services").get_json() == service.discovery()


def test_without_services_the_list_is_empty() -> None:
    document = discovery(lambda _service, _hook: {}, services=())
    assert document == {"services": []}
    assert lint_discovery(document) == []


def test_resources_are_objects_and_answers_keep_no_empty_members(said: dict[str, Any]) -> None:
    actions = [
        a for c in said["cards"] for s in c.get("suggestions", ()) for a in s.get("actions", ())
    ]
    assert actions
    for action in actions:
        assert isinstance(action.get("resource", {}), dict)
        assert action["description"]
    for card in said["cards"]:
        assert all(value not in (None, "", [], {}) for value in card.values())


def test_a_version_3_element_is_never_sent(said: dict[str, Any]) -> None:
    assert "actionSelectionBehavior" not in json.dumps(said)


def test_nothing_happens_without_a_click(said: dict[str, Any]) -> None:
    assert "systemActions" not in said
    assert "autolaunchable" not in json.dumps(said)


def test_links_carry_no_launch_no_patient_and_no_plain_http(said: dict[str, Any]) -> None:
    found = list(links(said))
    assert found
    for url in found:
        parts = urlsplit(url)
        assert parts.scheme == "https"
        assert not {"iss", "launch"} & parse_qs(parts.query).keys()
        assert "canary" not in url.lower()


def test_extensions_are_objects_with_names_of_our_own(
    said: dict[str, Any], web: FlaskClient
) -> None:
    found = [*extensions(said), *extensions(web.get("/cds-services").get_json())]
    assert found
    assert all(name.startswith("cds-service.") for extension in found for name in extension)


def test_the_advice_stands_in_the_words_and_not_in_the_extension(said: dict[str, Any]) -> None:
    for card in said["cards"]:
        assert card["summary"]
        assert card["detail"]


def test_two_drafts_are_told_apart_in_the_words(web: FlaskClient, service: Service) -> None:
    request = asked(service)
    other = deepcopy(OXYCODONE) | {"id": "rx2"}
    other["medicationCodeableConcept"]["coding"][0] = {
        "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
        "code": "892582",
        "display": "morphine sulfate 15 MG Oral Tablet",
    }
    request["context"]["draftOrders"]["entry"].append({"resource": other})
    cards = web.post(URL, json=request).get_json()["cards"]
    dose = next(card for card in cards if card["source"]["topic"]["code"] == "opioid-dose")
    assert "oxycodone" in dose["detail"]
    assert "morphine" in dose["detail"]


def test_an_update_keeps_what_it_does_not_know(web: FlaskClient, service: Service) -> None:
    request = asked(service)
    draft = request["context"]["draftOrders"]["entry"][0]["resource"]
    strange = {
        "extension": [{"url": "https://ehr.example.org/x", "valueDecimal": 1.50}],
        "contained": [{"resourceType": "Basic", "id": "b"}],
        "vendorMember": {"a": [1, None, ""]},
        "note": [{"text": "as the EHR wrote it"}],
    }
    draft |= strange
    cards = web.post(URL, json=request).get_json()["cards"]
    updates = [
        action["resource"]
        for card in cards
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
        if action["type"] == "update"
    ]
    assert updates
    for resource in updates:
        changed = {name for name in draft if resource.get(name) != draft[name]}
        assert changed == {"dosageInstruction"}
        assert resource.keys() == draft.keys()


def test_a_reading_that_came_but_says_too_little_is_no_412(
    web: FlaskClient, service: Service
) -> None:
    request = asked(service)
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    bare = {"resourceType": "Patient", "id": "canary"}
    request["prefetch"] = dict.fromkeys(request["prefetch"], empty) | {"patient": bare}
    assert web.post(URL, json=request).status_code == 200


def test_only_known_statuses_are_used(web: FlaskClient, service: Service) -> None:
    calls = [
        asked(service),
        order_sign(OXYCODONE, prefetch={}),
        {},
        [],
        order_sign(hook="patient-view"),
    ]
    found = {web.post(URL, json=call).status_code for call in calls}
    assert found <= {200, 400, 412}
    assert {200, 412} <= found


def test_a_token_is_in_no_file_once_the_call_is_over(web: FlaskClient, service: Service) -> None:
    with Loopback(FhirStore(PATIENT, DIAZEPAM, token=TOKEN)) as base:
        granted = {
            "access_token": TOKEN,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "user/*.rs",
        }
        answer = web.post(
            URL, json=order_sign(OXYCODONE, fhirServer=base, fhirAuthorization=granted)
        )
    assert answer.status_code == 200
    time.sleep(0.2)  # what is queued is written
    database = Path(make_url(service.settings.database).database or "")
    for file in database.parent.iterdir():
        assert TOKEN.encode() not in file.read_bytes()


def test_who_must_be_wired_together_is_said_in_discovery(web: FlaskClient) -> None:
    for entry in web.get("/cds-services").get_json()["services"]:
        if entry["hook"] != "patient-view":
            assert "order-select" in entry["usageRequirements"]
            assert "order-sign" in entry["usageRequirements"]


def test_the_way_in_from_outside_is_encrypted() -> None:
    example = Path(__file__).parents[2] / "deploy" / "kubernetes" / "example" / "ingress.yaml"
    ingress = yaml.safe_load(example.read_text("utf-8"))["spec"]
    encrypted = {host for each in ingress["tls"] for host in each["hosts"]}
    assert {rule["host"] for rule in ingress["rules"]} <= encrypted


def test_every_entry_can_be_called_under_its_id(web: FlaskClient) -> None:
    for offer in SERVICES:
        assert web.post(f"/cds-services/{offer.id}", json={}).status_code == 400
        assert (
            web.post(f"/cds-services/{offer.id}/feedback", json={"feedback": []}).status_code == 200
        )
