"""What every answer says to browsers, and what is left unread when one is refused."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from pydantic import ValidationError
from werkzeug.test import EnvironBuilder, run_wsgi_app

from cds_service.service import Service
from cds_service.settings import Mode, Settings
from cds_service.web.app import create_app

HSTS = "Strict-Transport-Security"
PATH = "/cds-services/opioid-safety"


def opened(service: Service, **members: Any) -> Flask:
    """The same knowledge behind other settings."""
    loaded = (service.knowledge, service.vocabulary, service.rules, service.library)
    return create_app(Service(Settings(**members), *loaded))


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({}, "max-age=31536000"),
        ({"hsts_seconds": 300}, "max-age=300"),
        ({"hsts_seconds": 0}, None),
    ],
)
def test_production_has_browsers_keep_to_https(
    service: Service, chosen: dict[str, int], said: str | None
) -> None:
    web = opened(service, mode=Mode.PRODUCTION, **chosen).test_client()
    answers = [web.get("/health"), web.get("/nothing"), web.post(PATH, json={})]
    assert [answer.status_code for answer in answers] == [200, 404, 401]
    assert [answer.headers.get(HSTS) for answer in answers] == [said] * 3


@pytest.mark.parametrize("mode", [Mode.TEST, Mode.DEMO])
def test_nobody_else_does(service: Service, mode: Mode) -> None:
    web = opened(service, mode=mode, hsts_seconds=300).test_client()
    assert HSTS not in web.get("/health").headers


@pytest.mark.parametrize("seconds", [-1, 63_072_001])
def test_nobody_keeps_to_it_for_more_than_two_years(seconds: int) -> None:
    with pytest.raises(ValidationError):
        Settings(hsts_seconds=seconds)


class Line(BytesIO):
    """A connection as a plain WSGI server hands it over: what follows the body is not ours."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body + b"POST / HTTP/1.1")
        self.length = len(body)


@pytest.mark.parametrize(
    ("path", "media_type", "body", "status"),
    [
        (PATH, "text/plain", b"x" * 10, 415),  # nothing of it was read
        (PATH, "application/json", b"{}", 400),  # all of it
        ("/nothing", "application/json", b"x" * 10, 404),
        (PATH, "application/json", b"", 400),
        (PATH, "application/json", b"x" * 1_100_000, 413),
    ],
)
def test_a_refused_body_is_read_to_its_end_and_not_beyond(
    app: Flask, path: str, media_type: str, body: bytes, status: int
) -> None:
    line = Line(body)
    environ = EnvironBuilder(path, method="POST", content_type=media_type).get_environ()
    environ |= {"wsgi.input": line, "CONTENT_LENGTH": str(len(body))}
    _, answered, _ = run_wsgi_app(app, environ)
    assert answered.startswith(str(status))
    assert line.tell() == line.length


def test_a_sender_that_stops_halfway_is_no_failure_of_ours(app: Flask) -> None:
    environ = EnvironBuilder(PATH, method="POST", content_type="text/plain").get_environ()
    environ |= {"wsgi.input": BytesIO(b"half"), "CONTENT_LENGTH": "100"}
    _, answered, _ = run_wsgi_app(app, environ)
    assert answered.startswith("415")


def test_without_a_length_nothing_is_read(app: Flask) -> None:
    line = Line(b"")
    environ = EnvironBuilder("/nothing", method="POST").get_environ()
    environ["wsgi.input"] = line
    environ.pop("CONTENT_LENGTH", None)
    run_wsgi_app(app, environ)
    assert line.tell() == 0
