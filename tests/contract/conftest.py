"""The real service behind Flask's test client, and behind a socket on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.service import Service
from cds_service.settings import Mode
from cds_service.web.app import create_app
from tests.contract.loopback import Loopback
from tests.served import served


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with served(
        tmp_path_factory.mktemp("contract") / "memory.db",
        mode=Mode.TEST,
        as_of=date(2024, 3, 1),
        max_body_mb=1,
        abort_ms=2000,
        log_level="error",
    ) as service:
        yield service


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
