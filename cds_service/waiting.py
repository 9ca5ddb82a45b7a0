"""How many threads of a worker may wait for FHIR servers, and which servers are not worth
the wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from threading import Lock, Semaphore
from time import monotonic

from cds_service.errors import FhirReadError
from cds_service.fhir.client import TIMED_OUT, Pages
from cds_service.fhir.prefetch import Fetch

TIMEOUTS = 3  # running
PAUSE = 10.0  # seconds without a question after that many
BUSY, OUT = "busy", "it did not answer in time lately"  # why a server was not asked


class Outages:
    """The servers of one worker that timed out lately; the next timeout after a pause
    begins another.
    """

    def __init__(self, timer: Callable[[], float] = monotonic) -> None:
        self._timer = timer
        self._running: dict[
            str, tuple[int, float]
        ] = {}  # base -> timeouts running, when the last was
        self._lock = Lock()

    def out(self, base: str) -> bool:
        """Whether a base counts as unavailable now."""
        count, last = self._running.get(base, (0, 0.0))
        return count >= TIMEOUTS and self._timer() < last + PAUSE

    def heard(self, base: str, answers: Iterable[Pages | FhirReadError]) -> None:
        """What came of asking: nothing but timeouts, or any other answer."""
        found = tuple(answers)
        silent = bool(found) and all(str(each) == TIMED_OUT for each in found)
        with self._lock:
            if silent:
                count, _ = self._running.get(base, (0, 0.0))
                self._running[base] = (count + 1, self._timer())
            else:
                self._running.pop(base, None)


class Seated:
    """A FHIR server that is asked only while one of `places` is free and the server is not out.

    `patience` is how many seconds a call waits for a place. Without `outages` every server is
    asked.
    """

    __slots__ = ("_base", "_fetch", "_outages", "_patience", "_places")

    def __init__(
        self,
        fetch: Fetch,
        base: str,
        places: Semaphore,
        outages: Outages | None,
        patience: float = 0.0,
    ) -> None:
        self._fetch, self._base, self._places = fetch, base, places
        self._outages, self._patience = outages, patience

    def gather(self, queries: Mapping[str, str]) -> dict[str, Pages | FhirReadError]:
        """The answers, or at once why nothing was asked."""
        if self._outages is not None and self._outages.out(self._base):
            return _unasked(queries, OUT)
        if not self._places.acquire(timeout=self._patience):
            return _unasked(queries, BUSY)
        try:
            answers = self._fetch.gather(queries)
        finally:
            self._places.release()
        if self._outages is not None:
            self._outages.heard(self._base, answers.values())
        return answers


def _unasked(queries: Mapping[str, str], why: str) -> dict[str, Pages | FhirReadError]:
    return {name: FhirReadError(why) for name in queries}
