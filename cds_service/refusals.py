"""Calls whose caller was refused, on record in the audit trail: the first of a kind at once, the
others of its minute as a count.

So nobody fills a disk by being refused: a worker writes at most 22 events a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

import orjson

from cds_service import __version__
from cds_service.memory.store import Audited
from cds_service.protocol.audit import Refusal, refusal_event

MOST_KINDS = 10  # told apart at a time; what comes on top is counted as one more
_A_MINUTE = timedelta(minutes=1)

Record = Callable[[Callable[[], Iterable[Audited]]], None]


@dataclass(slots=True)
class _Minute:
    """What was refused since its first call was put on record."""

    since: datetime
    last: datetime
    more: int = 0


@dataclass(frozen=True, slots=True)
class _Counted:
    """What one event tells."""

    kind: Refusal
    since: datetime
    last: datetime
    calls: int


class Refusals:
    """The refused calls of one worker; without `record` none is remembered."""

    def __init__(self, record: Record | None, now: Callable[[], datetime]) -> None:
        self._record, self._now = record, now
        self._minutes: dict[Refusal, _Minute] = {}
        self._lock = Lock()

    def note(self, refusal: Refusal) -> None:
        """Put a refused call on record, or count it."""
        if self._record is None:
            return
        now = self._now()
        with self._lock:
            found = list(self._ended(now - _A_MINUTE))
            kind = refusal if self._has_place(refusal) else _any(refusal)
            minute = self._minutes.get(kind)
            if minute is None:
                self._minutes[kind] = _Minute(now, now)
                found.append(_Counted(kind, now, now, 1))
            else:
                minute.more, minute.last = minute.more + 1, now
        self._write(found)

    def close(self) -> None:
        """Write what is still counted."""
        with self._lock:
            found = list(self._ended(None))
        self._write(found)

    def _write(self, found: list[_Counted]) -> None:
        if found and self._record is not None:
            self._record(lambda: map(_audited, found))

    def _has_place(self, refusal: Refusal) -> bool:
        return refusal in self._minutes or len(self._minutes) < MOST_KINDS

    def _ended(self, until: datetime | None) -> Iterator[_Counted]:
        """The counts of minutes that began by then, or of all."""
        for kind, minute in tuple(self._minutes.items()):
            if until is None or minute.since <= until:
                del self._minutes[kind]
                if minute.more:
                    yield _Counted(kind, minute.since, minute.last, minute.more)


def _any(refusal: Refusal) -> Refusal:
    """The kind of all that are told apart no more."""
    return replace(
        refusal, status=401, why="of many kinds", service="", client="", issuer="", source=""
    )


def _audited(counted: _Counted) -> Audited:
    kind = counted.kind
    event = refusal_event(kind, counted.since, counted.last, counted.calls, __version__)
    return Audited(kind.client, counted.last, orjson.dumps(event).decode())
