"""Nothing of a patient, a user or a token reaches logs, metrics, error bodies, tables or the audit
trail.

Every name, id, comment and token of these calls holds the word "canary"; then the word is looked
for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from cds_service.clinical.criteria import Criterion
from cds_service.clinical.rule import always
from cds_service.memory.schema import upgrade
from cds_service.memory.store import Memory
from cds_service.memory.tables import metadata
from cds_service.service import Service
from cds_service.settings import DEMO_DATE, Mode, Settings
from cds_service.shipped import shipped
from cds_service.web.app import create_app
from cds_service.web.library_log import OurLines
from cds_service.web.log import failure
from tests.promises.loaded import parts
from tests.server.fhir_server import TOKEN, FhirServer, fhir_server

pytestmark = pytest.mark.slow

CHARTS = sorted((shipped("fhir_fixtures") / "patients").glob("*.json"))
HOOKS = (
    ("low-back-pain", "patient-view"),
    ("opioid-safety", "patient-view"),
    ("opioid-safety", "order-sign"),
)
BEARER = {"Authorization": "Bearer canary.canary.canary"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    upgrade(f"sqlite:///{tmp_path / 'memory.db'}")
    return tmp_path


def opened(folder: Path, *, broken: bool = False, **chosen: Any) -> tuple[Service, FlaskClient]:
    """The service at its most talkative, behind Flask's client."""
    url = f"sqlite:///{folder / 'memory.db'}"
    chosen = {"mode": Mode.TEST, "as_of": DEMO_DATE} | chosen
    settings = Settings(
        database_url=url, log_level="debug", audit="database", abort_ms=1000, **chosen
    )
    knowledge, vocabulary, rules, library = parts()
    if broken:
        rules = {
            name: replace(rule, function=raising, applies=always) for name, rule in rules.items()
        }
    memory = Memory(url, failed=lambda error: failure("memory", error))
    service = Service(settings, knowledge, vocabulary, rules, library, memory, failure)
    service.start()
    app = create_app(service)
    app.test_client_class = Whole
    return service, app.test_client()


class Whole(FlaskClient):
    """Takes every answer to its end, as a server does, so that what comes after it is seen."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return super().open(*args, **kwargs, buffered=True)


def raising(facts: Any, known: Any) -> Iterator[Criterion]:
    raise ValueError(f"canary {facts.patient}")
    yield


def marked(chart: Path) -> list[dict[str, Any]]:
    """The resources of a chart whose patient's id is a canary too."""
    resources = [entry["resource"] for entry in json.loads(chart.read_bytes())["entry"]]
    patient = next(each["id"] for each in resources if each["resourceType"] == "Patient")
    written = json.dumps(resources).replace(f'"Patient/{patient}"', '"Patient/canary-id"')
    whole: list[dict[str, Any]] = json.loads(written)
    next(each for each in whole if each["resourceType"] == "Patient")["id"] = "canary-id"
    return whole


def call(hook: str, resources: list[dict[str, Any]], **members: Any) -> dict[str, Any]:
    """A hook request; the order hooks sign an opioid."""
    context: dict[str, Any] = {
        "userId": "Practitioner/canary-doctor",
        "patientId": "canary-id",
        "encounterId": "canary-encounter",
    }
    if hook != "patient-view":
        coding = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1049621"}
        order = {
            "resourceType": "MedicationRequest",
            "id": "canary-order",
            "status": "draft",
            "intent": "order",
            "subject": {"reference": "Patient/canary-id"},
            "medicationCodeableConcept": {"coding": [coding], "text": "oxycodone for Mr Canary"},
            "dosageInstruction": [{"text": "10 mg six times a day, says Mr Canary"}],
        }
        context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": order}]}
    kinds: dict[str, list[dict[str, Any]]] = {}
    for resource in resources:
        kinds.setdefault(resource["resourceType"], []).append(resource)
    prefetch: dict[str, Any] = {
        f"{kind[0].lower()}{kind[1:]}s": {
            "resourceType": "Bundle",
            "entry": [{"resource": r} for r in found],
        }
        for kind, found in kinds.items()
        if kind != "Patient"
    }
    prefetch["patient"] = kinds.get("Patient", [None])[0]
    request = {"hook": hook, "hookInstance": str(uuid4()), "context": context, "prefetch": prefetch}
    return {name: value for name, value in (request | members).items() if value is not ...}


def authorized(server: str, token: str) -> dict[str, Any]:
    granted = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "canary",
        "subject": "canary",
        "patient": "canary-id",
    }
    return {"fhirServer": server, "fhirAuthorization": granted, "prefetch": ...}


def overrides(web: FlaskClient, service: str, cards: list[dict[str, Any]]) -> None:
    """Every card is overridden in Mr Canary's name."""
    items = [
        {
            "card": card["uuid"],
            "outcome": "overridden",
            "outcomeTimestamp": "2026-03-01T10:00:00Z",
            "overrideReason": {
                "reason": card["overrideReasons"][0] if card.get("overrideReasons") else {},
                "userComment": "Mr Canary will have none of it",
            },
        }
        for card in cards
    ]
    answer = web.post(
        f"/cds-services/{service}/feedback", json={"feedback": [*items, {"card": ["Canary"]}]}
    )
    assert answer.status_code == 200


def everyday(web: FlaskClient) -> None:
    """Each chart by each service, twice: the second time after everything was overridden."""
    for chart in CHARTS:
        resources = marked(chart)
        for service, hook in HOOKS:
            for _ in range(2):
                answer = web.post(
                    f"/cds-services/{service}", json=call(hook, resources), headers=BEARER
                )
                assert answer.status_code == 200, answer.get_json()
                overrides(web, service, answer.get_json()["cards"])


def fetched(web: FlaskClient, server: FhirServer) -> None:
    """From a FHIR server: one that answers, refuses the token, is not there, or is not to
    be called.
    """
    server.hold(marked(CHARTS[0]))
    nowhere, abroad = "http://127.0.0.1:9/canary", "https://canary.example.org/fhir"
    for base, token in (
        (server.base, TOKEN),
        (server.base, "canary"),
        (nowhere, "canary"),
        (abroad, "canary"),
    ):
        for service, hook in HOOKS:
            sent = call(hook, [], **authorized(base, token))
            web.post(f"/cds-services/{service}", json=sent)


def provoked(web: FlaskClient) -> Iterator[bytes]:
    """The bodies of errors."""
    whole = call("order-sign", [])
    wrong = [
        *(
            whole | {"hook": "canary"},
            whole | {"hookInstance": "canary"},
            whole | {"context": {"canary": 1}},
        ),
        *(
            whole | {"prefetch": "canary"},
            whole | {"prefetch": {"patient": "canary"}},
            ["canary"],
            "canary",
        ),
        *(
            whole | {"fhirServer": "canary"},
            whole | {"context": whole["context"] | {"draftOrders": "canary"}},
        ),
        whole
        | {"fhirServer": "http://127.0.0.1:9", "fhirAuthorization": {"patient": "canary-other"}},
    ]
    for sent in wrong:
        yield web.post("/cds-services/opioid-safety?patient=canary", json=sent).data
    for data in (b'{"canary', b"\xff canary", b'{"a":' * 5000, b"canary" * 2_000_000):
        yield web.post(
            "/cds-services/opioid-safety", data=data, content_type="application/json"
        ).data
        yield web.post(
            "/cds-services/opioid-safety/feedback", data=data, content_type="application/json"
        ).data
    yield web.post("/cds-services/canary", json=whole).data
    yield web.get("/canary?patient=canary", headers=BEARER).data
    yield web.put("/cds-services/opioid-safety/canary", json=whole).data
    yield web.post("/cds-services/opioid-safety", json=whole, content_type="text/canary").data


def stored(folder: Path) -> str:
    """Everything the database holds."""
    engine = create_engine(f"sqlite:///{folder / 'memory.db'}")
    with engine.connect() as connection:
        found = {
            name: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}"))]
            for name in metadata.tables
        }
    engine.dispose()
    assert all(found[name] for name in ("issued_card", "feedback", "snooze", "audit_event"))
    raw = b"".join(path.read_bytes() for path in folder.glob("memory.db*"))
    return repr(found) + raw.decode("latin-1")


@pytest.fixture
def libraries() -> Iterator[None]:
    """Libraries log all they can, through our lines."""
    root, ours = logging.getLogger(), OurLines()
    before = root.level
    root.addHandler(ours)
    root.setLevel(logging.DEBUG)
    yield
    root.removeHandler(ours)
    root.setLevel(before)


@pytest.mark.slow
def test_no_canary_is_heard(
    folder: Path, libraries: None, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: dict[str, str] = {}
    service, web = opened(folder)
    everyday(web)
    with fhir_server() as server:
        fetched(web, server)
    heard["error bodies"] = b"".join(provoked(web)).decode()
    heard["metrics"] = web.get("/metrics").text
    service.close()
    ailing, web = opened(folder, broken=True)
    answer = web.post("/cds-services/opioid-safety", json=call("order-sign", marked(CHARTS[0])))
    assert answer.status_code == 500
    heard["error bodies"] += answer.text
    ailing.close()
    strict, web = opened(folder, mode=Mode.PRODUCTION, as_of=None)
    refused = web.post("/cds-services/opioid-safety", json=call("order-sign", []), headers=BEARER)
    assert refused.status_code == 401
    heard["error bodies"] += refused.text
    heard["metrics"] += web.get("/metrics").text
    strict.close()
    heard["tables"] = stored(folder)
    said = capsys.readouterr()
    heard["logs"] = said.out + said.err
    assert '"event":"call"' in heard["logs"]
    assert '"event":"library"' in heard["logs"]
    assert '"event":"failure"' in heard["logs"]
    for where, words in heard.items():
        assert TOKEN not in words, where
        at = words.lower().find("canary")
        assert at < 0, f"{where}: {words[max(0, at - 100) : at + 60]}"


def test_a_database_that_fails_quotes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service, web = opened(folder)
    engine = create_engine(f"sqlite:///{folder / 'memory.db'}")
    with engine.begin() as connection:
        for name in metadata.tables:
            connection.execute(text(f"DROP TABLE {name}"))
    engine.dispose()
    answered = web.post("/cds-services/opioid-safety", json=call("order-sign", marked(CHARTS[0])))
    assert answered.status_code == 200
    item = {"card": "canary", "outcome": "accepted", "outcomeTimestamp": "2026-03-01T10:00:00Z"}
    refused = web.post("/cds-services/opioid-safety/feedback", json={"feedback": [item]})
    assert refused.status_code == 503
    service.close()
    said = capsys.readouterr()
    assert '"failed":"memory"' in said.out
    assert "canary" not in (refused.text + said.out + said.err).lower()
