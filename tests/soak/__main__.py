"""`make soak`: minutes of mixed traffic, a worker killed every 30 s, a FHIR server that cannot be
trusted.

Bounded and on loopback only. Exit 1 if an answer was a 5xx or a refusal, if acknowledged feedback
is not in the database, or if the worker that lived throughout grew.
"""

from __future__ import annotations

import argparse
import re
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from tests.soak.service import Serving
from tests.soak.traffic import Caller, Tally, Turns
from tests.soak.unfaithful import Unfaithful, unfaithful

RATE = 200  # calls a second, feedback not counted
CALLERS = 16
KILL_EVERY = 30.0  # seconds
SAMPLE_EVERY = 2.0
WARM_SHARE = 0.3  # of the time, before memory is compared
MOST_GROWTH_MB = 12.0
MOST_BROKEN_A_KILL = (
    CALLERS * 4
)  # connections: those a killed worker held, and those it had not yet accepted


def main() -> int:
    """Run it and print the figures."""
    asked = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    asked.add_argument("--minutes", type=float, default=10.0)
    asked.add_argument("--rate", type=float, default=RATE)
    chosen = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, unfaithful() as fhir:
        serving = Serving(Path(folder))
        try:
            serving.wait()
            tally, memory = _soak(serving, fhir, chosen.minutes * 60, chosen.rate)
            metrics = serving.get("/metrics")[1]
        finally:
            code = serving.stop()
        faults = _faults(serving, tally, memory, code)
        _print(serving, fhir, tally, memory, chosen.minutes * 60, metrics)
    print("\n".join(f"fault: {fault}" for fault in faults) or "nothing wrong")
    return 1 if faults else 0


def _soak(
    serving: Serving, fhir: Unfaithful, seconds: float, rate: float
) -> tuple[Tally, list[dict[int, float]]]:
    """The traffic, and the memory of each worker as it went on."""
    tally, turns, memory = Tally(), Turns(rate, seconds), list[dict[int, float]]()
    callers = [Caller(serving.port, fhir.base, turns, tally, seed) for seed in range(CALLERS)]
    for caller in callers:
        caller.start()
    kill = sample = time.monotonic()
    kill += KILL_EVERY
    while any(caller.is_alive() for caller in callers):
        now = time.monotonic()
        if now >= kill:
            kill += KILL_EVERY
            serving.kill_one()
        if now >= sample:
            sample += SAMPLE_EVERY
            memory.append(serving.memory_mb())
        time.sleep(0.1)
    return tally, memory


def _growth(memory: list[dict[int, float]]) -> tuple[float, float]:
    """Of the worker that lived throughout: memory once it was warm, and how much it grew to
    the end.
    """
    lasting = set(memory[0]).intersection(*memory[1:]) if memory else set()
    held = [sample[pid] for sample in memory for pid in lasting]
    warm = held[int(len(held) * WARM_SHARE) :]
    third = max(1, len(warm) // 3)
    return median(warm[:third]), median(warm[-third:]) - median(warm[:third])


def _faults(serving: Serving, tally: Tally, memory: list[dict[int, float]], code: int) -> list[str]:
    found = [f"an answer that must not be: {bad}" for bad in tally.bad[:10]]
    lost = set(tally.acknowledged) - _stored(serving.database)
    if lost:
        found.append(f"{len(lost)} acknowledged feedback items are not in the database")
    if tally.given_up:
        found.append(f"{tally.given_up} feedback items were never acknowledged")
    if _growth(memory)[1] > MOST_GROWTH_MB:
        found.append(f"the lasting worker grew by {_growth(memory)[1]:.1f} MB")
    if tally.broken > serving.killed * MOST_BROKEN_A_KILL:
        found.append(f"{tally.broken} connections broke, {serving.killed} workers were killed")
    if code != 0:
        found.append(f"the service ended with {code}")
    if not tally.milliseconds or not tally.acknowledged:
        found.append("there was no traffic")
    return found


def _stored(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return {row[0] for row in connection.execute("SELECT card_uuid FROM feedback")}


def _print(
    serving: Serving,
    fhir: Unfaithful,
    tally: Tally,
    memory: list[dict[int, float]],
    seconds: float,
    metrics: str,
) -> None:
    times = sorted(tally.milliseconds)
    held, growth = _growth(memory)
    stored, waiting = (
        _stored(serving.database),
        re.search(r"^cds_queue_rows (\S+)", metrics, re.MULTILINE),
    )
    quantiles = {f"p{share}": times[len(times) * share // 100] for share in (50, 95, 99)}
    for name, said in {
        "calls": f"{len(times) / seconds:.0f} answered a second for {seconds:.0f} s",
        "statuses": dict(sorted(tally.statuses.items())),
        "milliseconds": ", ".join(f"{name} {value:.1f}" for name, value in quantiles.items()),
        "workers killed": f"{serving.killed}; connections broken {tally.broken}",
        "feedback": f"{len(tally.acknowledged)} items acknowledged, {len(stored)} cards of them stored",
        "snoozed": f"{tally.snoozed} findings kept quiet",
        "FHIR server": f"asked {dict(sorted(fhir.seen.items()))}",
        "lasting worker": f"{held:.1f} MB of its own when warm, {growth:+.1f} MB at the end",
        "rows": f"{_rows(serving.database)} in {serving.database.stat().st_size / 1e6:.1f} MB",
        "log": f"{_failures(serving.log)} lines tell of a failure",
        "queue at the end": f"{waiting[1] if waiting else '?'} rows",
    }.items():
        print(f"{name:18} {said}")


def _rows(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(database)) as connection:
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in ("issued_card", "feedback", "snooze", "audit_event")
        }


def _failures(log: Path) -> int:
    return sum(
        '"event":"failure"' in line or '"event":"error"' in line
        for line in log.open(errors="replace")
    )


if __name__ == "__main__":
    sys.exit(main())
