"""Counters for Prometheus. Labels come from fixed sets; nothing of a patient or a request body."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from cds_service.clinical.evaluate import INTERNAL_ERROR
from cds_service.trace import Trace

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """What one worker counts; with a folder, workers share it there and any of them answers
    for all.
    """

    media_type = CONTENT_TYPE_LATEST

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self._registry = CollectorRegistry()
        place: dict[str, Any] = {"registry": None if shared else self._registry}
        self._calls = Counter(
            "cds_calls_total", "Service calls", ["service", "hook", "status"], **place
        )
        self._refused = Counter(
            "cds_refused_total", "Calls refused", ["service", "status"], **place
        )
        self._cards = Counter("cds_cards_total", "Cards answered", ["card", "indicator"], **place)
        self._seconds = Histogram(
            "cds_call_seconds", "Time to answer", ["service"], buckets=_SECONDS, **place
        )
        self._snoozed = Counter(
            "cds_snoozed_total", "Cards not shown because set aside", ["card"], **place
        )
        self._failed = Counter("cds_rule_failures_total", "Rules that raised", ["rule"], **place)
        self._reads = Counter(
            "cds_fetches_total", "Reads from FHIR servers", ["resource", "outcome"], **place
        )
        self._feedback = Counter(
            "cds_feedback_total", "Feedback items", ["service", "outcome"], **place
        )
        self._queue = Gauge(
            "cds_queue_rows", "Rows waiting for the database", multiprocess_mode="livesum", **place
        )
        # Of one metric with these labels; looked up once, as that costs more than to count.
        self._of: Any = cache(lambda metric, *labels: metric.labels(*labels))
        self._build = Gauge(
            "cds_build_info",
            "1, with the versions that answer",
            ["version", "knowledge"],
            multiprocess_mode="livemax",
            **place,
        )

    def call(self, service: str, hook: str, status: int, seconds: float) -> None:
        """Count one call."""
        self._of(self._calls, service, hook, str(status)).inc()
        self._of(self._seconds, service).observe(seconds)

    def refused(self, service: str, status: int) -> None:
        """Count a call that was refused before it was known what it asks."""
        self._of(self._refused, service, str(status)).inc()

    def card(self, card: str, indicator: str) -> None:
        """Count one card."""
        self._of(self._cards, card, indicator).inc()

    def answered(self, trace: Trace) -> None:
        """Count what happened on the way to an answer."""
        for card in trace.snoozed:
            self._of(self._snoozed, card.card).inc()
        for rule in trace.rules:
            if rule.failed == INTERNAL_ERROR:
                self._of(self._failed, rule.rule).inc()
        for read in trace.reads:
            self._of(self._reads, read.kind, read.outcome).inc()

    def feedback(self, service: str, outcomes: Iterable[str], malformed: int) -> None:
        """Count the items of one feedback call."""
        for outcome in outcomes:
            self._of(self._feedback, service, outcome).inc()
        if malformed:
            self._of(self._feedback, service, "malformed").inc(malformed)

    def queue(self, rows: int) -> None:
        """How many rows of this worker wait for the database."""
        self._queue.set(rows)

    def build(self, version: str, knowledge: str) -> None:
        """Which code and which knowledge answer."""
        self._build.labels(version, knowledge).set(1)

    def text(self) -> bytes:
        """Everything counted, in the exposition format."""
        if self._shared is None:
            return generate_latest(self._registry)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone, path=str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(everyone)

    @staticmethod
    def worker_ended(pid: int) -> None:
        """Drop what a worker that is gone had shared and does not add up."""
        mark_process_dead(pid)  # type: ignore[no-untyped-call]
