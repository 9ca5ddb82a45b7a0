"""A service that knows one client, and the keys that client publishes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.clients import Client
from cds_service.service import Service
from cds_service.web.app import create_app
from tests.web.signed import (
    ISSUER,
    SERVICE_PATH,
    Clock,
    Keys,
    bearer,
    claims,
    known_to,
    pair,
)

EC, RSA, OTHER = pair("ES384", "ec+/="), pair("RS384", "rsa"), pair("ES384", "unpublished")
HOUR = 3600


@pytest.fixture
def keys() -> Iterator[Keys]:
    with Keys(EC, RSA) as published:
        yield published
        published.shutdown()


@pytest.fixture
def client(keys: Keys) -> Client:
    return Client("st-elsewhere", issuer=ISSUER, jku=keys.jku, tenant="north")


@pytest.fixture
def guarded(service: Service, client: Client, tmp_path: Path) -> Iterator[Service]:
    made = known_to(service, tmp_path / "seen.db", client)
    yield made
    made.close()


@pytest.fixture
def ehr(guarded: Service) -> FlaskClient:
    return create_app(guarded).test_client()


def call(ehr: FlaskClient, text: str, path: str = SERVICE_PATH) -> TestResponse:
    """A call whose body is no request: 400 once the client is known."""
    return ehr.post(path, data=b"{}", headers=bearer(text))


def north(**changed: Any) -> dict[str, Any]:
    """What the client says in a good token."""
    return claims(**({"tenant": "north"} | changed))


def timed(service: Service, client: Client, database: Path) -> tuple[FlaskClient, Clock]:
    """The service with a clock that a test turns."""
    clock = Clock()
    return create_app(known_to(service, database, client, timer=clock)).test_client(), clock


def b64(value: Any) -> str:
    """Bytes, or what JSON makes of anything else, as a token writes them."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header: dict[str, Any], said: dict[str, Any], signature: bytes = b"") -> str:
    """A token with a signature of one's choice, or none."""
    return f"{b64(header)}.{b64(said)}.{b64(signature) if signature else ''}"
