"""The two servers that are measured, ours and the trivial one, and connections to them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.bench.traffic import AS_OF


@dataclass
class Server:
    """A process that answers on a port."""

    name: str
    port: int
    path: str
    process: subprocess.Popen[bytes]
    cold_start: float = 0.0

    def stop(self) -> None:
        """End it by SIGTERM and wait."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)

    def workers(self) -> list[int]:
        """The process ids of its workers."""
        pid = self.process.pid
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def peak_mb(self) -> float:
        """The greatest peak memory of its workers, in MB."""
        peaks = []
        for pid in self.workers():
            text = Path(f"/proc/{pid}/status").read_text()
            peaks.append(int(text.split("VmHWM:")[1].split()[0]) / 1024)
        return max(peaks, default=0.0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(name: str, path: str, command: list[str], port: int, env: dict[str, str]) -> Server:
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    server = Server(name, port, path, process)
    deadline = begun + 30
    while time.perf_counter() < deadline:
        try:
            with closing(Connection(port)) as connection:
                status, _ = connection.call(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")
            if status == 200:
                server.cold_start = time.perf_counter() - begun
                return server
        except OSError:
            time.sleep(0.01)
    server.stop()
    raise SystemExit(f"{name} did not become ready")


def ours(folder: str) -> Server:
    """Our service, with its database in this folder."""
    port = _free_port()
    env = os.environ | {
        "CDS_DATABASE_URL": f"sqlite:///{folder}/bench.db",
        "CDS_WORKERS": "2",
        "CDS_THREADS": "4",
        "CDS_LOG_LEVEL": "info",
    }
    command = [
        sys.executable,
        "-m",
        "cds_service.cli",
        "serve",
        "--port",
        str(port),
        "--as-of",
        AS_OF.isoformat(),
    ]
    return _start("cds-service", "/cds-services/opioid-safety", command, port, env)


def trivial() -> Server:
    """An endpoint that does nothing but read and write JSON."""
    port = _free_port()
    command = [
        *(
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            str(Path(__file__).with_name("trivial_gunicorn.py")),
        ),
        *("-b", f"127.0.0.1:{port}", "tests.bench.trivial:app"),
    ]
    return _start("trivial", "/cds-services/trivial", command, port, dict(os.environ))


class Connection:
    """One keep-alive connection that sends prepared bytes and reads whole answers."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, message: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self.socket.sendall(message)
        data = b""
        while b"\r\n\r\n" not in data:
            part = self.socket.recv(65536)
            if not part:
                raise OSError("closed")
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            ),
            0,
        )
        while len(body) < length:
            body += self.socket.recv(65536)
        return int(head.split(b" ", 2)[1]), body

    def close(self) -> None:
        """Close it."""
        self.socket.close()
