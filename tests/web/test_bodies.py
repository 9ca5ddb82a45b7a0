"""How a body may come: packed, with a byte order mark, in pieces; and what is refused of it."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from typing import Any

import pytest
from flask.testing import FlaskClient
from gunicorn.http.errors import InvalidChunkSize
from werkzeug.test import TestResponse

from tests.protocol.hook_requests import OXYCODONE, PATIENT, body, order_sign
from tests.web.test_malformed import assert_outcome

URL = "/cds-services/opioid-safety"
MEGABYTE = 1024 * 1024  # what the service of these tests accepts
EMPTY = gzip.compress(b"{}", mtime=0)
MARK = b"\xef\xbb\xbf"


@pytest.fixture(scope="session")
def whole(app: Any) -> bytes:
    services = app.test_client().get("/cds-services").get_json()["services"]
    found = next(s for s in services if (s["id"], s["hook"]) == ("opioid-safety", "order-sign"))
    keys = dict.fromkeys(found["prefetch"]) | {"patient": PATIENT}
    return body(order_sign(OXYCODONE, prefetch=keys))


def post(web: FlaskClient, data: bytes, path: str = URL, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return web.post(path, data=data, headers={"Content-Type": "application/json"} | named)


def in_pieces(web: FlaskClient, stream: Any, path: str = URL) -> TestResponse:
    """A call without a length, as a chunked body comes from the server."""
    return web.post(
        path,
        headers={"Content-Type": "application/json"},
        environ_overrides={"wsgi.input": stream, "wsgi.input_terminated": True},
    )


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_a_packed_body_is_the_same_call(web: FlaskClient, whole: bytes, coding: str) -> None:
    plain, packed = post(web, whole), post(web, gzip.compress(whole), Content_Encoding=coding)
    assert plain.status_code == packed.status_code == 200
    assert plain.data == packed.data
    feedback = gzip.compress(b'{"feedback": []}')
    assert post(web, feedback, URL + "/feedback", Content_Encoding=coding).status_code == 200


@pytest.mark.parametrize(
    "packed",
    [b"", b"{}", EMPTY[:-4], EMPTY + b"x", zlib.compress(b"{}")],
    ids=["nothing", "plain", "cut", "more behind it", "another packing"],
)
def test_what_cannot_be_unpacked_is_400(web: FlaskClient, packed: bytes) -> None:
    assert_outcome(post(web, packed, Content_Encoding="gzip"), 400)


def test_a_packed_body_is_as_long_as_what_it_unpacks_to(web: FlaskClient) -> None:
    assert_outcome(post(web, gzip.compress(b" " * (MEGABYTE + 1)), Content_Encoding="gzip"), 413)
    answer = post(web, gzip.compress(b" " * MEGABYTE), Content_Encoding="gzip")
    assert "not valid JSON" in assert_outcome(answer, 400)


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip"])
def test_other_codings_are_415(web: FlaskClient, whole: bytes, coding: str) -> None:
    assert "gzip" in assert_outcome(post(web, whole, Content_Encoding=coding), 415)


def test_a_byte_order_mark_is_no_fault(web: FlaskClient, whole: bytes) -> None:
    assert post(web, MARK + whole).data == post(web, whole).data
    assert post(web, MARK + b'{"feedback": []}', URL + "/feedback").status_code == 200


def test_a_body_in_pieces_is_held_to_the_same_length(web: FlaskClient, whole: bytes) -> None:
    assert in_pieces(web, io.BytesIO(whole)).status_code == 200
    assert in_pieces(web, io.BytesIO(whole.ljust(MEGABYTE))).status_code == 200
    assert_outcome(in_pieces(web, io.BytesIO(whole.ljust(MEGABYTE + 1))), 413)


class Broken:
    """A body of which a part comes, and then none that can be read."""

    def __init__(self, part: bytes, error: Exception) -> None:
        self._part, self._error = part, error

    def read(self, _size: int = -1) -> bytes:
        """The part, once."""
        part, self._part = self._part, b""
        if not part:
            raise self._error
        return part


@pytest.mark.parametrize("error", [InvalidChunkSize(b"zz"), BlockingIOError(), ConnectionError()])
def test_a_body_that_breaks_off_is_400(
    web: FlaskClient, whole: bytes, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "broke off" in assert_outcome(in_pieces(web, Broken(whole[:50], error)), 400)
    assert '"event":"error"' not in capsys.readouterr().out


def test_a_refused_body_that_breaks_off_keeps_its_status(web: FlaskClient) -> None:
    broken = Broken(b"{", InvalidChunkSize(b"zz"))
    assert_outcome(in_pieces(web, broken, "/cds-services/greeting"), 404)


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/"])
def test_the_list_of_services_is_kept_apart_by_origin(web: FlaskClient, path: str) -> None:
    for headers in ({}, {"Origin": "https://ehr.example.org"}):
        answer = web.get(path, headers=headers)
        assert {"Authorization", "Origin"} <= set(answer.vary)
        assert json.loads(answer.data)["services"]
