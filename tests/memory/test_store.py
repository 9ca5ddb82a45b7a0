"""Issued cards are written by the queue, feedback before it is acknowledged, each once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event
from time import sleep

import pytest
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import DataError

from cds_service.errors import SettingsError
from cds_service.memory.engine import opened
from cds_service.memory.queue import Forgotten, Queue
from cds_service.memory.schema import is_current, upgrade
from cds_service.memory.store import Audited, Given, Memory
from cds_service.memory.tables import metadata
from tests.changes import replace
from tests.memory.conftest import Query
from tests.memory.samples import CARD, NOW, UUID, feedback

PRAGMAS, FULL = ("synchronous", "busy_timeout"), 2


def test_migrations_make_the_tables_the_code_expects(url: str) -> None:
    engine = create_engine(url)
    found = inspect(engine)
    assert set(found.get_table_names()) == {*metadata.tables, "alembic_version"}
    for name, table in metadata.tables.items():
        made = {each["name"]: each for each in found.get_columns(name)}
        assert list(made) == [column.name for column in table.columns]
        for column in table.columns:
            assert made[column.name]["nullable"] == column.nullable, (name, column.name)
            kind = column.type.compile(engine.dialect)
            assert made[column.name]["type"].compile(engine.dialect) == kind, (name, column.name)
        key = [column.name for column in table.primary_key.columns]
        assert found.get_pk_constraint(name)["constrained_columns"] == key
        assert {each["name"] for each in found.get_indexes(name) if not each["unique"]} == {
            index.name for index in table.indexes
        }
    engine.dispose()


def test_upgrading_again_changes_nothing(url: str, memory: Memory) -> None:
    upgrade(url)
    assert memory.ready()
    assert is_current(url) == url.startswith("sqlite")


def test_a_missing_database_is_not_current(tmp_path: Path) -> None:
    assert not is_current(f"sqlite:///{tmp_path / 'none.db'}")


def test_a_file_without_a_revision_is_not_current(tmp_path: Path) -> None:
    """As it is where an upgrade was interrupted."""
    file = tmp_path / "begun.db"
    upgrade(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DELETE FROM alembic_version")
        connection.commit()
    assert not is_current(f"sqlite:///{file}")


def test_what_is_acknowledged_is_on_the_disk(tmp_path: Path) -> None:
    """Feedback survives a power cut: a file is synchronized at each statement, and waited for."""
    with opened(f"sqlite:///{tmp_path / 'memory.db'}") as engine, engine.connect() as connection:
        asked = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS]
    assert asked == [FULL, 5_000]


def test_a_database_file_keeps_its_readers_beside_its_writer(tmp_path: Path) -> None:
    file = tmp_path / "restored.db"
    upgrade(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.execute("PRAGMA journal_mode=DELETE")  # as a restored dump may have it
    assert not is_current(f"sqlite:///{file}")
    upgrade(f"sqlite:///{file}")
    assert is_current(f"sqlite:///{file}")


def test_cards_wait_for_the_queue_and_are_written_once(rows: Query, memory: Memory) -> None:
    memory.issued(lambda: [CARD, replace(CARD, indicator="info")])
    assert rows("SELECT * FROM issued_card") == []
    memory.flush()
    assert rows("SELECT card, indicator, criteria FROM issued_card") == [
        ("opioid-dose", "warning", "opioid-dose-threshold")
    ]


def test_closing_writes_what_is_queued(url: str, rows: Query) -> None:
    memory = Memory(url)
    memory.start()
    memory.issued(lambda: [CARD])
    memory.audited(lambda: [Audited("anyone", NOW, "{}")])
    memory.close()
    assert len(rows("SELECT * FROM issued_card")) == 1
    assert rows("SELECT client, event FROM audit_event") == [("anyone", "{}")]


def test_feedback_is_idempotent_on_card_outcome_and_time(rows: Query, memory: Memory) -> None:
    given = feedback("card-1", suggestions=("s-1", "s-2"))
    memory.record("anyone", "opioid-safety", [Given(given), Given(given)], NOW)
    memory.record(
        "anyone", "opioid-safety", [Given(given), Given(replace(given, outcome="overridden"))], NOW
    )
    found = rows("SELECT card_uuid, outcome, suggestions FROM feedback ORDER BY id")
    assert found == [("card-1", "accepted", "s-1,s-2"), ("card-1", "overridden", "s-1,s-2")]


def test_comments_are_stored_only_where_the_site_says_so(
    url: str, rows: Query, memory: Memory
) -> None:
    given = feedback("card-1", "overridden", comment="Mrs Canary prefers not to")
    memory.record("anyone", "opioid-safety", [Given(given)], NOW)
    assert rows("SELECT comment FROM feedback") == [("",)]
    frank = Memory(url, store_comments=True)
    frank.record("anyone", "opioid-safety", [Given(replace(given, card="card-2"))], NOW)
    frank.close()
    assert rows("SELECT comment FROM feedback WHERE card_uuid = 'card-2'") == [(given.comment,)]


def test_a_large_batch_is_split_into_statements(rows: Query, memory: Memory) -> None:
    memory.record(
        "anyone", "opioid-safety", [Given(feedback(f"card-{n}")) for n in range(1000)], NOW
    )
    assert rows("SELECT count(*) FROM feedback") == [(1000,)]
    assert memory.ready()


def test_a_failing_database_is_reported_and_the_service_goes_on(tmp_path: Path) -> None:
    heard: list[Exception] = []
    memory = Memory(f"sqlite:///{tmp_path / 'empty.db'}", failed=heard.append)
    assert not memory.ready()
    memory.issued(lambda: [CARD])
    assert memory.snoozes("anyone", CARD.patient, CARD.person) == ()
    assert memory.snoozes("anyone", CARD.patient, CARD.person) == ()  # not asked again for a while
    memory.close()
    assert [type(error).__name__ for error in heard] == ["OperationalError", "OperationalError"]
    assert UUID not in "".join(
        map(str, heard)
    )  # an error does not quote the values of its statement


def test_rows_that_could_not_be_written_are_tried_again() -> None:
    refused, written, depths = [True], list[str](), list[int]()

    def sink(rows: list[str]) -> None:
        if refused.pop():
            raise OSError
        written.extend(rows)

    heard: list[Exception] = []
    queue = Queue({"cards": sink}, heard.append, depths.append)
    queue.put("cards", lambda: ["one"])
    assert not queue.flush()
    refused.append(False)
    queue.put("cards", lambda: ["two"])
    assert queue.flush()
    assert (written, depths, len(heard)) == (["one", "two"], [1, 0], 1)


def test_a_database_that_refuses_is_left_alone_for_a_second() -> None:
    """Else the log would have twenty lines a second of it."""
    heard = Event()
    tried: list[int] = []

    def sink(rows: list[str]) -> None:
        tried.append(len(rows))
        heard.set()
        raise OSError

    queue = Queue({"cards": sink}, lambda _error: None, lambda _rows: None)
    queue.start()
    queue.put("cards", lambda: ["one"])
    assert heard.wait(5)
    sleep(0.3)
    assert tried == [1]
    queue.close()


def test_a_queue_that_is_full_forgets_the_oldest_and_says_so() -> None:
    written: list[int] = []
    heard: list[Exception] = []
    queue = Queue({"cards": written.extend}, heard.append, lambda _rows: None)
    for number in range(10_003):
        queue.put("cards", partial(iter, (number,)))
    queue.close()
    assert (written[0], len(written)) == (3, 10_000)
    assert [type(error) for error in heard] == [Forgotten]


@pytest.mark.parametrize("url", ["nonsense", "mysql://db/cds", "postgresql+nodriver://db/cds"])
def test_an_address_that_is_no_database_of_ours_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError, match="CDS_DATABASE_URL"):
        Memory(url)


def test_rows_that_cannot_be_made_are_reported_and_cost_no_others() -> None:
    written: list[str] = []
    heard: list[Exception] = []
    queue = Queue({"cards": written.extend}, heard.append, lambda _rows: None)

    def broken() -> list[str]:
        raise LookupError

    queue.put("cards", broken)
    queue.put("cards", lambda: ["one"])
    assert queue.flush()
    assert written == ["one"] and [type(error) for error in heard] == [LookupError]


def test_rows_that_the_database_will_never_take_do_not_hold_up_the_others() -> None:
    written = list[str]()

    def sink(rows: list[str]) -> None:
        if "bad" in rows:
            raise DataError("INSERT", None, ValueError("too long"))
        written.extend(rows)

    heard: list[Exception] = []
    queue = Queue({"cards": sink}, heard.append, lambda _rows: None)
    queue.put("cards", lambda: ["bad"])
    assert queue.flush()
    queue.put("cards", lambda: ["good"])
    assert queue.flush()
    assert (written, len(heard)) == (["good"], 1)
