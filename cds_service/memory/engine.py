"""How the database is reached: SQLite in a file, or PostgreSQL by its address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from cds_service.errors import SettingsError

_PATIENCE_SECONDS = 2  # for a connection; an answer waits for none of them longer
_BUSY_MS = 5_000  # SQLite has one writer at a time
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_NO_SCHEMA = ("no such table", "does not exist")


def _for_postgresql(url: URL) -> dict[str, Any]:
    patience = {} if "connect_timeout" in url.query else {"connect_timeout": _PATIENCE_SECONDS}
    return {"pool_pre_ping": True, "pool_timeout": _PATIENCE_SECONDS, "connect_args": patience}


_OPTIONS: Mapping[str, Callable[[URL], dict[str, Any]]] = {
    "sqlite": lambda _url: {},
    "postgresql": _for_postgresql,
}


def address(url: str) -> URL:
    """The parts of the address of a database. Raises SettingsError."""
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise _no_address() from None


def _no_address() -> SettingsError:
    return SettingsError("CDS_DATABASE_URL: not the address of a SQLite or PostgreSQL database")


def open_engine(url: str) -> Engine:
    """An engine whose statements each are a transaction of their own. Raises SettingsError.

    Errors do not quote the values of a statement.
    """
    parsed = address(url)
    name = parsed.get_backend_name()
    try:
        engine = create_engine(
            parsed, isolation_level="AUTOCOMMIT", hide_parameters=True, **_OPTIONS[name](parsed)
        )
    except ModuleNotFoundError:
        raise SettingsError(
            "CDS_DATABASE_URL: its driver is missing; install cds-service[postgres]"
        ) from None
    except (ArgumentError, KeyError):
        raise _no_address() from None
    if name == "sqlite":
        event.listen(engine, "connect", _sqlite_pragmas)
    return engine


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """An engine for as long as a command takes. Raises SettingsError."""
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def refused(error: SQLAlchemyError) -> SettingsError:
    """What a command says of a database that refuses it: the driver's first line without what it
    quotes, which may be of the address or of a row.
    """
    said = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
    todo = "; run cds-service db upgrade" if any(each in said for each in _NO_SCHEMA) else ""
    return SettingsError(
        f"CDS_DATABASE_URL: the database refuses: {_QUOTED.sub('...', said)}{todo}"
    )


def placeholder(engine: Engine) -> str:
    """What stands for a value in the driver's own SQL."""
    return "?" if engine.dialect.paramstyle == "qmark" else "%s"


class Bulk:
    """One INSERT of many rows that leaves alone what is there already, unless `conflict` says else.

    SQLAlchemy compiles such a statement anew for every number of rows, which costs more than to run
    it.
    """

    def __init__(self, engine: Engine, table: Table, conflict: str = "DO NOTHING") -> None:
        dialect = engine.dialect
        self._names = [column.name for column in table.columns if column.name != "id"]
        columns = [table.columns[name] for name in self._names]
        self._processors = [
            column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns
        ]
        holder = placeholder(engine)
        self._row = f"({', '.join([holder] * len(columns))})"
        self._head = f"INSERT INTO {table.name} ({', '.join(self._names)}) VALUES "
        self._tail = f" ON CONFLICT {conflict}"

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it."""
        values = tuple(
            process(row[name]) if process is not None else row[name]
            for row in rows
            for name, process in zip(self._names, self._processors, strict=True)
        )
        text = self._head + ", ".join([self._row] * len(rows)) + self._tail
        connection.exec_driver_sql(text, values)


def insert_of(engine: Engine) -> Callable[[Table], Any]:
    """The dialect's INSERT that can leave a row alone which is there already."""
    if engine.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # only where it is used: 20 ms of every start

        return postgresql.insert
    return sqlite.insert


def _sqlite_pragmas(connection: Any, record: Any) -> None:
    """A row is on the disk when the statement returns. That readers go beside one writer is in the
    file since its upgrade: to ask for it with each connection may find the file locked.
    """
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={_BUSY_MS}", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
