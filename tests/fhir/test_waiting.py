"""Waiting for FHIR servers: asked again, given up, left alone for a while, by how many at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event, Semaphore, Thread
from typing import Any

import pytest

from cds_service.callback import Callbacks
from cds_service.clients import ANYONE
from cds_service.errors import FhirReadError
from cds_service.fhir.client import FhirClient, Pages
from cds_service.outbound import cut_overdue, get, guarded_session
from cds_service.settings import Mode, Settings
from cds_service.waiting import Outages, Seated
from tests.fhir.test_client import HERE, Ehr, ask, bundle, condition, ehr
from tests.fhir.test_outbound import hook
from tests.web.signed import Clock

__all__ = ["ehr"]  # a fixture


class Turns(dict[str, Any]):
    """A table whose answers come in turn."""

    def get(self, path: str, _default: Any = None) -> Any:
        return self[path].pop(0)


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_server_that_asks_to_be_asked_again_is_asked_once_more(ehr: Ehr, status: int) -> None:
    path = "/fhir/Condition?patient=p1"
    ehr.table = Turns({path: [(status, {"Retry-After": "0"}, b""), bundle(condition())]})
    assert isinstance(ask(ehr), Pages)
    ehr.table = Turns(
        {path: [(status, {"Retry-After": "0"}, b""), (status, {"Retry-After": "0"}, b"")]}
    )
    assert ask(ehr) == f"status {status}"
    assert len(ehr.seen) == 4


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (503, "9"),
        (503, "-1"),
        (503, "Wed, 21 Oct 2026 07:28:00 GMT"),
        (503, "9" * 5000),
        (500, "0"),
        (404, "0"),
    ],
)
def test_no_other_answer_is_asked_for_again(ehr: Ehr, status: int, after: str) -> None:
    ehr.table["/fhir/Condition?patient=p1"] = (status, {"Retry-After": after}, b"")
    started = time.monotonic()
    assert ask(ehr) == f"status {status}"
    assert len(ehr.seen) == 1
    assert time.monotonic() - started < 1


@pytest.mark.slow
def test_the_wait_before_asking_again_is_within_the_deadline(ehr: Ehr) -> None:
    path = "/fhir/Condition?patient=p1"
    ehr.table = Turns({path: [(503, {"Retry-After": "1"}, b""), bundle(condition())]})
    assert isinstance(ask(ehr, seconds=3), Pages)


@contextmanager
def dripping(first: bytes) -> Iterator[tuple[str, Event]]:
    """A server that sends `first`, then drips for ever; the event says that it was left."""
    left = Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _ = listening.accept()
        with line:
            try:
                line.sendall(first)
                while True:
                    line.sendall(b"x")
                    time.sleep(0.02)
            except OSError:
                left.set()

    thread = Thread(target=serve, daemon=True)
    thread.start()
    with listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/fhir", left


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1 200 OK\r\nX-",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n",
    ],
    ids=["headers", "chunk size", "endless", "slow"],
)
def test_what_drips_in_for_ever_holds_no_thread(first: bytes) -> None:
    with dripping(first) as (base, left), ThreadPoolExecutor(1) as pool:
        session = guarded_session(lambda _: True, HERE)
        asked = FhirClient(base, None, session, time.monotonic() + 0.2, pool=pool)
        assert str(asked.gather({"q": "Patient/p1"})["q"]) == "timeout"
        assert left.wait(1)
        assert pool.submit(int).result(1) == 0


def test_a_thread_that_comes_to_read_after_the_deadline_is_not_held_either() -> None:
    def allowed_late(_: str) -> bool:
        time.sleep(0.3)  # as in a long collection of garbage
        return True

    first = b"HTTP/1.1 200 OK\r\nX-"
    with dripping(first) as (base, left), ThreadPoolExecutor(1) as pool:
        session = guarded_session(allowed_late, HERE)
        asked = FhirClient(base, None, session, time.monotonic() + 0.2, pool=pool)
        assert str(asked.gather({"q": "Patient/p1"})["q"]) == "timeout"
        free = left.wait(2)
        if not free:
            cut_overdue(session)  # or this test would never end
    assert free


def test_a_line_whose_time_is_not_up_is_not_cut(ehr: Ehr) -> None:
    """One slow question costs the others of its client nothing."""
    ehr.table["/fhir/slow"] = (200, {"Wait": "0.4"}, b"{}")
    session = guarded_session(lambda _url: True, HERE)
    end = time.monotonic() + 10
    how: dict[str, Any] = {"headers": {}, "deadline": end, "most_bytes": 10}
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(get, session, f"{ehr.base}/slow", **how)
        while not ehr.seen and time.monotonic() < end:
            time.sleep(0.01)
        cut_overdue(session)
        assert asked.result().status == 200


class Answers:
    """A FHIR server of a few words."""

    def __init__(self, *words: str) -> None:
        self.words, self.asked = list(words), 0

    def gather(self, queries: Any) -> dict[str, Pages | FhirReadError]:
        self.asked += 1
        said = self.words.pop(0).split()
        return {
            name: Pages((b"{}",)) if word == "ok" else FhirReadError(word)
            for name, word in zip(queries, said, strict=False)
        }


def test_a_server_that_timed_out_three_times_running_rests_for_ten_seconds() -> None:
    clock = Clock()
    server = Answers("timeout", "timeout", "timeout timeout", "timeout", "ok", "timeout")
    seated = Seated(server, "a", Semaphore(), Outages(clock))

    def said() -> str:
        return str(seated.gather({"q": "x"})["q"])

    assert [said() for _ in range(3)] == ["timeout"] * 3
    assert said() == "it did not answer in time lately"
    other = Seated(Answers("ok"), "b", Semaphore(), Outages(clock))
    assert isinstance(other.gather({"q": "x"})["q"], Pages)
    clock.at += 9.9
    assert said() == "it did not answer in time lately"
    clock.at += 0.1
    assert said() == "timeout"
    assert said() == "it did not answer in time lately"
    clock.at += 10
    assert "Pages" in said()
    assert said() == "timeout"
    assert server.asked == 6


@pytest.mark.parametrize("between", ["ok", "status", "ok timeout"])
def test_any_answer_ends_the_row(between: str) -> None:
    server = Answers("timeout", "timeout", between, "timeout", "timeout", "ok")
    seated = Seated(server, "a", Semaphore(), Outages(Clock()))
    for _ in range(6):
        found = seated.gather({"q": "x", "r": "y"})
    assert isinstance(found["q"], Pages)


@pytest.mark.parametrize(("threads", "waiting"), [(1, 1), (2, 1), (5, 2), (8, 4)])
def test_half_the_threads_wait_and_the_others_go_on_without(
    ehr: Ehr, threads: int, waiting: int
) -> None:
    ehr.table["/fhir/Patient/p1"] = (200, {"Wait": 0.5}, b"{}")
    callbacks = Callbacks(Settings(mode=Mode.TEST, threads=threads))

    together = Barrier(9)

    def one(_: int) -> tuple[str, float]:
        server, _note = callbacks.of(hook(ehr.base), ANYONE)
        assert server is not None
        together.wait()
        started = time.monotonic()
        found = server.gather({"q": "Patient/p1"})["q"]
        return str(found)[:4], time.monotonic() - started

    with ThreadPoolExecutor(9) as pool:
        came = list(pool.map(one, range(9)))
    callbacks.close()
    assert sum(said == "Page" for said, _ in came) == waiting
    assert all(said == "Page" or (said == "busy" and seconds < 0.4) for said, seconds in came)


def test_a_fixed_date_gives_the_same_call_the_same_answer(ehr: Ehr) -> None:
    settings = Settings(mode=Mode.TEST, as_of="2026-03-01", threads=1, abort_ms=150)
    callbacks = Callbacks(settings)
    for _ in range(5):
        ehr.table["/fhir/Patient/p1"] = (200, {"Wait": 0.4}, b"{}")
        server, _note = callbacks.of(hook(ehr.base), ANYONE)
        assert server is not None
        assert str(server.gather({"q": "Patient/p1"})["q"]) == "timeout"
    callbacks.close()
    patience = time.monotonic() + 5
    while len(ehr.seen) < 5 and time.monotonic() < patience:
        time.sleep(0.01)  # the server may be slower to note a call than we are to give it up
    assert len(ehr.seen) == 5
