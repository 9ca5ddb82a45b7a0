"""The demo page behind Flask's test client, with a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.settings import Mode
from cds_service.web.app import create_app
from tests.served import served


@pytest.fixture(scope="session")
def demo_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "memory.db"


@pytest.fixture(scope="session")
def demo(demo_database: Path) -> Iterator[Flask]:
    with served(demo_database, mode=Mode.DEMO) as service:
        yield create_app(service)


@pytest.fixture
def page(demo: Flask) -> FlaskClient:
    return demo.test_client()
