"""`make bench`: p50 and p99 at concurrency 1, requests a second at 8, memory and cold start, ours
and trivial.

Each figure is the median over five fresh sets of connections, because keep-alive connections may
fall unevenly on the workers. Loopback only, bounded in time. Exit 1 when a goal is missed, so that
a regression is seen.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import orjson

from tests.bench.traffic import AS_OF, request

SIZES = (20, 200, 2000)
ROUNDS = 5
SINGLE = {20: 300, 200: 200, 2000: 40}  # requests a round at concurrency 1
SECONDS_AT_EIGHT = 2.0
P50_MS = {20: 2.0, 200: 3.0, 2000: 18.0}
P50_RATIO = {20: 4.0, 200: 3.0, 2000: 1.0}


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

    def peak_mb(self) -> float:
        """The greatest peak memory of its workers, in MB."""
        peaks = []
        for pid in _children(self.process.pid):
            text = Path(f"/proc/{pid}/status").read_text()
            peaks.append(int(text.split("VmHWM:")[1].split()[0]) / 1024)
        return max(peaks, default=0.0)


def _children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


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
            status, _ = _Connection(port).call(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")
            if status == 200:
                server.cold_start = time.perf_counter() - begun
                return server
        except OSError:
            time.sleep(0.01)
    server.stop()
    raise SystemExit(f"{name} did not become ready")


def _ours(folder: str) -> Server:
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


def _trivial() -> Server:
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


class _Connection:
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


def _message(server: Server, body: bytes) -> bytes:
    head = (
        f"POST {server.path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _one_by_one(server: Server, size: int) -> tuple[float, float]:
    """p50 and p99 in ms over one fresh connection."""
    connection, message = _Connection(server.port), _message(server, request(size))
    times = []
    for _ in range(SINGLE[size]):
        begun = time.perf_counter()
        status, _body = connection.call(message)
        times.append((time.perf_counter() - begun) * 1000)
        if status != 200:
            raise SystemExit(f"{server.name} answered {status}")
    connection.close()
    times.sort()
    return times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]


def _eight_at_once(server: Server, size: int) -> float:
    """Requests a second over eight fresh connections."""
    message, done, end = (
        _message(server, request(size)),
        [0] * 8,
        time.perf_counter() + SECONDS_AT_EIGHT,
    )

    def client(n: int) -> None:
        connection = _Connection(server.port)
        while time.perf_counter() < end:
            connection.call(message)
            done[n] += 1
        connection.close()

    threads = [threading.Thread(target=client, args=(n,)) for n in range(8)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - begun)


def _measure(servers: list[Server], size: int) -> dict[str, dict[str, float]]:
    """Ours and trivial side by side, round by round."""
    rounds: dict[str, list[tuple[float, float, float]]] = {s.name: [] for s in servers}
    for _ in range(ROUNDS):
        for server in servers:
            p50, p99 = _one_by_one(server, size)
            rounds[server.name].append((p50, p99, _eight_at_once(server, size)))
    keys = ("p50", "p99", "rate")
    return {
        name: {key: median(r[i] for r in found) for i, key in enumerate(keys)}
        for name, found in rounds.items()
    }


def _verdict(size: int, ours: dict[str, float], trivial: dict[str, float]) -> list[str]:
    missed = []
    if ours["p50"] > P50_MS[size]:
        missed.append(f"{size}: p50 {ours['p50']:.2f} ms, goal {P50_MS[size]}")
    if ours["p50"] > P50_RATIO[size] * trivial["p50"]:
        missed.append(
            f"{size}: p50 ratio {ours['p50'] / trivial['p50']:.2f}, goal {P50_RATIO[size]}"
        )
    if ours["p99"] > 5 * ours["p50"]:
        missed.append(f"{size}: p99 is {ours['p99'] / ours['p50']:.1f} times p50, goal 5")
    if size == 200 and ours["rate"] < 600:
        missed.append(f"200: {ours['rate']:.0f} requests/s at 8, goal 600")
    if size == 2000 and ours["rate"] < trivial["rate"]:
        missed.append(f"2000: {ours['rate']:.0f} requests/s at 8, trivial {trivial['rate']:.0f}")
    return missed


def _recorded(rows: list[dict[str, float]], memory: float, start: float) -> bytes:
    """The figures of ours as the operator's guide shows them."""
    known = {
        "on": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} processors ({platform.machine()}, Python {platform.python_version()})",
        "workers": 2,
        "threads": 4,
        "memory_mb": round(memory),
        "ready_s": round(start, 2),
        "rows": rows,
    }
    return orjson.dumps(known, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def main(record: Path | None = None) -> int:
    """Run it and print a table; write the figures to `record`, where the operator's guide
    finds them.
    """
    missed: list[str] = []
    rows: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        cold = []
        for _ in range(ROUNDS - 1):
            server = _ours(folder)
            cold.append(server.cold_start)
            server.stop()
        servers = [_ours(folder), _trivial()]
        cold.append(servers[0].cold_start)
        try:
            print("resources  who            p50 ms   p99 ms   req/s at 8   p50 ratio   rate ratio")
            for size in SIZES:
                found = _measure(servers, size)
                ours, trivial = found["cds-service"], found["trivial"]
                rows.append(
                    {"resources": size} | {key: round(ours[key], 1) for key in ("p50", "p99")}
                )
                rows[-1]["rate"] = round(ours["rate"])
                for name, row in found.items():
                    ratios = (
                        f"{ours['p50'] / trivial['p50']:9.2f}   {ours['rate'] / trivial['rate']:10.2f}"
                        if name == "cds-service"
                        else ""
                    )
                    print(
                        f"{size:9d}  {name:12s} {row['p50']:8.2f} {row['p99']:8.2f}"
                        f" {row['rate']:12.0f}   {ratios}"
                    )
                missed += _verdict(size, ours, trivial)
            peaks = [server.peak_mb() for server in servers]
        finally:
            for server in servers:
                server.stop()
    start = median(cold)
    if record is not None:
        record.write_bytes(_recorded(rows, peaks[0], start))
    print(
        f"peak memory of a worker: {peaks[0]:.0f} MB (trivial {peaks[1]:.0f}); ready in {start:.2f} s"
    )
    missed += [f"memory {peaks[0]:.0f} MB, goal 150"] if peaks[0] > 150 else []
    missed += [f"ready in {start:.2f} s, goal 1.2"] if start > 1.2 else []
    print("\n".join(f"missed: {line}" for line in missed) or "all goals met")
    return 1 if missed else 0


if __name__ == "__main__":
    asked = argparse.ArgumentParser(prog="python -m tests.bench")
    asked.add_argument("--record", type=Path, help="write the figures to this file")
    sys.exit(main(asked.parse_args().record))
