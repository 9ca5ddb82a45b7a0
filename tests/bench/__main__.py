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
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import orjson

from tests.bench.servers import Connection, Server, ours, trivial
from tests.bench.traffic import request

SIZES = (20, 200, 2000)
ROUNDS = 5
SINGLE = {20: 300, 200: 200, 2000: 40}  # requests a round at concurrency 1
SECONDS_AT_EIGHT = 2.0
P50_MS = {20: 2.0, 200: 3.0, 2000: 18.0}
P50_RATIO = {20: 4.0, 200: 3.0, 2000: 1.0}


def _message(server: Server, body: bytes) -> bytes:
    head = (
        f"POST {server.path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _one_by_one(server: Server, size: int) -> tuple[float, float]:
    """p50 and p99 in ms over one fresh connection."""
    connection, message = Connection(server.port), _message(server, request(size))
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
        connection = Connection(server.port)
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


def _verdict(size: int, our: dict[str, float], other: dict[str, float]) -> list[str]:
    missed = []
    if our["p50"] > P50_MS[size]:
        missed.append(f"{size}: p50 {our['p50']:.2f} ms, goal {P50_MS[size]}")
    if our["p50"] > P50_RATIO[size] * other["p50"]:
        missed.append(f"{size}: p50 ratio {our['p50'] / other['p50']:.2f}, goal {P50_RATIO[size]}")
    if our["p99"] > 5 * our["p50"]:
        missed.append(f"{size}: p99 is {our['p99'] / our['p50']:.1f} times p50, goal 5")
    if size == 200 and our["rate"] < 600:
        missed.append(f"200: {our['rate']:.0f} requests/s at 8, goal 600")
    if size == 2000 and our["rate"] < other["rate"]:
        missed.append(f"2000: {our['rate']:.0f} requests/s at 8, trivial {other['rate']:.0f}")
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


def _started(folder: str) -> tuple[list[Server], float]:
    """Both servers, and the median time in which ours became ready."""
    cold = []
    for _ in range(ROUNDS - 1):
        server = ours(folder)
        cold.append(server.cold_start)
        server.stop()
    servers = [ours(folder), trivial()]
    cold.append(servers[0].cold_start)
    return servers, median(cold)


def _print_rows(size: int, found: dict[str, dict[str, float]]) -> None:
    """A line for each server; ours with its ratios to the trivial one."""
    our, other = found["cds-service"], found["trivial"]
    for name, row in found.items():
        ratios = (
            f"{our['p50'] / other['p50']:9.2f}   {our['rate'] / other['rate']:10.2f}"
            if name == "cds-service"
            else ""
        )
        print(
            f"{size:9d}  {name:12s} {row['p50']:8.2f} {row['p99']:8.2f}"
            f" {row['rate']:12.0f}   {ratios}"
        )


def main(record: Path | None = None) -> int:
    """Run it and print a table; write the figures to `record`, where the operator's guide
    finds them.
    """
    missed: list[str] = []
    rows: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        servers, start = _started(folder)
        try:
            print("resources  who            p50 ms   p99 ms   req/s at 8   p50 ratio   rate ratio")
            for size in SIZES:
                found = _measure(servers, size)
                our = found["cds-service"]
                rows.append(
                    {"resources": size} | {key: round(our[key], 1) for key in ("p50", "p99")}
                )
                rows[-1]["rate"] = round(our["rate"])
                _print_rows(size, found)
                missed += _verdict(size, our, found["trivial"])
            peaks = [server.peak_mb() for server in servers]
        finally:
            for server in servers:
                server.stop()
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
