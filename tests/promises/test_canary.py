"""Nothing of a patient, a user or a token reaches logs, metrics, error bodies, tables or the audit
trail.

Every name, id, comment and token of these calls holds the word "canary"; then the word is looked
for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
from cds_service.web.app import create_app
from cds_service.web.library_log import OurLines
from cds_service.web.log import failure
from tests.changes import replace
from tests.promises.canary_calls import BEARER, CHARTS, call, everyday, fetched, marked, provoked
from tests.promises.loaded import parts
from tests.server.fhir_server import TOKEN, fhir_server

pytestmark = pytest.mark.slow


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
