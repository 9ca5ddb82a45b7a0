"""What operators see: counters, versions, and the lines of libraries without their values."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.clinical.criteria import RuleTrace
from cds_service.reads import Read
from cds_service.service import Service
from cds_service.trace import CardTrace, Trace
from cds_service.web.library_log import OurLines, ServerLog, adopt
from cds_service.web.metrics import Metrics
from tests.protocol.hook_requests import OXYCODONE, body, order_sign


def counted(metrics: Metrics) -> str:
    return metrics.text().decode()


def test_what_happened_on_the_way_to_an_answer_is_counted(service: Service) -> None:
    metrics = Metrics()
    trace = Trace(
        service="opioid-safety",
        hook="order-sign",
        as_of=service.settings.clock(),
        knowledge="k",
        factors="f",
        rules=(
            RuleTrace("opioid-dose", True, failed="internal error"),
            RuleTrace("pdmp-review", True, failed="not available: medications"),
        ),
        snoozed=(CardTrace("naloxone-offer", "u", "info", ()),),
        reads=(Read("Condition", "Condition?patient=", "timeout"), Read("Condition", "", "ok", 1)),
    )
    metrics.answered(trace)
    metrics.feedback("opioid-safety", ["accepted", "overridden", "accepted"], 2)
    metrics.queue(7)
    text = counted(metrics)
    for line in (
        'cds_rule_failures_total{rule="opioid-dose"} 1.0',
        'cds_snoozed_total{card="naloxone-offer"} 1.0',
        'cds_fetches_total{outcome="timeout",resource="Condition"} 1.0',
        'cds_fetches_total{outcome="ok",resource="Condition"} 1.0',
        'cds_feedback_total{outcome="accepted",service="opioid-safety"} 2.0',
        'cds_feedback_total{outcome="malformed",service="opioid-safety"} 2.0',
        "cds_queue_rows 7.0",
    ):
        assert line in text
    assert "pdmp-review" not in text


def test_the_versions_that_answer_are_among_the_metrics(web: FlaskClient, service: Service) -> None:
    assert f'knowledge="{service.knowledge.version}"' in web.get("/metrics").text


def test_every_line_of_a_call_names_the_knowledge(
    web: FlaskClient, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    web.post(
        "/cds-services/opioid-safety",
        data=body(order_sign(OXYCODONE)),
        content_type="application/json",
        buffered=True,
    )
    web.post("/cds-services/opioid-safety/feedback", json={"feedback": [{"card": 1}]})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["call", "feedback"]
    assert {line["knowledge"] for line in lines} == {service.knowledge.version}
    assert lines[1]["malformed"] == 1


class Nowhere:
    """Output that was closed, or whose disk is full."""

    def __init__(self, error: Exception) -> None:
        self._error, self.buffer = error, self

    def write(self, _line: Any = None) -> int:
        raise self._error

    flush = write


@pytest.mark.parametrize("error", [OSError(28, "full"), ValueError("closed")])
def test_a_log_that_nobody_takes_costs_no_answer(
    web: FlaskClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(sys, "stdout", Nowhere(error))
    sent = {"feedback": [{"card": "c1", "outcome": "accepted"}]}
    assert web.post("/cds-services/opioid-safety/feedback", json=sent).status_code == 200
    assert web.post("/cds-services/opioid-safety", json=[]).status_code == 400


def emitted(
    capsys: pytest.CaptureFixture[str], message: str, *values: Any, **kind: Any
) -> dict[str, Any]:
    logger = logging.getLogger("a.library")
    logger.propagate, logger.handlers = False, [OurLines()]
    logger.error(message, *values, **kind)
    line: dict[str, Any] = json.loads(capsys.readouterr().out)
    return line


@pytest.mark.parametrize(
    ("message", "values", "why"),
    [
        (
            "Failed to parse headers (url=%s): %s",
            ("http://x/Patient/canary", "canary"),
            "Failed to parse headers (url=...): ...",
        ),
        (
            "Worker (pid:%s) was sent %s!%s",
            (71, "SIGKILL", " canary"),
            "Worker (pid:71) was sent SIGKILL!...",
        ),
        ("Invalid request from ip=127.0.0.1: canary", (), "Invalid request from ip=127.0.0.1"),
        ("%d rows", ("canary",), "%d rows"),
        ("100 % canary", (), "100 % canary"),
    ],
)
def test_a_library_line_keeps_its_words_and_loses_its_values(
    web: FlaskClient,
    capsys: pytest.CaptureFixture[str],
    message: str,
    values: tuple[Any, ...],
    why: str,
) -> None:
    line = emitted(capsys, message, *values)
    assert (line["event"], line["failed"], line["level"], line["why"]) == (
        "library",
        "a.library",
        "error",
        why,
    )


def test_an_exception_is_its_kind_and_place(
    web: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        json.loads("{canary")
    except ValueError:
        line = emitted(capsys, "it broke", exc_info=True)
    assert line["error"] == "JSONDecodeError"
    assert "canary" not in json.dumps(line)


def test_the_server_logs_to_our_lines(web: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    from gunicorn.config import Config

    config = Config()
    config.set("loglevel", "warning")
    ServerLog(config).warning("Invalid request from ip=1.2.3.4: %s", "canary")
    line = json.loads(capsys.readouterr().out)
    assert (line["failed"], line["level"]) == ("gunicorn.error", "warning")
    assert "canary" not in json.dumps(line)
    logging.getLogger("gunicorn.error").handlers = []


def test_libraries_are_taken_over_once() -> None:
    root = logging.getLogger()
    before = list(root.handlers)
    adopt()
    adopt()
    added = [handler for handler in root.handlers if handler not in before]
    assert len(added) == 1
    root.removeHandler(added[0])
