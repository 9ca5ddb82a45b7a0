"""The service under load: started here, its workers watched and, one at a time, killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

from tests.bench.traffic import AS_OF

WORKERS = 2


class Serving:
    """One `cds-service serve` with two workers."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.database = folder / "soak.db"
        self.log = folder / "log"
        command = [sys.executable, "-m", "cds_service.cli", "serve", "--port", str(self.port)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--as-of", AS_OF.isoformat()],
                env=os.environ
                | {
                    "CDS_DATABASE_URL": f"sqlite:///{self.database}",
                    "CDS_WORKERS": str(WORKERS),
                    "CDS_THREADS": "4",
                    "CDS_ABORT_MS": "1500",
                    "CDS_AUDIT": "database",
                    "TMPDIR": str(folder),
                },
                stdout=log,
                stderr=log,
            )
        self.killed = 0

    def wait(self) -> None:
        """Until it is ready."""
        for _ in range(500):
            with suppress(OSError):
                if self.get("/ready")[0] == 200 and len(self.workers()) == WORKERS:
                    return
            time.sleep(0.05)
        raise SystemExit("the service did not become ready")

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of one GET."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """The process ids of the workers, the oldest first: the children of the process
        started here.
        """
        pid = self.process.pid
        try:
            listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        except OSError:
            return []
        return sorted((int(child) for child in listed.split()), key=_began)

    def kill_one(self) -> None:
        """Kill the youngest worker, so that the oldest lives long enough to show whether it
        grows.
        """
        workers = self.workers()
        if len(workers) == WORKERS:
            os.kill(workers[-1], signal.SIGKILL)
            self.killed += 1

    def memory_mb(self) -> dict[int, float]:
        """What each worker holds for itself."""
        return {pid: held for pid in self.workers() if (held := _held_mb(pid)) is not None}

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def _began(pid: int) -> int:
    """When a process began, in ticks; one that is gone counts as the youngest."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return sys.maxsize


def _held_mb(pid: int) -> float | None:
    """Resident memory that is not a file's, such as the database's shared index."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next(
        (int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon:")), None
    )
