"""A real server for the time of a test."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from http.client import HTTPConnection
from pathlib import Path
from typing import Any


class Running:
    """One `cds-service serve --as-of` on a free port."""

    def __init__(self, folder: Path, as_of: date = date(2024, 3, 1), **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        command = [sys.executable, "-m", "cds_service.cli", "serve"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--as-of", as_of.isoformat()],
            env=os.environ | {"TMPDIR": str(folder), "CDS_WORKERS": "2"} | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def call(self, method: str, path: str, sent: bytes | None = None) -> tuple[int, Any]:
        """Status and JSON of one call on a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, sent, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def wait(self) -> None:
        """Until it is ready."""
        for _ in range(500):
            try:
                if self.call("GET", "/ready")[0] == 200:
                    return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("not ready")

    def stop(self) -> tuple[int, bytes, bytes]:
        """SIGTERM; the exit code and what it said."""
        self.process.send_signal(signal.SIGTERM)
        said, complained = self.process.communicate(timeout=20)
        return self.process.returncode, said, complained


def served(server: Running) -> Iterator[Running]:
    """A server for a fixture: ready, and gone afterwards."""
    try:
        server.wait()
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        with server.process:  # closes its pipes
            pass
