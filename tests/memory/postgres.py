"""Debian's PostgreSQL in a directory of its own, reached by a socket there, for the time of
the tests.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_INSTALLED = Path("/usr/lib/postgresql")


def binaries() -> Path | None:
    """The newest PostgreSQL's programs, if there are any."""
    versions = sorted(_INSTALLED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


@contextmanager
def cluster(programs: Path) -> Iterator[str]:
    """A fresh server; the URL of its database. Root may not run it, so that it then runs as
    `postgres`.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a short path: it holds a socket
    account = _account()
    run_as = {"user": account.pw_uid, "group": account.pw_gid} if account else {}
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)
    try:
        _initialise(programs, folder, run_as)
        server = _serving(programs, folder, run_as)
        try:
            _wait(programs, folder)
            yield f"postgresql+psycopg://cds@/postgres?host={folder}"
        finally:
            server.terminate()
            server.wait(timeout=20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(programs: Path, folder: Path, run_as: dict[str, int]) -> None:
    subprocess.run(
        [
            *(programs / "initdb", "--pgdata", folder / "data", "--auth", "trust"),
            *("--username", "cds", "--no-sync", "-E", "UTF8"),
        ],
        check=True,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        **run_as,
    )


def _serving(programs: Path, folder: Path, run_as: dict[str, int]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(programs / "postgres", "-D", folder / "data", "-k", folder),
            *("-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=50"),
            *("-c", "log_min_messages=fatal"),
        ],
        cwd=folder,
        stderr=subprocess.DEVNULL,
        **run_as,
    )


def _account() -> pwd.struct_passwd | None:
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def _wait(programs: Path, folder: Path) -> None:
    for _ in range(300):
        asked = subprocess.run(
            [programs / "pg_isready", "-h", folder, "-q"], check=False, stdout=subprocess.DEVNULL
        )
        if asked.returncode == 0:
            return
        time.sleep(0.05)
    raise AssertionError("PostgreSQL did not start")
