"""What is deleted, and when: by age, and by client."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Column, Engine, Table, delete
from sqlalchemy.exc import SQLAlchemyError

from cds_service.memory import tables
from cds_service.memory.engine import refused

_DATED: tuple[tuple[Table, Column[date]], ...] = (
    (tables.issued_card, tables.issued_card.c.created),
    (tables.feedback, tables.feedback.c.received),
    (tables.snooze, tables.snooze.c.until),
)
_OWNED = (tables.issued_card, tables.feedback, tables.snooze)


def purge(engine: Engine, before: date, *, audit: bool = False) -> dict[str, int]:
    """Delete what was written before a day, and snoozes that ended by then; the audit trail only if
    asked.

    Feedback on a card that goes, goes when its own time has come. Raises SettingsError.
    """
    moment = datetime(before.year, before.month, before.day)  # noqa: DTZ001 - stored in UTC without a zone
    dated = (*_DATED, (tables.audit_event, tables.audit_event.c.at)) if audit else _DATED
    return {
        table.name: _delete(engine, table, column < (before if table is tables.snooze else moment))
        for table, column in dated
    }


def forget(engine: Engine, client: str, *, audit: bool = False) -> dict[str, int]:
    """Delete everything of one client; the audit trail only if asked. Raises SettingsError."""
    owned = (*_OWNED, tables.audit_event) if audit else _OWNED
    return {table.name: _delete(engine, table, table.c.client == client) for table in owned}


def _delete(engine: Engine, table: Table, condition: object) -> int:
    try:
        with engine.connect() as connection:
            return connection.execute(delete(table).where(condition)).rowcount  # type: ignore[arg-type]
    except SQLAlchemyError as error:
        raise refused(error) from None
