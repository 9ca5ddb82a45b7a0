"""The real service behind Flask's test client, and behind a socket on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.assembly import load_service
from cds_service.memory.schema import upgrade
from cds_service.service import Service
from cds_service.settings import Mode, Settings
from cds_service.web.app import create_app
from tests.contract.loopback import Loopback


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    url = f"sqlite:///{tmp_path_factory.mktemp('contract') / 'memory.db'}"
    upgrade(url)
    settings = Settings(
        mode=Mode.TEST,
        as_of=date(2024, 3, 1),
        database_url=url,
        max_body_mb=1,
        abort_ms=2000,
        log_level="error",
    )
    loaded = load_service(settings, remember=True)
    loaded.start()
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def app(service: Service) -> Flask:
    return create_app(service)


@pytest.fixture
def web(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def address(app: Flask) -> Iterator[str]:
    """The base URL of the service over HTTP."""
    with Loopback(app) as url:
        yield url
