"""Each read from a FHIR server and each answer leaves an AuditEvent, without a name, an id
or a token.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from cds_service.audit import events, to_file
from cds_service.cases.validity import faults_of
from cds_service.clients import ANYONE
from cds_service.errors import FhirReadError
from cds_service.fhir.client import Pages
from cds_service.memory.schema import upgrade
from cds_service.memory.store import Audited, Memory
from cds_service.protocol.audit import Occasion, answer_event
from cds_service.protocol.messages import read_request
from cds_service.reads import Noted, Read, asked_of
from cds_service.recall import Recall
from cds_service.service import Service, unheard
from cds_service.settings import AuditTo, Mode, Settings
from tests.changes import replace
from tests.memory.samples import NOW
from tests.protocol.hook_requests import INSTANCE, OXYCODONE, PATIENT, body, order_sign
from tests.server.fhir_server import TOKEN, fhir_server

CONDITION = {
    "resourceType": "Condition",
    "id": "c1",
    "subject": {"reference": "Patient/canary"},
    "code": {"text": "Canaryvale back"},
}


def asked(service: Service, folder: Path, server: str) -> list[dict[str, Any]]:
    """The trail of one call that fetches everything."""
    url = f"sqlite:///{folder / 'memory.db'}"
    upgrade(url)
    settings = service.settings.model_copy(update={"audit": "database"})
    memory = Memory(url)
    parts = (service.knowledge, service.vocabulary, service.rules, service.library)
    authorization = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "cds",
    }
    sent = order_sign(OXYCODONE, fhirServer=server, fhirAuthorization=authorization)
    auditing = Service(settings, *parts, memory=memory)
    auditing.respond("opioid-safety", body(sent))
    auditing.close()
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [
            json.loads(row[0]) for row in connection.execute(text("SELECT event FROM audit_event"))
        ]
    engine.dispose()
    return found


def interaction(event: dict[str, Any]) -> str:
    return str(event["subtype"][0]["code"])


def entity(event: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(each for each in event["entity"] if each["type"]["code"] == kind)


def test_every_read_and_the_answer_leave_a_valid_event(service: Service, tmp_path: Path) -> None:
    with fhir_server() as server:
        server.hold([PATIENT, CONDITION])
        trail = asked(service, tmp_path, server.base)
    assert [interaction(event) for event in trail].count("read") == 1
    assert [interaction(event) for event in trail].count("search") > 5
    assert interaction(trail[-1]) == "operation"
    for event in trail:
        assert faults_of(event) == []
        assert event["outcome"] == "0"
        assert entity(event, "1")["what"]["identifier"]["system"] == "urn:cds-service:pseudonym"
        assert entity(event, "XrequestId")["what"]["identifier"]["value"] == INSTANCE
        assert [agent["requestor"] for agent in event["agent"]] == [False, False, True]
    queries = [entity(event, "2") for event in trail if interaction(event) == "search"]
    assert all(query["role"]["code"] == "24" for query in queries)
    assert "Condition?patient={{context.patientId}}" in {
        base64.b64decode(query["query"]).decode() for query in queries
    }
    said = {detail["type"]: detail["valueString"] for detail in entity(trail[-1], "2")["detail"]}
    assert said["hook"] == "order-sign"
    assert said["knowledge"] == service.knowledge.version
    assert "opioid-dose" in said["cards"]
    whole = json.dumps(trail)
    for word in ("canary", TOKEN, "Practitioner/example"):
        assert word not in whole


def test_a_read_that_failed_is_on_record_as_failed(service: Service, tmp_path: Path) -> None:
    trail = asked(service, tmp_path, "http://127.0.0.1:9")
    failed = [event for event in trail if interaction(event) != "operation"]
    assert {(event["outcome"], event["outcomeDesc"]) for event in failed} == {
        ("8", "no-connection")
    }
    assert all(faults_of(event) == [] for event in trail)


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "0"), (399, "0"), (400, "4"), (412, "4"), (499, "4"), (500, "8")]
)
def test_an_answer_is_on_record_by_its_status(status: int, outcome: str) -> None:
    occasion = Occasion("north", "opioid-safety", "order-sign", INSTANCE, "p", "u", NOW)
    assert answer_event(occasion, status)["outcome"] == outcome


def test_without_the_setting_nothing_is_on_record(service: Service, database: Path) -> None:
    service.respond("opioid-safety", body(order_sign(OXYCODONE)))
    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_event")).scalar() == 0
    engine.dispose()


def test_the_trail_goes_to_a_file_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for name in ("one", "two"):
        to_file(path, [Audited("anyone", NOW, json.dumps({"id": name, "n": n})) for n in range(2)])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["id"], line["n"]) for line in lines] == [
        ("one", 0),
        ("one", 1),
        ("two", 0),
        ("two", 1),
    ]
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("mode", "audit", "expected"),
    [
        (Mode.PRODUCTION, "", AuditTo.DATABASE),
        (Mode.DEMO, "", AuditTo.NOWHERE),
        (Mode.TEST, "database", AuditTo.DATABASE),
        (Mode.PRODUCTION, "OFF", AuditTo.NOWHERE),
        (Mode.PRODUCTION, "/var/log/cds/audit.jsonl", Path("/var/log/cds/audit.jsonl")),
    ],
)
def test_where_the_trail_goes(mode: Mode, audit: str, expected: AuditTo | Path) -> None:
    assert Settings(mode=mode, audit=audit).audit_to == expected


class Answers:
    """A FHIR server that answers as told."""

    def __init__(self, **answers: Pages | FhirReadError) -> None:
        self.answers = answers

    def gather(self, queries: Any) -> dict[str, Pages | FhirReadError]:
        return {name: self.answers[name] for name in queries if name in self.answers}


@pytest.mark.parametrize(
    ("why", "outcome"),
    [
        ("timeout", "timeout"),
        ("not FHIR JSON", "unreadable"),
        ("not UTF-8", "unreadable"),
        ("the answer is too large", "too-large"),
        ("status 404", "status-4xx"),
        ("the address is not allowed", "refused"),
        ("busy", "not-asked"),
        ("it did not answer in time lately", "not-asked"),
    ],
)
def test_only_an_address_is_refused(why: str, outcome: str) -> None:
    noted = Noted(Answers(a=FhirReadError(why)), "p1")
    noted.gather({"a": "Condition?patient=p1"})
    assert [read.outcome for read in noted.reads] == [outcome]


def test_what_was_not_asked_is_no_read(service: Service, tmp_path: Path) -> None:
    """While a server is left alone nothing of the patient leaves, so nothing is said to have left."""
    sent = body(order_sign(OXYCODONE))
    reads = tuple(Read("Condition", "", outcome) for outcome in ("ok", "not-asked", "refused"))
    trace = replace(service.respond("opioid-safety", sent).trace, reads=reads)
    recall = Recall(None, read_request(sent), "opioid-safety", ANYONE, unheard)
    trail = [json.loads(row.event) for row in events(recall, trace, 200, NOW)]
    assert [event.get("outcomeDesc") for event in trail] == [None, "refused", None]


def test_what_was_asked_is_noted_by_kind_and_outcome() -> None:
    noted = Noted(
        Answers(
            a=Pages((b"{}", b"{}")),
            b=Pages((b"{}",), "too many pages"),
            c=FhirReadError("status 503"),
            d=FhirReadError("a link to another server"),
        ),
        "p1",
    )
    urls = {
        "a": "Observation?patient=p1&category=laboratory&encounter=e9",
        "b": "https://ehr.example.org/fhir/Condition?page=canary",
        "c": "Patient/p1",
        "d": "Medication/m7",
        "e": "Canary/x",
    }
    noted.gather(urls)
    assert noted.reads == [
        Read(
            "Observation",
            "Observation?patient={{context.patientId}}&category=laboratory&encounter={{id}}",
            "ok",
            2,
        ),
        Read("Condition", "", "cut", 1),
        Read("Patient", "Patient/{{context.patientId}}", "status-5xx"),
        Read("Medication", "Medication/{{id}}", "refused"),
        Read("other", "", "no-connection"),
    ]
    assert asked_of("https://ehr.example.org/fhir", "p1") == ("other", "")
