"""When a thread goes on with a connection, and when it gives it back."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from cds_service.web.worker import DrainingWorker


class One:
    """A worker with a thread, and a connection to a client."""

    def __init__(
        self, mine: socket.socket, client: socket.socket, pool: ThreadPoolExecutor
    ) -> None:
        self.client, self.pool = client, pool
        self.worker: Any = DrainingWorker.__new__(DrainingWorker)
        self.connection: Any = SimpleNamespace(is_http2=False, sock=mine)
        self.worker.alive, self.worker.tpool = True, pool
        self.worker._at_work = {id(self.connection)}

    def goes_on(self) -> bool:
        return bool(self.worker._goes_on_at_once(self.connection))


@pytest.fixture
def one() -> Iterator[One]:
    mine, client = socket.socketpair()
    with mine, client, ThreadPoolExecutor(1) as pool:
        yield One(mine, client, pool)


def test_it_goes_on_only_when_something_has_come(one: One) -> None:
    assert not one.goes_on()
    one.client.sendall(b"P")
    assert one.goes_on()


def test_it_gives_the_thread_back_while_another_is_at_work(one: One) -> None:
    one.client.sendall(b"P")
    one.worker._at_work.add("another")
    assert not one.goes_on()


def test_it_gives_the_thread_back_to_one_that_waits(one: One) -> None:
    one.client.sendall(b"P")
    over = Event()
    one.pool.submit(over.wait)
    one.pool.submit(over.wait)  # the first has the thread
    goes_on = one.goes_on()
    over.set()
    assert not goes_on


def test_it_does_not_go_on_once_stopping(one: One) -> None:
    one.client.sendall(b"P")
    one.worker.alive = False
    assert not one.goes_on()
