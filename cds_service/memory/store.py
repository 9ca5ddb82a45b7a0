"""The memory of one worker: cards go through a queue, feedback is on disk before it is
acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from time import monotonic
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.exc import SQLAlchemyError

from cds_service.frozen import Frozen, replace
from cds_service.memory import tables
from cds_service.memory.engine import Bulk, insert_of, open_engine
from cds_service.memory.pseudonyms import Pseudonyms
from cds_service.memory.queue import Failed, Queue
from cds_service.memory.snoozes import UNMARKED, Held, Snooze, settle
from cds_service.protocol.feedback import Feedback
from cds_service.settings import DEVELOPMENT_KEY

_ROWS_A_STATEMENT = 500  # SQLite takes 32,766 values in one statement
_REST_SECONDS = 10  # after a read that failed; answers go out without snoozes meanwhile
_WRITTEN = (tables.feedback, tables.audit_event)
_CARDS, _AUDIT = "cards", "audit"


class IssuedCard(Frozen):
    """A card as it was answered; `criteria` are the names of those met.

    `patient` and `person` are pseudonyms. `marks` says what each card in it rested on, for snoozes.
    """

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
    patient: str = ""
    person: str = ""
    snoozed: bool = False
    marks: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """Feedback with what it means here: our id of its reason, and until when the card is to
    be quiet.
    """

    feedback: Feedback
    reason: str = ""
    quiet_until: date | None = None


@dataclass(frozen=True, slots=True)
class Audited:
    """An AuditEvent as JSON, for the trail."""

    client: str
    at: datetime
    event: str


def _unheard(error: Exception) -> None:
    """Nobody listens for failures."""


def _unmeasured(rows: int) -> None:
    """Nobody measures the queue."""


class Memory:
    """Issued cards, feedback, snoozes and the audit trail in one database. Start it after the fork.

    `audit` takes the trail elsewhere; without it, it goes to the database. Raises SettingsError.
    """

    def __init__(
        self,
        url: str,
        *,
        key: bytes = DEVELOPMENT_KEY,
        store_comments: bool = False,
        failed: Failed = _unheard,
        audit: Callable[[list[Audited]], None] | None = None,
    ) -> None:
        self.pseudonyms = Pseudonyms(key)
        self._engine = open_engine(url)
        self._insert = insert_of(self._engine)
        self._bulk = {table.name: Bulk(self._engine, table) for table in _WRITTEN}
        self._bulk[tables.issued_card.name] = Bulk(self._engine, tables.issued_card, UNMARKED)
        self._held = Held(self._engine)
        self._store_comments = store_comments
        self._failed = failed
        self._rest_until = 0.0
        self._queue = Queue(
            {_CARDS: self._write_cards, _AUDIT: audit or self._write_audit}, failed, _unmeasured
        )

    def start(self, measured: Callable[[int], None] = _unmeasured) -> None:
        """Begin to write what is queued, every 50 ms; `measured` hears how many rows still wait."""
        self._queue.depth = measured
        self._queue.start()

    def issued(self, cards: Callable[[], Iterable[IssuedCard]]) -> None:
        """Queue issued cards; made and written within 50 ms, at the latest when closed."""
        self._queue.put(_CARDS, cards)

    def audited(self, events: Callable[[], Iterable[Audited]]) -> None:
        """Queue events of the audit trail."""
        self._queue.put(_AUDIT, events)

    def record(self, client: str, service: str, items: Iterable[Given], received: datetime) -> None:
        """Store feedback durably, the same card, outcome and time once, and what it sets aside.

        Raises SQLAlchemyError.
        """
        rows: list[dict[str, Any]] = [
            {
                "client": client,
                "service": service,
                "card_uuid": item.feedback.card,
                "outcome": item.feedback.outcome,
                "outcome_at": _naive(item.feedback.at),
                "suggestions": ",".join(item.feedback.suggestions),
                "reason_system": item.feedback.reason_system,
                "reason_code": item.feedback.reason_code,
                "reason_display": item.feedback.reason_display,
                "comment": item.feedback.comment if self._store_comments else "",
                "received": _naive(received),
                "reason": item.reason,
                "quiet_until": item.quiet_until,
            }
            for item in items
        ]
        self._write(tables.feedback, rows)
        settle(self._engine, self._insert, [row["card_uuid"] for row in rows], client)

    def snoozes(self, client: str, patient: str, person: str) -> tuple[Snooze, ...]:
        """What this user has set aside for this patient; none while the database does not
        answer.
        """
        if monotonic() < self._rest_until:
            return ()
        try:
            return self._held.of(client, patient, person)
        except Exception as error:  # the driver's; advice is better said twice than lost
            self._rest_until = monotonic() + _REST_SECONDS
            self._failed(error)
            return ()

    def flush(self) -> None:
        """Write what is queued now; a database that refuses is reported, not raised."""
        self._queue.flush()

    def close(self) -> None:
        """Write the rest and let go of the database."""
        self._queue.close()
        self._held.close()
        self._engine.dispose()

    def ready(self) -> bool:
        """Whether the database answers and its schema is the newest."""
        try:
            with self._engine.connect() as connection:
                return (
                    connection.execute(select(tables.version.c.version_num)).scalar() == tables.HEAD
                )
        except SQLAlchemyError:
            return False

    def _write_cards(self, cards: list[IssuedCard]) -> None:
        self._write(tables.issued_card, [_row(card) for card in _one_an_id(cards)])
        settle(self._engine, self._insert, [card.uuid for card in cards])

    def _write_audit(self, events: list[Audited]) -> None:
        rows = [{"client": e.client, "at": _naive(e.at), "event": e.event} for e in events]
        self._write(tables.audit_event, rows)

    def _write(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Insert rows that are not there yet, each statement its own transaction: short locks."""
        for start in range(0, len(rows), _ROWS_A_STATEMENT):
            with self._engine.connect() as connection:
                self._bulk[table.name].write(connection, rows[start : start + _ROWS_A_STATEMENT])


def _one_an_id(cards: Iterable[IssuedCard]) -> Iterable[IssuedCard]:
    """The first card of each id: a statement may meet a row only once. Without marks where the same
    id is of another patient or user as well.
    """
    found: dict[tuple[str, str], IssuedCard] = {}
    for card in cards:
        first = found.setdefault((card.uuid, card.client), card)
        if (first.patient, first.person) != (card.patient, card.person):
            found[card.uuid, card.client] = replace(first, marks="")
    return found.values()


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
        "patient": card.patient,
        "person": card.person,
        "snoozed": card.snoozed,
        "marks": card.marks,
    }


def _naive(moment: datetime) -> datetime:
    """A UTC moment as the database holds it, without a zone."""
    return moment.replace(tzinfo=None)
