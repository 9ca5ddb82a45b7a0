"""Mixed calls at a steady rate: charts opened, orders selected and signed, some fetched,
and feedback.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from uuid import uuid4

import orjson

from tests.bench.traffic import request

_REASONS = ("clinical-judgement", "risk-benefit-ratio", "patient-refuses", "wrong-time-workflow")
_TRIES = 8  # of one feedback call, whose worker may be killed
_FETCHED = ("answer", "answer", "answer", "truncate", "lie", "stall")
_FETCHED_SHARE, _FEEDBACK_SHARE = 0.08, 0.25  # of the charts opened, and of the answers with cards
_RENEWED_SHARE = 0.01  # of calls before which a client's pool takes a fresh connection
_SIZES = (20, 20, 20, 60, 200)


@dataclass
class Tally:
    """What came of the calls."""

    statuses: Counter[str] = field(default_factory=Counter)
    broken: int = 0  # connections that ended without an answer
    bad: list[str] = field(default_factory=list)  # answers that must not be
    milliseconds: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)  # cards whose feedback was answered 200
    given_up: int = 0  # feedback never acknowledged
    snoozed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Caller(threading.Thread):
    """One keep-alive connection that takes its turns from `turn`."""

    def __init__(
        self, port: int, fhir: str, turn: Callable[[], bool], tally: Tally, seed: int
    ) -> None:
        super().__init__(daemon=True)
        self._port, self._fhir, self._turn, self._tally = port, fhir, turn, tally
        self._random = random.Random(seed)
        self._connection = self._connect()
        self._bodies = {size: orjson.loads(request(size)) for size in set(_SIZES)}

    def run(self) -> None:
        """Call until the turns are over."""
        while self._turn():
            if self._random.random() < _RENEWED_SHARE:
                self._connection.close()
                self._connection = self._connect()
            service, sent = self._next()
            begun = time.perf_counter()
            answer = self._post(f"/cds-services/{service}", sent)
            taken = (time.perf_counter() - begun) * 1000
            if answer is None:
                continue
            with self._tally.lock:
                self._tally.milliseconds.append(taken)
                self._tally.snoozed += len(
                    answer.get("extension", {}).get("cds-service.snoozed", ())
                )
            cards = answer.get("cards", ())
            if cards and self._random.random() < _FEEDBACK_SHARE:
                self._feedback(service, cards)

    def _next(self) -> tuple[str, dict[str, Any]]:
        sent = dict(self._bodies[self._random.choice(_SIZES)])
        sent["hookInstance"] = str(uuid4())
        service, sent["hook"] = self._random.choice(
            (
                ("opioid-safety", "order-sign"),
                ("opioid-safety", "order-select"),
                ("spine-orders", "order-sign"),
                ("low-back-pain", "patient-view"),
                ("opioid-safety", "patient-view"),
            )
        )
        context = dict(sent["context"], userId=f"Practitioner/{self._random.randrange(200)}")
        if sent["hook"] == "patient-view":
            del context["draftOrders"]
        elif sent["hook"] == "order-select":
            context["selections"] = ["MedicationRequest/draft-1"]
        sent["context"] = context
        if sent["hook"] == "patient-view" and self._random.random() < _FETCHED_SHARE:
            self._fetch(sent)
        return service, sent

    def _fetch(self, sent: dict[str, Any]) -> None:
        """Leave the data to the FHIR server."""
        context = sent["context"]
        patient = f"soak-{self._random.choice(_FETCHED)}-{self._random.randrange(50)}"
        sent["context"] = {"userId": context["userId"], "patientId": patient}
        sent["prefetch"] = {}
        sent["fhirServer"] = self._fhir
        sent["fhirAuthorization"] = {
            "access_token": "soak-token",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.read",
            "subject": "soak",
        }

    def _feedback(self, service: str, cards: Any) -> None:
        """Say what became of the cards, again and again until it is acknowledged, as
        clients should.
        """
        items = [self._item(card) for card in cards]
        for attempt in range(_TRIES):
            if self._post(f"/cds-services/{service}/feedback", {"feedback": items}) is not None:
                with self._tally.lock:
                    self._tally.acknowledged += [item["card"] for item in items]
                return
            time.sleep(0.05 * attempt)
        with self._tally.lock:
            self._tally.given_up += len(items)

    def _item(self, card: dict[str, Any]) -> dict[str, Any]:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        item: dict[str, Any] = {"card": card["uuid"], "outcomeTimestamp": moment}
        if self._random.random() < 0.5:
            return item | {"outcome": "accepted"}
        reason = {"code": self._random.choice(_REASONS)}
        return item | {"outcome": "overridden", "overrideReason": {"reason": reason}}

    def _post(self, path: str, sent: dict[str, Any]) -> dict[str, Any] | None:
        """The answer, None if there was none or it was not 200."""
        try:
            self._connection.request(
                "POST", path, orjson.dumps(sent), {"Content-Type": "application/json"}
            )
            response = self._connection.getresponse()
            status, body = response.status, response.read()
        except (OSError, HTTPException):
            self._connection.close()
            self._connection = self._connect()
            with self._tally.lock:
                self._tally.broken += 1
            return None
        with self._tally.lock:
            self._tally.statuses[
                f"{'feedback' if path.endswith('feedback') else 'call'} {status}"
            ] += 1
            if status >= 500 or status in (400, 401, 403, 404, 413, 415, 429):
                self._tally.bad.append(f"{path} {status} {body[:200]!r}")
        return orjson.loads(body) if status == 200 else None

    def _connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self._port, timeout=20)


class Turns:
    """A steady rate of calls until a moment; a caller that is late does not make up for it
    in a burst.
    """

    def __init__(self, rate: float, seconds: float) -> None:
        self._step, self._end = 1 / rate, time.monotonic() + seconds
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        """Wait for a turn; False when they are over."""
        with self._lock:
            mine = self._next = max(self._next + self._step, time.monotonic() - 1)
        if mine >= self._end:
            return False
        time.sleep(max(0.0, mine - time.monotonic()))
        return True
