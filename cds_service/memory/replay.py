"""Tokens that were used, so that each is used once: one table for all workers, one statement a
token.

A hash stands for issuer and token id. A row serves until its token would be refused for its age.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import Table, bindparam, delete, event

from cds_service.memory.engine import insert_of, open_engine
from cds_service.memory.tables import seen_token

_SWEEP_EVERY = timedelta(seconds=10)


class SeenTokens:
    """What one worker asks of the table. Every method raises SQLAlchemyError if it cannot
    be asked.
    """

    def __init__(self, url: str, now: Callable[[], datetime]) -> None:
        self._engine = open_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _soon)
        self._take = _take(insert_of(self._engine))
        self._now = now
        self._swept: datetime | None = None
        self._lock = Lock()

    def first_use(self, issuer: str, token_id: str, until: datetime) -> bool:
        """Whether this use is the first of all workers; `until` is when the token has
        expired for good.
        """
        now = self._now()
        token = hashlib.sha256(f"{issuer}\0{token_id}".encode()).hexdigest()
        named = {"token": token, "until": _naive(until), "now": _naive(now)}
        with self._engine.connect() as connection:
            first = connection.execute(self._take, named).rowcount == 1
            if self._due(now):
                connection.execute(delete(seen_token).where(seen_token.c.until < _naive(now)))
        return first

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _due(self, now: datetime) -> bool:
        """Whether it is time, and this thread's turn, to forget what has expired."""
        with self._lock:
            if self._swept is not None and now - self._swept < _SWEEP_EVERY:
                return False
            self._swept = now
            return True


def _take(insert: Callable[[Table], Any]) -> Any:
    """The statement that writes a token down if it is not there, or is there from long ago."""
    taken = insert(seen_token).values(token=bindparam("token"), until=bindparam("until"))
    taken = taken.on_conflict_do_update(
        index_elements=[seen_token.c.token],
        set_={"until": taken.excluded.until},
        where=seen_token.c.until < bindparam("now"),
    )
    return taken.execution_options(preserve_rowcount=True)  # else it is known of SQLite only


def _soon(connection: Any, record: Any) -> None:
    """A lost row harms only after a power cut within the hour, so that it need not be on
    the disk at once.
    """
    connection.execute("PRAGMA synchronous=NORMAL")


def _naive(moment: datetime) -> datetime:
    """A UTC moment as the database holds it, without a zone."""
    return moment.replace(tzinfo=None)
