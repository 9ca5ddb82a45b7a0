"""What became of the cards: counted for a report, or listed for an export."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, select
from sqlalchemy.exc import SQLAlchemyError

from cds_service.memory import tables
from cds_service.memory.engine import refused

_issued, _feedback = tables.issued_card, tables.feedback
ACCEPTED, OVERRIDDEN = "accepted", "overridden"
NO_REASON = "no reason given"
NO_CRITERION = "none met"  # of a card that says only what could not be checked
_BY = {
    "card": _issued.c.card,
    "criterion": _issued.c.criteria,
    "hook": _issued.c.hook,
    "client": _issued.c.client,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which cards: of one client or all (empty), from a day on, up to but not on another (UTC)."""

    client: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(slots=True)
class Tally:
    """One line of a report: cards by what became of them; `seconds` from the card to its last
    answer.

    `fired` counts all, `shown` those a user could see, `snoozed` those that were set aside before.
    """

    fired: int = 0
    shown: int = 0
    snoozed: int = 0
    accepted: int = 0
    overridden: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def silent(self) -> int:
        """Evaluated and recorded, shown to nobody."""
        return self.fired - self.shown - self.snoozed

    @property
    def median_seconds(self) -> float | None:
        """The time to answer; None without answers."""
        return round(median(self.seconds), 1) if self.seconds else None


def report(engine: Engine, asked: Asked, by: str) -> dict[str, Tally]:
    """A tally for each `by`: `card`, `criterion`, `hook` or `client`.

    A card answered twice counts as its last answer; by criterion it counts for each that was met.

    Raises SettingsError.
    """
    column = _BY[by]
    cards = select(
        column,
        _issued.c.card_uuid,
        _issued.c.client,
        _issued.c.shown,
        _issued.c.snoozed,
        _issued.c.created,
    ).where(*_conditions(asked, _issued.c.created))
    answers = _last_answers(engine, asked)
    tallies: dict[str, Tally] = {}
    for key, uuid, client, shown, snoozed, created in _rows(engine, cards.order_by(column)):
        answer = answers.get((client, uuid))
        for each in _criteria(key) if by == "criterion" else (key,):
            tally = tallies.setdefault(each, Tally())
            tally.fired += 1
            tally.shown += bool(shown)
            tally.snoozed += bool(snoozed)
            if answer is not None:
                _count(tally, answer, created)
    return dict(sorted(tallies.items()))


def _criteria(stored: str) -> tuple[str, ...]:
    """The criteria of a card as stored."""
    return tuple(filter(None, stored.split(","))) or (NO_CRITERION,)


def _count(tally: Tally, answer: Any, created: datetime) -> None:
    tally.seconds.append(max(timedelta(0), answer.outcome_at - created).total_seconds())
    if answer.outcome == ACCEPTED:
        tally.accepted += 1
    else:
        tally.overridden += 1
        tally.reasons[_reason(answer)] += 1


def _reason(answer: Any) -> str:
    return answer.reason or answer.reason_display or answer.reason_code or NO_REASON


def _last_answers(engine: Engine, asked: Asked) -> dict[tuple[str, str], Any]:
    """The latest feedback on each card; that of another service than the card's does not count."""
    query = (
        select(
            *(
                _feedback.c.client,
                _feedback.c.card_uuid,
                _feedback.c.outcome,
                _feedback.c.outcome_at,
            ),
            *(_feedback.c.reason, _feedback.c.reason_code, _feedback.c.reason_display),
        )
        .join(_issued, _OF_CARD)
        .where(*_conditions(asked, _issued.c.created))
        .order_by(_feedback.c.outcome_at, _feedback.c.id)
    )
    return {(row.client, row.card_uuid): row for row in _rows(engine, query)}


# Columns of an export: what 45 CFR 170.315(b)(11) names (intervention, action taken, feedback,
# user, date
# and location) as far as we hold it, then ours.
COLUMNS = (
    *("intervention", "action", "reason", "comment", "user", "date", "location"),
    *(
        "criteria",
        "indicator",
        "service",
        "hook",
        "card",
        "shown_at",
        "accepted_suggestions",
        "knowledge",
    ),
)
_OF_CARD = and_(
    _issued.c.card_uuid == _feedback.c.card_uuid,
    _issued.c.client == _feedback.c.client,
    _issued.c.service == _feedback.c.service,
)


def export(
    engine: Engine, asked: Asked, *, each_criterion: bool = False
) -> Iterator[dict[str, str]]:
    """Every feedback item in the order it was given; one on a card we do not know has no
    intervention. With `each_criterion` an item stands once for each criterion its card met.

    `user` is a pseudonym and `location` the client: neither name nor place reaches us. Raises
    SettingsError.
    """
    query = (
        select(
            *(_feedback, _issued.c.card, _issued.c.person, _issued.c.criteria, _issued.c.indicator),
            *(_issued.c.hook, _issued.c.created, _issued.c.knowledge),
        )
        .outerjoin(_issued, _OF_CARD)
        .where(*_conditions(asked, _feedback.c.received, _feedback.c.client))
        .order_by(_feedback.c.outcome_at, _feedback.c.id)
    )
    for row in _rows(engine, query):
        values = _values(row)
        whole = {name: values[name] or "" for name in COLUMNS}
        for criterion in whole["criteria"].split() if each_criterion else ():
            yield whole | {"criteria": criterion}
        if not (each_criterion and whole["criteria"]):
            yield whole


def _values(row: Any) -> dict[str, str | None]:
    return {
        "intervention": row.card,
        "action": row.outcome,
        "reason": _reason(row) if row.outcome == OVERRIDDEN else "",
        "comment": row.comment,
        "user": row.person,
        "date": _moment(row.outcome_at),
        "location": row.client,
        "criteria": (row.criteria or "").replace(",", " "),
        "indicator": row.indicator,
        "service": row.service,
        "hook": row.hook,
        "card": row.card_uuid,
        "shown_at": _moment(row.created),
        "accepted_suggestions": row.suggestions.replace(",", " "),
        "knowledge": row.knowledge,
    }


def _conditions(
    asked: Asked, moment: ColumnElement[Any], client: ColumnElement[str] = _issued.c.client
) -> Iterator[ColumnElement[bool]]:
    if asked.client:
        yield client == asked.client
    if asked.since is not None:
        yield moment >= _midnight(asked.since)
    if asked.until is not None:
        yield moment < _midnight(asked.until)


def _rows(engine: Engine, query: Any) -> Iterator[Any]:
    try:
        with engine.connect() as connection:
            steady = connection.execution_options(isolation_level="SERIALIZABLE", yield_per=1000)
            yield from steady.execute(query)
    except SQLAlchemyError as error:
        raise refused(error) from None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - stored in UTC without a zone


def _moment(stored: datetime | None) -> str:
    return f"{stored.isoformat(timespec='seconds')}Z" if stored is not None else ""
