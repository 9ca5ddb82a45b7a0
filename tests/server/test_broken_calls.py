"""The real server and calls that are no HTTP, that break off, or that never end."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.server.running import Running

pytestmark = [pytest.mark.server, pytest.mark.slow]
PATH = "/cds-services/opioid-safety"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n".encode()
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PIECE = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
MORE_THAN_THREADS = 12  # of two workers


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(Path(tmp_path_factory.mktemp("serve")))
    try:
        server.wait()
        yield server
    finally:
        server.process.kill()
        with server.process:  # closes its pipes
            pass


def answered(server: Running, sent: bytes) -> tuple[int, Any]:
    """The status and the JSON of the first answer to these bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(sent)
        said = b""
        while b"\r\n\r\n" not in said or not _whole(said):
            piece = line.recv(65_536)
            if not piece:
                break
            said += piece
    head, _, rest = said.partition(b"\r\n\r\n")
    assert b"application/json" in head
    return int(head.split()[1]), json.loads(rest)


def _whole(said: bytes) -> bool:
    head, _, rest = said.partition(b"\r\n\r\n")
    length = next(
        line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    return len(rest) >= int(length.partition(b":")[2])


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HEAD + b"A B: c\r\n\r\n", 400),
        (HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (b"GET /cds-services\r\n\r\n", 400),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (HEAD + b"A: " + b"b" * 9000 + b"\r\n\r\n", 431),
        (HEAD + b"Expect: soon\r\nContent-Length: 2\r\n\r\n{}", 417),
        (CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + PIECE * 6 + b"0\r\n\r\n", 413),
    ],
)
def test_every_refusal_is_an_outcome(running: Running, sent: bytes, status: int) -> None:
    found, outcome = answered(running, sent)
    assert found == status
    assert outcome["resourceType"] == "OperationOutcome"
    assert running.call("GET", "/health") == (200, {"status": "ok"})


def seconds_beside(running: Running, part: bytes) -> float:
    """How long another waits while many connections have sent so much and no more."""
    with ExitStack() as lines:
        for _ in range(MORE_THAN_THREADS):
            line = socket.create_connection(("127.0.0.1", running.port), timeout=20)
            lines.enter_context(line).sendall(part)
        time.sleep(0.2)
        start = time.monotonic()
        while time.monotonic() < start + 40:
            with suppress(TimeoutError):
                assert running.call("GET", "/health") == (200, {"status": "ok"})
                return time.monotonic() - start
    raise AssertionError("nobody was answered")


@pytest.mark.parametrize("part", [HEAD[:40], HEAD + b"Content-Length: 100\r\n\r\n{"])
def test_calls_that_never_end_do_not_keep_others_out_for_long(
    running: Running, part: bytes
) -> None:
    assert (
        seconds_beside(running, part) < 35
    )  # chance may put all of them on one worker, thrice full


def test_connections_that_wait_to_be_used_keep_nobody_out(running: Running) -> None:
    assert seconds_beside(running, b"") < 2


def test_a_body_that_broke_off_is_waited_for_once(running: Running) -> None:
    start = time.monotonic()
    found, _ = answered(running, HEAD + b"Content-Length: 100\r\n\r\n{")
    assert found == 400
    assert time.monotonic() - start < 8  # five seconds, and not five more


def test_a_refused_client_that_does_not_hang_up_keeps_nobody_waiting(running: Running) -> None:
    with ExitStack() as lines:
        for _ in range(MORE_THAN_THREADS):
            line = socket.create_connection(("127.0.0.1", running.port), timeout=20)
            lines.enter_context(line).sendall(HEAD + b"A B: c\r\n\r\n")
        start = time.monotonic()
        for _ in range(4):
            assert running.call("GET", "/health") == (200, {"status": "ok"})
        assert time.monotonic() - start < 4
