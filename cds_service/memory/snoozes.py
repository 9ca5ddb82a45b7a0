"""What was set aside, by whom, for which patient and until when.

A card that is overridden for a reason with a number of days stays quiet while it rests on nothing
new. What it rested on was written down as marks when it was issued: more marks than then, and it
speaks again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import (
    Connection,
    Engine,
    PoolProxiedConnection,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    or_,
    select,
)

from cds_service.memory import tables
from cds_service.memory.engine import placeholder

Marks = Mapping[str, frozenset[str]]
_UUIDS_A_STATEMENT = 500
_KEPT = 4  # connections; fewer than the pool has, which others need as well
_snooze, _feedback, _issued = tables.snooze, tables.feedback, tables.issued_card

# An id that a client used for two patients or users tells of neither whom an override meant: its
# card loses its marks, and cannot be set aside.
UNMARKED = (
    "(card_uuid, client) DO UPDATE SET marks = '' WHERE issued_card.marks <> '' AND ("
    "excluded.marks = '' OR issued_card.patient <> excluded.patient"
    " OR issued_card.person <> excluded.person)"
)
_GIVEN_BACK = delete(_snooze).where(
    _snooze.c.card_uuid.in_(bindparam("uuids", expanding=True)),
    exists().where(
        _issued.c.card_uuid == _snooze.c.card_uuid,
        _issued.c.client == _snooze.c.client,
        _issued.c.marks == "",
    ),
)
_SETTLED = (
    select(
        *(
            _issued.c.client,
            _issued.c.patient,
            _issued.c.person,
            _issued.c.marks,
            _issued.c.card_uuid,
        ),
        *(_feedback.c.outcome_at, _feedback.c.quiet_until),
    )
    .join(
        _feedback,
        and_(
            _feedback.c.card_uuid == _issued.c.card_uuid,
            _feedback.c.client == _issued.c.client,
            _feedback.c.service == _issued.c.service,
        ),
    )
    .where(
        _issued.c.card_uuid.in_(bindparam("uuids", expanding=True)),
        _issued.c.marks != "",
        or_(_feedback.c.quiet_until.is_not(None), _feedback.c.outcome == "accepted"),
    )
    .order_by(_feedback.c.outcome_at)
)


@dataclass(frozen=True, slots=True)
class Snooze:
    """One card that was set aside; `until` is the first day on which it may speak again."""

    card: str
    until: date
    marks: frozenset[str]

    def covers(self, marks: frozenset[str], as_of: date) -> bool:
        """Whether the card stays quiet on a day on which it rests on these marks."""
        return as_of < self.until and marks <= self.marks


def marks_text(marks: Marks) -> str:
    """Marks by card as they are stored; empty when there are none."""
    return (
        orjson.dumps({card: sorted(found) for card, found in marks.items()}).decode()
        if marks
        else ""
    )


class Held:
    """The one look at the primary key that each answer waits for: past SQLAlchemy and its pool, at a
    third of the cost.
    """

    def __init__(self, engine: Engine) -> None:
        holder = placeholder(engine)
        self._engine = engine
        self._kept: list[PoolProxiedConnection] = []  # open, and in nobody's hands
        self._text = (
            "SELECT card, until, marks FROM snooze "
            f"WHERE client = {holder} AND patient = {holder} AND person = {holder}"
        )

    def of(self, client: str, patient: str, person: str) -> tuple[Snooze, ...]:
        """The snoozes of one user for one patient. Raises SQLAlchemyError and the driver's
        own errors.
        """
        values = (client, patient, person)
        try:
            found = self._rows(self._kept.pop(), values)
        except Exception:  # none is kept, or it has gone stale
            found = self._rows(self._engine.raw_connection(), values)
        return tuple(
            Snooze(card, _day(until), frozenset(orjson.loads(marks)))
            for card, until, marks in found
        )

    def close(self) -> None:
        """Let go of the connections."""
        while self._kept:
            self._kept.pop().close()

    def _rows(self, connection: PoolProxiedConnection, values: tuple[str, str, str]) -> list[Any]:
        try:
            cursor = connection.cursor()
            cursor.execute(self._text, values)
            found: list[Any] = list(cursor.fetchall())
            cursor.close()
        except BaseException:
            connection.invalidate()
            raise
        if len(self._kept) < _KEPT:
            self._kept.append(connection)
        else:
            connection.close()
        return found


def _day(stored: date | str) -> date:
    """SQLite has no dates."""
    return date.fromisoformat(stored) if isinstance(stored, str) else stored


def settle(
    engine: Engine, insert: Callable[[Table], Any], uuids: Sequence[str], client: str | None = None
) -> None:
    """Make snoozes of the feedback on these issued cards, of one client where given.

    Card and feedback may be written in either order by different workers: whoever comes second
    settles. What a card silenced that has lost its marks is given back last, so that no worker can
    write it down after the marks are gone. Raises SQLAlchemyError.
    """
    for start in range(0, len(uuids), _UUIDS_A_STATEMENT):
        part = uuids[start : start + _UUIDS_A_STATEMENT]
        query = _SETTLED if client is None else _SETTLED.where(_issued.c.client == client)
        with engine.connect() as connection:
            if not _answered(connection, part):
                continue
            for row in connection.execute(query, {"uuids": part}).all():
                if row.quiet_until is None:
                    connection.execute(_taken_back(row))
                else:
                    connection.execute(_set_aside(insert, row))
            connection.execute(_GIVEN_BACK, {"uuids": part})


def _answered(connection: Connection, uuids: Sequence[str]) -> bool:
    """Whether there is feedback on any of these cards: hardly ever when they are just written, and
    told at a fifth of what it costs to have the whole question compiled.
    """
    holder = placeholder(connection.engine)
    holders = ", ".join([holder] * len(uuids))
    found = connection.exec_driver_sql(
        f"SELECT 1 FROM feedback WHERE card_uuid IN ({holders}) LIMIT 1", tuple(uuids)
    )
    return found.first() is not None


def _taken_back(row: Any) -> Any:
    """Accepted after all: what an override of this very card had silenced."""
    return delete(_snooze).where(
        *(
            _snooze.c.client == row.client,
            _snooze.c.patient == row.patient,
            _snooze.c.person == row.person,
        ),
        *(_snooze.c.card_uuid == row.card_uuid, _snooze.c.given <= row.outcome_at),
    )


def _set_aside(insert: Callable[[Table], Any], row: Any) -> Any:
    """A snooze for each card that was gathered in the overridden one; the latest override
    counts.
    """
    statement = insert(_snooze).values(list(_rows(row)))
    fresh = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[_snooze.c.client, _snooze.c.patient, _snooze.c.person, _snooze.c.card],
        set_={name: fresh[name] for name in ("card_uuid", "until", "given", "marks")},
        where=_snooze.c.given <= fresh.given,
    )


def _rows(row: Any) -> Iterable[dict[str, Any]]:
    for card, marks in orjson.loads(row.marks).items():
        yield {
            "client": row.client,
            "patient": row.patient,
            "person": row.person,
            "card": card,
            "card_uuid": row.card_uuid,
            "until": row.quiet_until,
            "given": row.outcome_at,
            "marks": orjson.dumps(marks).decode(),
        }
