"""Issued cards are written by the queue, feedback before it is acknowledged, each once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from cds_service.memory.schema import is_current, upgrade
from cds_service.memory.store import IssuedCard, Memory
from cds_service.memory.tables import metadata
from cds_service.protocol.feedback import Feedback

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
CARD = IssuedCard(
    uuid="0b1e9b1a-0000-5000-8000-000000000001",
    client="anyone",
    service="opioid-safety",
    hook="order-sign",
    card="opioid-dose",
    indicator="warning",
    criteria=("opioid-dose-threshold",),
    shown=True,
    as_of=date(2024, 3, 1),
    knowledge="abc",
    created=NOW,
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "memory.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def memory(database: Path) -> Iterator[Memory]:
    opened = Memory(f"sqlite:///{database}")
    yield opened
    opened.close()


def rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_migrations_make_the_tables_the_code_expects(database: Path) -> None:
    assert is_current(f"sqlite:///{database}")
    with closing(sqlite3.connect(":memory:")) as expected:
        engine = create_engine("sqlite://", creator=lambda: expected)
        metadata.create_all(engine)
        for table in metadata.tables:
            columns = f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{table}')"
            assert rows(database, columns) == expected.execute(columns).fetchall()
        engine.dispose()


def test_a_missing_database_is_not_current(tmp_path: Path) -> None:
    assert not is_current(f"sqlite:///{tmp_path / 'none.db'}")


def test_cards_wait_for_the_queue_and_are_written_once(database: Path, memory: Memory) -> None:
    memory.issued([CARD, replace(CARD, indicator="info")])
    assert rows(database, "SELECT * FROM issued_card") == []
    memory.flush()
    assert rows(database, "SELECT card, indicator, criteria FROM issued_card") == [
        ("opioid-dose", "warning", "opioid-dose-threshold")
    ]


def test_closing_writes_what_is_queued(database: Path) -> None:
    memory = Memory(f"sqlite:///{database}")
    memory.start()
    memory.issued([CARD])
    memory.close()
    assert len(rows(database, "SELECT * FROM issued_card")) == 1


def test_feedback_is_idempotent_on_card_outcome_and_time(database: Path, memory: Memory) -> None:
    given = Feedback("card-1", "accepted", NOW, ("s-1", "s-2"))
    memory.record("anyone", "opioid-safety", [given, given], NOW)
    memory.record("anyone", "opioid-safety", [given, replace(given, outcome="overridden")], NOW)
    found = rows(database, "SELECT card_uuid, outcome, suggestions FROM feedback ORDER BY id")
    assert found == [("card-1", "accepted", "s-1,s-2"), ("card-1", "overridden", "s-1,s-2")]


def test_comments_are_stored_only_where_the_site_says_so(database: Path, memory: Memory) -> None:
    given = Feedback("card-1", "overridden", NOW, comment="Mrs Canary prefers not to")
    memory.record("anyone", "opioid-safety", [given], NOW)
    assert rows(database, "SELECT comment FROM feedback") == [("",)]
    frank = Memory(f"sqlite:///{database}", store_comments=True)
    frank.record("anyone", "opioid-safety", [replace(given, card="card-2")], NOW)
    frank.close()
    assert rows(database, "SELECT comment FROM feedback WHERE card_uuid = 'card-2'") == [(given.comment,)]


def test_a_failing_database_is_reported_and_the_service_goes_on(tmp_path: Path) -> None:
    heard: list[str] = []
    memory = Memory(f"sqlite:///{tmp_path / 'empty.db'}", failed=heard.append)
    assert not memory.ready()
    memory.issued([CARD])
    memory.close()
    assert heard == ["OperationalError"]


def test_a_large_batch_is_split_into_statements(database: Path, memory: Memory) -> None:
    memory.record("anyone", "opioid-safety", [Feedback(f"card-{n}", "accepted", NOW) for n in range(1000)], NOW)
    assert rows(database, "SELECT count(*) FROM feedback") == [(1000,)]
    assert memory.ready()
