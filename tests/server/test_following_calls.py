"""A thread goes on with a connection whose next call comes at once, unless another waits for it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.running import Running, served

pytestmark = [pytest.mark.server, pytest.mark.slow]

ASK = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Running]:
    """A server with a single thread."""
    yield from served(Running(tmp_path, CDS_WORKERS="1", CDS_THREADS="1"))


def answered(line: socket.socket) -> bytes:
    """The answer to one question on a connection that stays."""
    line.sendall(ASK)
    said = b""
    while b"ok" not in said:
        piece = line.recv(4096)
        assert piece
        said += piece
    return said


def test_calls_that_follow_at_once_and_after_a_pause_are_answered(narrow: Running) -> None:
    with socket.create_connection(("127.0.0.1", narrow.port), timeout=5) as line:
        for pause in (0.0, 0.0, 0.001, 0.05, 0.0, 0.05):
            time.sleep(pause)
            assert answered(line).startswith(b"HTTP/1.1 200")
        line.sendall(ASK + ASK)  # two at once
        said = b""
        while said.count(b"ok") < 2:
            said += line.recv(4096)


def told(size: int) -> bytes:
    """A call of an empty list of feedback, in so many bytes."""
    head = "POST /cds-services/opioid-safety/feedback HTTP/1.1\r\nHost: x\r\n"
    typed = f"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    return (head + typed).encode() + b'{"feedback": []}'.ljust(size)


@pytest.mark.parametrize("sizes", [(16, 16), (16, 300_000), (300_000, 16), (8_000, 9_000)])
@pytest.mark.parametrize("piece", [10_000_000, 70_000])
def test_a_call_ends_where_its_body_ends(
    narrow: Running, sizes: tuple[int, int], piece: int
) -> None:
    sent = b"".join(map(told, sizes)) + ASK
    with socket.create_connection(("127.0.0.1", narrow.port), timeout=5) as line:
        for at in range(0, len(sent), piece):
            line.sendall(sent[at : at + piece])
            time.sleep(0.01)
        said = b""
        while b"ok" not in said:
            came = line.recv(4096)
            assert came, said
            said += came
    assert said.count(b"HTTP/1.1 200") == 3


def test_a_connection_whose_call_never_ended_takes_no_other(narrow: Running) -> None:
    with socket.create_connection(("127.0.0.1", narrow.port), timeout=20) as line:
        line.sendall(told(300_000)[:100_000])
        said = line.recv(4096)
        assert said.startswith(b"HTTP/1.1 400")
        line.sendall(ASK)
        while piece := line.recv(4096):
            said += piece
        assert said.count(b"HTTP/1.1") == 1


def test_a_connection_without_pause_leaves_others_their_turn(narrow: Running) -> None:
    enough = threading.Event()

    def ask_on() -> None:
        with socket.create_connection(("127.0.0.1", narrow.port), timeout=5) as line:
            while not enough.is_set():
                answered(line)

    busy = threading.Thread(target=ask_on)
    busy.start()
    try:
        for _ in range(10):
            begun = time.monotonic()
            with socket.create_connection(("127.0.0.1", narrow.port), timeout=5) as line:
                answered(line)
            assert time.monotonic() - begun < 1
    finally:
        enough.set()
        busy.join()


def test_a_server_that_stops_does_not_wait_for_the_next_call(narrow: Running) -> None:
    with socket.create_connection(("127.0.0.1", narrow.port), timeout=5) as line:
        answered(line)
        begun = time.monotonic()
        code, _, _ = narrow.stop()
        assert (code, time.monotonic() - begun < 5) == (0, True)
