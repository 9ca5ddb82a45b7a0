"""The demo EHR beside registered clients: it names itself as they do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from cds_service.clients import Client, Registry
from cds_service.key_sets import read_keys
from cds_service.memory.replay import SeenTokens
from cds_service.memory.schema import upgrade
from cds_service.memory.store import Memory
from cds_service.service import Service
from cds_service.settings import Mode, load_settings
from cds_service.web.app import create_app
from cds_service.web.demo.identity import credentials
from tests.web.signed import ISSUER, SERVICE_PATH, bearer, claims, pair, public, token

KEY = pair("ES384", "k")


@pytest.fixture
def memory(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'memory.db'}"
    upgrade(url)
    return url


@pytest.fixture
def guarded(service: Service, memory: str) -> Iterator[Service]:
    settings = load_settings(mode=Mode.DEMO, database_url=memory)
    keys = read_keys(json.dumps({"keys": public(KEY)}).encode())
    client = Client("st-elsewhere", issuer=ISSUER, keys=keys)
    registry = Registry(settings, (client,), seen=SeenTokens(memory, settings.now))
    parts = (service.knowledge, service.vocabulary, service.rules, service.library)
    made = Service(settings, *parts, memory=Memory(memory), registry=registry)
    yield made
    made.close()


@pytest.fixture
def demo(guarded: Service) -> Flask:
    return create_app(guarded)


def test_the_page_shows_the_cards_that_its_own_calls_were_answered(
    demo: Flask, guarded: Service, memory: str
) -> None:
    page = demo.test_client()
    first = re.search(r'href="(/patients/[^"]+)"', page.get("/").text)
    assert first is not None
    shown = page.get(first[1])
    assert shown.status_code == 200
    assert "Not authorized" not in shown.text
    assert page.get("/metrics").text.count('status="401"') == 0
    guarded.close()
    engine = create_engine(memory)
    with engine.connect() as connection:
        issuers = {row[0] for row in connection.execute(text("SELECT client FROM issued_card"))}
    engine.dispose()
    assert issuers == {"demo EHR"}


def test_the_gate_is_as_closed_as_before(demo: Flask, guarded: Service) -> None:
    web = demo.test_client()
    assert web.post(SERVICE_PATH, json={}).status_code == 401
    aud = guarded.settings.base_url + SERVICE_PATH
    assert (
        web.post(SERVICE_PATH, json={}, headers=bearer(token(KEY, claims(aud=aud)))).status_code
        == 400
    )
    forged = token(
        pair("ES384", "x"), claims(aud=aud, iss=guarded.registry.clients["demo EHR"].issuer)
    )
    assert web.post(SERVICE_PATH, json={}, headers=bearer(forged)).status_code == 401


def test_what_the_page_signs_is_good_once_and_for_one_address(demo: Flask) -> None:
    web = demo.test_client()
    with demo.app_context():
        named = credentials(SERVICE_PATH)
    assert web.post("/cds-services/spine-orders", json={}, headers=named).status_code == 401
    assert web.post(SERVICE_PATH, json={}, headers=named).status_code == 400
    assert web.post(SERVICE_PATH, json={}, headers=named).status_code == 401


def test_every_start_has_a_key_of_its_own(guarded: Service) -> None:
    first = create_app(guarded)
    with first.app_context():
        named = credentials(SERVICE_PATH)
    second = create_app(guarded).test_client()
    assert second.post(SERVICE_PATH, json={}, headers=named).status_code == 401


def test_where_anyone_may_call_the_page_is_anyone(service: Service) -> None:
    settings = load_settings(mode=Mode.DEMO)
    parts = (service.knowledge, service.vocabulary, service.rules, service.library)
    app = create_app(Service(settings, *parts))
    with app.app_context():
        assert credentials(SERVICE_PATH) == {}
