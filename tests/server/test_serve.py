"""The real server: ready soon, answers over HTTP, ends on SIGTERM and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.protocol.hook_requests import OXYCODONE, PATIENT, body, order_sign
from tests.server.running import Running, served

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    yield from served(Running(tmp_path))


def test_the_service_lives_answers_and_ends(running: Running, tmp_path: Path) -> None:
    status, document = running.call("GET", "/cds-services")
    assert status == 200
    entry = next(
        e for e in document["services"] if (e["id"], e["hook"]) == ("opioid-safety", "order-sign")
    )
    sent = body(
        order_sign(OXYCODONE, prefetch=dict.fromkeys(entry["prefetch"]) | {"patient": PATIENT})
    )
    answers = [running.call("POST", "/cds-services/opioid-safety", sent) for _ in range(4)]
    assert answers[0][0] == 200
    assert all(answer == answers[0] for answer in answers)
    card = answers[0][1]["cards"][0]["uuid"]
    item = {"card": card, "outcome": "accepted", "outcomeTimestamp": "2024-03-01T10:00:00Z"}
    assert running.call(
        "POST", "/cds-services/opioid-safety/feedback", body({"feedback": [item]})
    ) == (
        200,
        {},
    )
    code, said, complained = running.stop()
    assert code == 0
    assert b"Canaryvale" not in said + complained
    assert b'"event":"call"' in said
    assert list(tmp_path.iterdir()) == []


def test_metrics_of_all_workers_are_told_where_the_database_is_the_service_s_own(
    running: Running,
) -> None:
    sent = body(order_sign(OXYCODONE, prefetch={}))
    for _ in range(4):
        assert running.call("POST", "/cds-services/opioid-safety", sent)[0] == 412
    counted = 'cds_calls_total{hook="order-sign",service="opioid-safety",status="412"} 4.0'
    told = ""
    for _ in range(100):  # a call is counted once its answer is sent
        with urlopen(f"http://127.0.0.1:{running.port}/metrics", timeout=10) as answer:
            told = answer.read().decode()
        if counted in told.splitlines():
            break
        time.sleep(0.02)
    assert counted in told.splitlines()


def test_a_body_that_is_too_large_harms_no_other(running: Running) -> None:
    status, outcome = running.call("POST", "/cds-services/opioid-safety", b" " * 25_000_000)
    assert status == 413
    assert outcome["resourceType"] == "OperationOutcome"
    assert running.call("GET", "/health") == (200, {"status": "ok"})


def test_a_worker_imports_nothing_that_only_others_need() -> None:
    names = ("fhir", "alembic", "rich", "markdown_it", "nh3")
    program = f"""
import sys
from datetime import date
from cds_service.assembly import load_service
from cds_service.settings import Mode, Settings
import cds_service.web.gunicorn_app
settings = Settings(mode=Mode.TEST, as_of=date(2024, 3, 1), database_url="sqlite://")
service = load_service(settings, remember=True)
cds_service.web.gunicorn_app.create_app(service)
service.warm()
print([name for name in {names!r} if name in sys.modules])
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=False
    )
    assert (ran.stdout.decode().splitlines() or ["nothing"])[-1] == "[]", ran.stderr.decode()
