"""Callers that were refused leave events in the audit trail, few however often they try."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from cds_service.cases.validity import faults_of
from cds_service.clients import Client, Registry
from cds_service.key_sets import read_keys
from cds_service.memory.replay import SeenTokens
from cds_service.memory.schema import upgrade
from cds_service.memory.store import Audited, Memory
from cds_service.protocol.audit import Refusal
from cds_service.refusals import MOST_KINDS, Refusals
from cds_service.service import Service
from cds_service.settings import Mode, Settings
from cds_service.web.app import create_app
from tests.memory.samples import NOW
from tests.protocol.hook_requests import OXYCODONE, body, order_sign
from tests.web.signed import BASE, ISSUER, SERVICE_PATH, bearer, claims, pair, public, token

KEY, OTHER = pair("ES384", "k"), pair("ES384", "other")
REFUSED = Refusal(401, "expired", "opioid-safety", issuer=ISSUER, source="192.0.2.7")


@dataclass
class Trail:
    """What was put on record, and a clock."""

    at: datetime = NOW
    events: list[dict[str, Any]] = field(default_factory=list)

    def record(self, make: Callable[[], Iterable[Audited]]) -> None:
        self.events += [json.loads(each.event) for each in make()]

    def now(self) -> datetime:
        return self.at


def calls(event: dict[str, Any]) -> int:
    return int(said(event)["calls"])


def said(event: dict[str, Any]) -> dict[str, str]:
    return {each["type"]: each["valueString"] for each in event["entity"][0]["detail"]}


def test_the_first_of_a_minute_is_told_at_once_and_the_others_as_a_count() -> None:
    trail = Trail()
    refusals = Refusals(trail.record, trail.now)
    for second in range(50):
        trail.at = NOW + timedelta(seconds=second)
        refusals.note(REFUSED)
    assert [calls(event) for event in trail.events] == [1]
    trail.at = NOW + timedelta(seconds=60)
    refusals.note(REFUSED)
    assert [calls(event) for event in trail.events] == [1, 49, 1]
    assert trail.events[1]["period"] == {
        "start": NOW.isoformat(timespec="milliseconds"),
        "end": (NOW + timedelta(seconds=49)).isoformat(timespec="milliseconds"),
    }
    refusals.note(REFUSED)
    refusals.close()
    assert [calls(event) for event in trail.events] == [1, 49, 1, 1]
    refusals.close()
    assert len(trail.events) == 4


def test_however_many_kinds_come_few_events_are_written_and_none_is_lost() -> None:
    trail = Trail()
    refusals = Refusals(trail.record, trail.now)
    for number in range(5000):
        refusals.note(Refusal(401, "expired", "opioid-safety", source=f"2001:db8::{number:x}"))
    assert len(trail.events) == MOST_KINDS + 1
    refusals.close()
    assert len(trail.events) <= 22
    assert sum(map(calls, trail.events)) == 5000


def test_without_a_trail_nothing_is_kept() -> None:
    refusals = Refusals(None, lambda: NOW)
    refusals.note(REFUSED)
    refusals.close()


@pytest.fixture
def memory(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'memory.db'}"
    upgrade(url)
    return url


@pytest.fixture
def guarded(service: Service, memory: str) -> Iterator[Service]:
    settings = Settings(
        mode=Mode.PRODUCTION, public_url=BASE, database_url=memory, hash_key=SecretStr("x" * 20)
    )
    client = Client(
        "st-elsewhere",
        issuer=ISSUER,
        keys=read_keys(json.dumps({"keys": public(KEY)}).encode()),
        services=frozenset({"spine-orders"}),
    )
    registry = Registry(settings, (client,), seen=SeenTokens(memory, settings.now))
    parts = (service.knowledge, service.vocabulary, service.rules, service.library)
    made = Service(settings, *parts, memory=Memory(memory), registry=registry)
    yield made
    made.close()


@pytest.fixture
def ehr(guarded: Service) -> FlaskClient:
    return create_app(guarded).test_client()


def trail_of(guarded: Service, memory: str) -> list[dict[str, Any]]:
    """What is on record once the worker has ended."""
    guarded.close()
    engine = create_engine(memory)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT client, event FROM audit_event ORDER BY id")).all()
    engine.dispose()
    return [json.loads(event) | {"client": client} for client, event in rows]


def test_an_unknown_caller_is_on_record_without_its_token_or_a_patient(
    ehr: FlaskClient, guarded: Service, memory: str
) -> None:
    sent = body(order_sign(OXYCODONE))
    forged = token(OTHER, claims(jti="a-token-id"))
    assert ehr.post(SERVICE_PATH, data=sent, headers=bearer(forged)).status_code == 401
    assert ehr.post(f"{SERVICE_PATH}/feedback", data=sent).status_code == 401
    assert ehr.get("/cds-services", headers=bearer(forged)).status_code == 401
    assert ehr.post("/cds-services/greeting", data=sent).status_code == 404
    trail = trail_of(guarded, memory)
    assert [(said(event)["reason"], event["client"]) for event in trail] == [
        ("no key of that kid and algorithm", ""),
        ("no Authorization header", ""),
    ]
    first = trail[0]
    assert (first["type"]["code"], first["subtype"][0]["code"]) == ("110114", "110122")
    assert first["outcome"] == "4"
    assert first["agent"][0]["who"]["display"] == f"says it is {ISSUER}"
    assert first["agent"][0]["network"]["address"] == "127.0.0.1"
    for event in trail:
        del event["client"]
        assert faults_of(event) == []
    whole = json.dumps(trail).lower()
    for word in ("canary", forged.lower(), forged.split(".")[2].lower(), "a-token-id"):
        assert word not in whole


def test_a_known_caller_where_it_may_not_call_is_on_record_as_itself(
    ehr: FlaskClient, guarded: Service, memory: str
) -> None:
    for _ in range(3):
        signed = bearer(token(KEY, claims()))
        answer = ehr.post(SERVICE_PATH, data=body(order_sign(OXYCODONE)), headers=signed)
        assert answer.status_code == 403
    trail = trail_of(guarded, memory)
    assert [(event["client"], calls(event)) for event in trail] == [
        ("st-elsewhere", 1),
        ("st-elsewhere", 2),
    ]
    assert (trail[0]["type"]["code"], trail[0]["subtype"][0]["code"]) == ("110113", "110132")
    assert trail[0]["agent"][0]["who"]["display"] == "st-elsewhere"
    assert "canary" not in json.dumps(trail).lower()
