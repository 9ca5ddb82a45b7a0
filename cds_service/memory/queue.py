"""Rows that may wait: written every 50 ms by a thread of their own, so that no answer waits
for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError

Failed = Callable[[Exception], None]
Make = Callable[[], Iterable[Any]]
Sink = Callable[[list[Any]], None]

EVERY_SECONDS = 0.05
_AFTER_FAILURE_SECONDS = 1.0
_LONGEST = 10_000  # rows of a kind; beyond it the oldest are forgotten rather than memory filled


_HOPELESS = (DataError, IntegrityError)  # the rows are at fault: they would be refused again


class Forgotten(Exception):
    """The queue was full, so that rows were never written."""


class Queue:
    """One list of rows a sink. Start it after the worker has forked.

    Rows are made when they are written: no answer waits for that either.
    """

    def __init__(
        self, sinks: Mapping[str, Sink], failed: Failed, depth: Callable[[int], None]
    ) -> None:
        self._sinks, self._failed, self.depth = sinks, failed, depth
        self._promised: dict[str, list[Make]] = {name: [] for name in sinks}
        self._waiting: dict[str, list[Any]] = {name: [] for name in sinks}  # refused once
        self._forgotten = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._writer: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write."""
        self._writer = threading.Thread(target=self._write_on, name="memory-writer", daemon=True)
        self._writer.start()

    def put(self, name: str, make: Make) -> None:
        """Queue the rows that `make` gives for the sink of that name."""
        with self._lock:
            self._promised[name].append(make)
            self._trim(self._promised[name])
        self._wake.set()

    def flush(self) -> bool:
        """Write what waits now. A sink that refuses is reported and gets its rows again;
        False then.
        """
        good = True
        for name, sink in self._sinks.items():
            rows = self._taken(name)
            if not rows:
                continue
            try:
                sink(rows)
            except Exception as error:  # a full disk is no reason to stop answering
                self._failed(error)
                if isinstance(error, _HOPELESS):
                    continue
                good = False
                with self._lock:
                    self._waiting[name][:0] = rows
                    self._trim(self._waiting[name])
        with self._lock:
            forgotten, self._forgotten = self._forgotten, 0
            left = sum(map(len, self._waiting.values()))
        if forgotten:
            self._failed(Forgotten(f"{forgotten} rows"))
        self.depth(left)
        return good

    def close(self) -> None:
        """Write the rest."""
        self._closing.set()
        self._wake.set()
        if self._writer is not None:
            self._writer.join(timeout=5)
        self.flush()

    def _taken(self, name: str) -> list[Any]:
        """The rows to write now."""
        with self._lock:
            rows, self._waiting[name] = self._waiting[name], []
            promised, self._promised[name] = self._promised[name], []
        for make in promised:
            try:
                rows.extend(make())
            except Exception as error:  # the rows of one call cost no other its own
                self._failed(error)
        return rows

    def _trim(self, waiting: list[Any]) -> None:
        excess = len(waiting) - _LONGEST
        if excess > 0:
            del waiting[:excess]
            self._forgotten += excess

    def _write_on(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            self._closing.wait(EVERY_SECONDS)
            if not self.flush():
                self._closing.wait(_AFTER_FAILURE_SECONDS)
                self._wake.set()
