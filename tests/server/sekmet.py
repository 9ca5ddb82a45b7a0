"""SEKMET, a FHIR R4 server of other people's making, in an environment of its own."""

from __future__ import annotations

import fcntl
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

_PACKAGE = "sekmet-fhir==0.1.1"
_HOME = Path(__file__).parents[2] / ".venv-sekmet"
_LOCK = Path(tempfile.gettempdir()) / "cds-service-sekmet.lock"
_SECONDS = 30.0
_UNREACHABLE = (
    "No matching distribution",
    "Could not find a version",
    "ConnectionError",
    "Connection refused",
)
TOKEN = "sekmet-canary-token"


def command() -> str:
    """The `sekmet` command, installed when it is not there yet; skips where no registry can
    be reached.
    """
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test workers side by side make it once
        if not (_HOME / ".ready").is_file():
            _install()
    return str(_HOME / "bin" / "sekmet")


def _install() -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--clear", _HOME], check=True, capture_output=True
    )
    pip = [_HOME / "bin" / "python", "-m", "pip", "install", "--quiet", _PACKAGE]
    told = subprocess.run(pip, capture_output=True, text=True, check=False)
    # Without a registry there is no peer to try; our own FHIR server in tests/ asks for the same.
    if told.returncode != 0 and any(sign in told.stderr for sign in _UNREACHABLE):
        pytest.skip(f"pip can reach no registry that has {_PACKAGE}")
    assert told.returncode == 0, told.stderr
    (_HOME / ".ready").touch()


class Sekmet:
    """One server on a free port of loopback, which wants a bearer token."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        settings = {
            "host": "127.0.0.1",
            "port": self._port,
            "base_url": self.base,
            "data_dir": str(folder / "data"),
            "simulator": {"enabled": False},
            "server_auth": {"types": ["bearer"], "tokens": [TOKEN]},
        }
        file = folder / "settings.yaml"
        file.write_text(json.dumps(settings), encoding="utf-8")
        self._process = subprocess.Popen(
            [command(), "serve", "--config", str(file)],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()

    @property
    def base(self) -> str:
        """The address of its FHIR base."""
        return f"http://127.0.0.1:{self._port}/fhir"

    def put(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Store resources under their own ids."""
        for resource in resources:
            path = f"/fhir/{resource['resourceType']}/{resource['id']}"
            status, answer = self._call("PUT", path, json.dumps(resource).encode())
            assert status in (200, 201), answer

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=20)

    def _call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        headers = {"Content-Type": "application/fhir+json", "Authorization": f"Bearer {TOKEN}"}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "sekmet ended"
            try:
                if self._call("GET", "/fhir/metadata")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("sekmet is not ready")
