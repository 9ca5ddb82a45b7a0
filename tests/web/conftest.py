"""The real service behind Flask's test client, with a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.service import Service
from cds_service.settings import Mode
from cds_service.web.app import create_app
from tests.served import served


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("web") / "memory.db"


@pytest.fixture(scope="session")
def service(database: Path) -> Iterator[Service]:
    day = date(2024, 3, 1)
    with served(database, mode=Mode.TEST, as_of=day, max_body_mb=1, abort_ms=2000) as service:
        yield service


@pytest.fixture(scope="session")
def app(service: Service) -> Flask:
    return create_app(service)


@pytest.fixture
def web(app: Flask) -> FlaskClient:
    return app.test_client()
