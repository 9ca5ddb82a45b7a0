"""Every test of the memory runs on both databases: SQLite in a file, PostgreSQL where it is
installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from cds_service.memory.schema import upgrade
from cds_service.memory.store import Memory
from tests.memory.postgres import binaries, cluster

Query = Callable[[str], list[Any]]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a running server. Only a machine that is not CI may do without."""
    programs = binaries()
    if programs is None:
        assert os.environ.get("CI") != "true", "CI must have PostgreSQL"
        pytest.skip("no PostgreSQL in /usr/lib/postgresql")
    with cluster(programs) as url:
        yield url


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.server, pytest.mark.slow])]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database with our schema."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'memory.db'}"
    else:
        address = request.getfixturevalue("postgresql")
        engine = create_engine(address, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
    upgrade(address)
    return address


@pytest.fixture
def memory(url: str) -> Iterator[Memory]:
    opened = Memory(url)
    yield opened
    opened.close()


@pytest.fixture
def rows(url: str) -> Iterator[Query]:
    """What a query finds, asked past our own code."""
    engine = create_engine(url)

    def ask(query: str) -> list[Any]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    yield ask
    engine.dispose()
