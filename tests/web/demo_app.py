"""The demo page behind Flask's test client, with a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from cds_service.assembly import load_service
from cds_service.memory.schema import upgrade
from cds_service.settings import Mode, load_settings
from cds_service.web.app import create_app


@pytest.fixture(scope="session")
def demo_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "memory.db"


@pytest.fixture(scope="session")
def demo(demo_database: Path) -> Iterator[Flask]:
    url = f"sqlite:///{demo_database}"
    upgrade(url)
    service = load_service(load_settings(mode=Mode.DEMO, database_url=url), remember=True)
    service.start()
    yield create_app(service)
    service.close()
