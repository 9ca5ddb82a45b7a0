"""How long the parts of an answer take. Pure."""

from __future__ import annotations

from time import perf_counter_ns


class Stopwatch:
    """Microseconds of each part of an answer."""

    __slots__ = ("_last", "laps")

    def __init__(self) -> None:
        self._last, self.laps = perf_counter_ns(), dict[str, int]()

    def lap(self, name: str) -> None:
        """The part that ends now."""
        now = perf_counter_ns()
        self.laps[name] = (now - self._last) // 1000
        self._last = now
