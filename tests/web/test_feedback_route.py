"""Feedback is on the disk when it is acknowledged."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

URL = "/cds-services/opioid-safety/feedback"


def stored(database: Path, card: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT service, outcome, reason_code, suggestions, comment FROM feedback WHERE card_uuid = ?"
        return connection.execute(query, (card,)).fetchall()


def test_feedback_is_stored_once_and_answered_with_an_empty_object(
    web: FlaskClient, database: Path
) -> None:
    card = str(uuid4())
    item = {
        "card": card,
        "outcome": "overridden",
        "outcomeTimestamp": "2024-03-01T10:05:31Z",
        "overrideReason": {
            "reason": {"system": "urn:s", "code": "r1"},
            "userComment": "Mrs Canaryvale",
        },
    }
    for _ in range(2):
        answer = web.post(URL, json={"feedback": [item, {"card": 5}]})
        assert (answer.status_code, answer.data) == (200, b"{}")
    assert stored(database, card) == [("opioid-safety", "overridden", "r1", "", "")]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"feedback": 5}'])
def test_a_bad_body_is_400(web: FlaskClient, data: bytes) -> None:
    answer = web.post(URL, data=data, content_type="application/json")
    assert answer.status_code == 400
    assert answer.get_json()["resourceType"] == "OperationOutcome"


def test_a_database_that_cannot_write_is_503(
    web: FlaskClient, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cds_service.memory.store import Memory

    nowhere = Memory("sqlite:///file:none?mode=ro&uri=true")
    monkeypatch.setattr(service, "_memory", nowhere)
    item = {"card": "c", "outcome": "accepted", "outcomeTimestamp": "2024-03-01T10:05:31Z"}
    answer = web.post(URL, json={"feedback": [item]})
    assert answer.status_code == 503
    assert web.get("/ready").status_code == 503
    nowhere.close()
