"""The real server among its clients: tokens are used once by all workers, and stopping
harms no call.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.hook_requests import OXYCODONE, body, order_sign
from tests.server.running import Running, served
from tests.web.signed import BASE, ISSUER, SERVICE_PATH, bearer, claims, pair, public, token

pytestmark = [pytest.mark.server, pytest.mark.slow]
KEY = pair("ES384", "k")
SENT = body(order_sign(OXYCODONE, prefetch={}))


class Known(Running):
    """A server with one client, whose keys stand in a file."""

    def __init__(self, folder: Path, **environment: str) -> None:
        (folder / "keys.json").write_text(json.dumps({"keys": public(KEY)}))
        (folder / "clients.yaml").write_text(
            f"clients:\n  a: {{issuer: {ISSUER}, keys: keys.json}}\n"
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        settings = {
            "CDS_CLIENTS": str(folder / "clients.yaml"),
            "CDS_PUBLIC_URL": BASE,
            "CDS_PORT": str(self.port),
            "CDS_WORKERS": "2",
            "CDS_DATABASE_URL": f"sqlite:///{folder / 'memory.db'}",
            "CDS_HASH_KEY": "a secret of the site's own",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cds_service.cli", "serve"],
            env=os.environ | settings | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


@pytest.fixture
def known(tmp_path: Path) -> Iterator[Running]:
    yield from served(Known(tmp_path, CDS_MODE="production"))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    yield from served(Running(tmp_path))


class Stalling(ThreadingHTTPServer):
    """A FHIR server that lets one wait."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked, self.go = threading.Event(), threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Stalling

    def do_GET(self) -> None:
        self.server.asked.set()
        self.server.go.wait(8)
        self.send_error(404)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


def post(server: Running, sent: bytes, headers: dict[str, str]) -> int:
    """The status of one call on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("POST", SERVICE_PATH, sent, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def test_a_token_is_good_once_for_all_workers(known: Running) -> None:
    assert post(known, SENT, {"Content-Type": "application/json"}) == 401
    for _ in range(4):
        headers = bearer(token(KEY, claims()))
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: post(known, SENT, headers), range(16)))  # noqa: B023
        assert sorted(found) == [401] * 15 + [412]
    code, said, _ = known.stop()
    assert code == 0
    assert b"the token was used before" in said
    assert headers["Authorization"].encode() not in said


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"CDS_CLIENTS": ""}, b"CDS_CLIENTS"),
        ({"CDS_PUBLIC_URL": "http://cds.example.org"}, b"CDS_PUBLIC_URL"),
        ({"CDS_HASH_KEY": ""}, b"CDS_HASH_KEY"),
        ({"CDS_AS_OF": "2024-03-01"}, b"AS_OF"),
        ({"FLASK_DEBUG": "1"}, b"FLASK_DEBUG"),
    ],
)
def test_production_refuses_to_start(tmp_path: Path, changed: dict[str, str], names: bytes) -> None:
    server = Known(tmp_path, **({"CDS_MODE": "production"} | changed))
    _, complained = server.process.communicate(timeout=20)
    assert server.process.returncode == 2
    assert names in complained
    assert len(complained.splitlines()) == 1
    assert not (tmp_path / "memory.db").exists()


def test_a_call_in_hand_is_finished_and_new_ones_are_turned_away(running: Running) -> None:
    with Stalling() as ehr, ThreadPoolExecutor(1) as pool:
        base = f"http://127.0.0.1:{ehr.server_port}/fhir"
        slow = body(order_sign(OXYCODONE, prefetch={}, fhirServer=base))
        headers = {"Content-Type": "application/json"}
        first = pool.submit(post, running, slow, headers)
        assert ehr.asked.wait(10)
        running.process.send_signal(signal.SIGTERM)
        found: list[int | str] = []
        end = time.monotonic() + 3
        while time.monotonic() < end:
            try:
                found.append(post(running, SENT, headers))
            except OSError as error:  # a worker that had nothing in hand has gone
                found.append(type(error).__name__)
            time.sleep(0.05)
        assert found[-10:] == [503] * 10
        assert 200 not in found[3:]
        ehr.go.set()
        assert first.result() in (200, 412)
        ehr.shutdown()
    code, _, complained = running.stop()
    assert (code, complained) == (0, b"")
