"""The memory of one worker: cards go through a queue, feedback is on disk before it is acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, Table, create_engine, event, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from cds_service.memory import tables
from cds_service.protocol.feedback import Feedback

EVERY_SECONDS = 0.05
_ROWS_A_STATEMENT = 500  # SQLite takes 32,766 values in one statement
_LONGEST_QUEUE = 10_000  # beyond it the oldest cards are forgotten rather than memory filled


@dataclass(frozen=True, slots=True)
class IssuedCard:
    """A card as it was answered; `criteria` are the names of those met."""

    uuid: str
    client: str
    service: str
    hook: str
    card: str
    indicator: str
    criteria: tuple[str, ...]
    shown: bool
    as_of: date
    knowledge: str
    created: datetime


class Memory:
    """Issued cards and feedback in one database. Start it after the worker has forked."""

    def __init__(self, url: str, *, store_comments: bool = False, failed: Callable[[str], None] = lambda what: None):
        self._engine = _engine(url)
        self._insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        self._store_comments = store_comments
        self._failed = failed
        self._waiting: list[IssuedCard] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._writer: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write what is queued, every 50 ms."""
        self._writer = threading.Thread(target=self._write_on, name="memory-writer", daemon=True)
        self._writer.start()

    def issued(self, cards: Iterable[IssuedCard]) -> None:
        """Queue issued cards; written within 50 ms, at the latest when closed."""
        with self._lock:
            self._waiting.extend(cards)
            del self._waiting[:-_LONGEST_QUEUE]
            waiting = bool(self._waiting)
        if waiting:
            self._wake.set()

    def record(self, client: str, service: str, items: Iterable[Feedback], received: datetime) -> None:
        """Store feedback durably; the same card, outcome and time once. Raises SQLAlchemyError."""
        rows = [
            {
                "client": client,
                "service": service,
                "card_uuid": item.card,
                "outcome": item.outcome,
                "outcome_at": _naive(item.at),
                "suggestions": ",".join(item.suggestions),
                "reason_system": item.reason_system,
                "reason_code": item.reason_code,
                "reason_display": item.reason_display,
                "comment": item.comment if self._store_comments else "",
                "received": _naive(received),
            }
            for item in items
        ]
        self._write(tables.feedback, rows)

    def flush(self) -> None:
        """Write what is queued now; a database that refuses is reported, not raised."""
        with self._lock:
            cards, self._waiting = self._waiting, []
        try:
            self._write(tables.issued_card, [_row(card) for card in cards])
        except SQLAlchemyError as error:
            self._failed(type(error).__name__)

    def close(self) -> None:
        """Write the rest and let go of the database."""
        self._closing = True
        self._wake.set()
        if self._writer is not None:
            self._writer.join(timeout=5)
        self.flush()
        self._engine.dispose()

    def ready(self) -> bool:
        """Whether the database answers and its schema is the newest."""
        try:
            with self._engine.connect() as connection:
                return connection.execute(select(tables.version.c.version_num)).scalar() == tables.HEAD
        except SQLAlchemyError:
            return False

    def _write_on(self) -> None:
        pause = threading.Event()
        while not self._closing:
            self._wake.wait()
            self._wake.clear()
            pause.wait(EVERY_SECONDS)
            self.flush()

    def _write(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Insert rows that are not there yet, each statement its own transaction: the lock is held briefly."""
        for start in range(0, len(rows), _ROWS_A_STATEMENT):
            statement = self._insert(table).values(rows[start : start + _ROWS_A_STATEMENT]).on_conflict_do_nothing()
            with self._engine.connect() as connection:
                connection.execute(statement)


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    engine = create_engine(parsed, isolation_level="AUTOCOMMIT", pool_pre_ping=parsed.get_backend_name() != "sqlite")
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _sqlite_pragmas)
    return engine


def _sqlite_pragmas(connection: Any, record: Any) -> None:
    """Readers beside one writer, and a row is on the disk when the statement returns."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _row(card: IssuedCard) -> dict[str, Any]:
    return {
        "card_uuid": card.uuid,
        "client": card.client,
        "service": card.service,
        "hook": card.hook,
        "card": card.card,
        "indicator": card.indicator,
        "criteria": ",".join(card.criteria),
        "shown": card.shown,
        "as_of": card.as_of,
        "knowledge": card.knowledge,
        "created": _naive(card.created),
    }


def _naive(moment: datetime) -> datetime:
    """A UTC moment as the database holds it, without a zone."""
    return moment.replace(tzinfo=None)
