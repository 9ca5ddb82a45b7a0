"""The memory of large calls, in the workers of the real server."""

from __future__ import annotations

import ctypes
import os
from contextlib import closing
from pathlib import Path
from statistics import median

import pytest

from tests.bench.servers import Connection, ours
from tests.bench.traffic import request

pytestmark = [pytest.mark.server, pytest.mark.slow]


def _faults(pid: int) -> int:
    """Page faults of a process so far that needed no disk; the tenth field of its `stat`."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[7])


# glibc alone has this habit and these options; CI runs on Debian, which has it.
@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library than glibc"
)
def test_a_large_call_does_not_pay_for_its_memory_again(tmp_path: Path) -> None:
    server = ours(str(tmp_path))
    try:
        sent = request(2000)
        head = f"POST {server.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        message = f"{head}Content-Length: {len(sent)}\r\n\r\n".encode() + sent
        counted = []
        with closing(Connection(server.port)) as connection:
            for _ in range(30):
                before = sum(map(_faults, server.workers()))
                assert connection.call(message)[0] == 200
                counted.append(sum(map(_faults, server.workers())) - before)
    finally:
        server.stop()
    assert os.sysconf("SC_PAGE_SIZE") * median(counted[10:]) < len(sent) / 4
