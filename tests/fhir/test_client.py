"""Calling back to a FHIR server on loopback: pages, limits, and every way it can fail."""

from __future__ import annotations

import gzip
import json
import pickle
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from cds_service.addresses import Reach
from cds_service.clinical.facts import Need
from cds_service.errors import BadRequest, FhirReadError
from cds_service.fhir.client import FhirClient, Limits, Pages, Token
from cds_service.fhir.prefetch import Came
from cds_service.outbound import guarded_session
from tests.fhir.calls import PATIENT, Call, bundle, condition, read

CANARY = "canary-token-7f3a"
HERE = Reach(loopback=True)


class Ehr(ThreadingHTTPServer):
    """A server that answers from a table of paths: a body, or status, headers and body."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.table: dict[str, Any] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []

    def handle_error(self, *args: Any) -> None:
        """A client that hangs up is no error here."""

    @property
    def base(self) -> str:
        """Where its FHIR API begins."""
        return f"http://127.0.0.1:{self.server_port}/fhir"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Ehr

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))
        answer = self.server.table.get(self.path, (404, {}, b""))
        status, headers, body = (
            answer if isinstance(answer, tuple) else (200, {}, json.dumps(answer).encode())
        )
        headers = dict(headers)
        time.sleep(float(headers.pop("Wait", 0)))
        length = headers.pop("Claims", len(body))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        for at in range(0, len(body), 1000):
            self.wfile.write(body[at : at + 1000])
            if status == 299:  # a server that drips
                time.sleep(0.05)
        if length != len(body):
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        """Nothing of a request is printed."""


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    with Ehr() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def client(ehr: Ehr, seconds: float = 5.0, pool: Any = None, **limits: int) -> FhirClient:
    """A client of the server that may call nothing else."""
    session = guarded_session(lambda url: url.startswith("http://127.0.0.1:"), HERE)
    deadline = time.monotonic() + seconds
    return FhirClient(
        ehr.base, Token(CANARY), session, deadline, pool=pool, limits=Limits(**limits)
    )


def ask(ehr: Ehr, url: str = "Condition?patient=p1", **how: Any) -> Pages | str:
    """The pages of one query, or why there are none."""
    found = client(ehr, **how).gather({"q": url})["q"]
    return str(found) if isinstance(found, FhirReadError) else found


def test_half_a_character_costs_no_page(ehr: Ehr) -> None:
    following = {"relation": "next", "url": "Condition?page=2"}
    ehr.table["/fhir/Condition?patient=p1"] = {"link": following, "x": "\ud83d"}
    ehr.table["/fhir/Condition?page=2"] = {"x": "whole"}
    found = ask(ehr)
    assert isinstance(found, Pages) and not found.cut
    assert [json.loads(body)["x"] for body in found.bodies] == ["\ufffd", "whole"]


def test_a_query_carries_the_token_and_asks_for_fhir(ehr: Ehr) -> None:
    ehr.table["/fhir/Condition?patient=a%26b"] = bundle(condition())
    found = ask(ehr, "Condition?patient=a%26b")
    assert isinstance(found, Pages)
    assert json.loads(found.bodies[0])["entry"]
    ((path, headers),) = ehr.seen
    assert path == "/fhir/Condition?patient=a%26b"
    assert headers["Authorization"] == f"Bearer {CANARY}"
    assert headers["Accept"] == "application/fhir+json"
    assert "Cookie" not in headers


def test_a_byte_order_mark_is_no_fault(ehr: Ehr) -> None:
    ehr.table["/fhir/Condition?patient=p1"] = (200, {}, b'\xef\xbb\xbf{"entry": []}')
    assert ask(ehr) == Pages((b'{"entry": []}',))


@pytest.mark.parametrize(
    "status", [201, 204, 301, 302, 307, 400, 401, 403, 404, 410, 429, 500, 503]
)
def test_any_other_status_is_a_failure(ehr: Ehr, status: int) -> None:
    ehr.table["/fhir/Condition?patient=p1"] = (status, {"Location": f"{ehr.base}/elsewhere"}, b"")
    assert ask(ehr) == f"status {status}"
    assert len(ehr.seen) == 1


def test_pages_are_followed_to_the_end(ehr: Ehr) -> None:
    for page, following in (
        ("Condition?patient=p1", "?page=2"),
        ("?page=2", "?page=3"),
        ("?page=3", None),
    ):
        path = "/fhir" + ("/" + page if page.startswith("C") else page)
        link = [{"relation": "next", "url": ehr.base + following}] if following else []
        ehr.table[path] = bundle(condition(page), link=link)
    found = ask(ehr)
    assert isinstance(found, Pages)
    assert (len(found.bodies), found.cut) == (3, "")


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("http://127.0.0.1:1/fhir?page=2", "a later page: a link to another server"),
        ("https://{host}/fhir?page=2", "a later page: a link to another server"),
        ("http://{host}/other?page=2", "a later page: a link to another server"),
        ("http://{host}/fhirish?page=2", "a later page: a link to another server"),
        ("../admin", "a later page: a link to another server"),
        ("http://{host}/fhir/%2e%2e/admin", "a later page: a link to another server"),
        ("http://u@{host}/fhir?page=2", "a later page: a link to another server"),
        ("//example.org/fhir", "a later page: a link to another server"),
        ("http://[", "a later page: a link to another server"),
        ("http://{host}/fhir?page=gone", "a later page: status 404"),
        ("http://{host}/fhir/Condition?patient=p1", "the pages turn in a circle"),
    ],
)
def test_a_link_that_leads_nowhere_cuts_the_answer(ehr: Ehr, link: str, why: str) -> None:
    url = link.replace("{host}", f"127.0.0.1:{ehr.server_port}")
    ehr.table["/fhir/Condition?patient=p1"] = bundle(
        condition(), link=[{"relation": "next", "url": url}]
    )
    found = ask(ehr)
    assert isinstance(found, Pages)
    assert (len(found.bodies), found.cut) == (1, why)
    assert all("page=gone" in path or path == "/fhir/Condition?patient=p1" for path, _ in ehr.seen)


def test_only_a_next_link_leads_on(ehr: Ehr) -> None:
    url = "/fhir/Condition?patient=p1"
    others = [{"relation": name, "url": url} for name in ("self", "first", "last")]
    ehr.table[url] = bundle(condition(), link=others)
    found = ask(ehr)
    assert isinstance(found, Pages) and (len(found.bodies), found.cut) == (1, "")


def test_a_link_without_a_path_is_of_the_page_it_stands_on(ehr: Ehr) -> None:
    url = "/fhir/Condition?patient=p1"
    ehr.table[url] = bundle(condition(), link=[{"relation": "next", "url": "?page=2"}])
    ehr.table["/fhir/Condition?page=2"] = bundle(condition("c2"))
    found = ask(ehr)
    assert isinstance(found, Pages)
    assert [path for path, _ in ehr.seen] == [url, "/fhir/Condition?page=2"]
    assert (len(found.bodies), found.cut) == (2, "")


def test_pages_and_bytes_are_capped(ehr: Ehr) -> None:
    for page in range(5):
        link = [{"relation": "next", "url": f"{ehr.base}?page={page + 1}"}]
        ehr.table[f"/fhir?page={page}"] = bundle(condition(), link=link)
    found = ask(ehr, f"{ehr.base}?page=0", pages=3)
    assert isinstance(found, Pages)
    assert (len(found.bodies), found.cut) == (3, "too many pages")
    assert ask(ehr, f"{ehr.base}?page=0", page_bytes=50) == "the answer is too large"


def test_a_small_body_that_unpacks_to_a_large_one_is_refused(ehr: Ehr) -> None:
    packed = gzip.compress(b" " * 5_000_000)
    ehr.table["/fhir/Condition?patient=p1"] = (200, {"Content-Encoding": "gzip"}, packed)
    assert ask(ehr, page_bytes=1_000_000) == "the answer is too large"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((200, {}, b""), "not FHIR JSON"),
        ((200, {}, b"<html>"), "not FHIR JSON"),
        ((200, {}, b"[1]"), "not FHIR JSON"),
        ((200, {}, b'{"a":"\xff"}'), "not UTF-8"),
        ((200, {}, b'{"a":' + b"[" * 5000), "not FHIR JSON"),
        ((200, {"Claims": 99999}, b"{}"), "no connection"),
        ((200, {"Content-Encoding": "gzip"}, b"not gzip"), "no connection"),
    ],
)
def test_a_body_that_is_no_fhir_json_is_a_failure(ehr: Ehr, answer: Any, why: str) -> None:
    ehr.table["/fhir/Condition?patient=p1"] = answer
    assert ask(ehr) == why


def test_a_slow_or_dripping_server_is_given_up_in_time(ehr: Ehr) -> None:
    ehr.table["/fhir/slow"] = (200, {"Wait": 3}, b"{}")
    ehr.table["/fhir/drip"] = (299, {}, b" " * 100_000)
    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        found = client(ehr, 0.3, pool).gather({"slow": "slow", "drip": "drip"})
        assert time.monotonic() - started < 1.5
    assert {name: str(error) for name, error in found.items()} == {
        "slow": "timeout",
        "drip": "timeout",
    }
    assert ask(ehr, seconds=-1) == "timeout"


def test_queries_run_side_by_side(ehr: Ehr) -> None:
    for n in range(4):
        ehr.table[f"/fhir/{n}"] = (200, {"Wait": 0.2}, b"{}")
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        found = client(ehr, pool=pool).gather({str(n): str(n) for n in range(4)})
    assert all(isinstance(each, Pages) for each in found.values())
    assert time.monotonic() - started < 0.7


def test_an_address_that_is_not_allowed_is_never_called(ehr: Ehr) -> None:
    session = guarded_session(lambda _: False, HERE)
    refused = FhirClient(ehr.base, None, session, time.monotonic() + 5).gather({"q": "Patient/p1"})[
        "q"
    ]
    assert str(refused) == "the address is not allowed"
    assert ehr.seen == []


def test_a_server_that_is_not_there(ehr: Ehr) -> None:
    session = guarded_session(lambda _: True, HERE)
    gone = FhirClient("http://127.0.0.1:1/fhir", None, session, time.monotonic() + 5)
    assert str(gone.gather({"q": "Patient/p1"})["q"]) == "no connection"


def test_a_token_never_prints_and_is_never_stored() -> None:
    token = Token(CANARY)
    assert CANARY not in f"{token} {token!r} {[token]}"
    assert token.header == f"Bearer {CANARY}"
    with pytest.raises(TypeError):
        pickle.dumps(token)
    for text in ("", "a b", "a\nb", "é"):
        with pytest.raises(BadRequest):
            Token(text)


def test_a_call_without_prefetch_is_read_from_the_server(ehr: Ehr) -> None:
    ehr.table["/fhir/Patient/p1"] = PATIENT
    ehr.table["/fhir/Condition?patient=p1"] = bundle(condition())
    ehr.table["/fhir/Observation?patient=p1"] = (403, {}, b"")
    with ThreadPoolExecutor(4) as pool:
        reading = read(
            Call({}), [Need.PATIENT, Need.CONDITIONS, Need.OBSERVATIONS], client(ehr, pool=pool)
        )
    assert reading.came == {
        Need.PATIENT: Came("fetched"),
        Need.CONDITIONS: Came("fetched"),
        Need.OBSERVATIONS: Came("missing", "the FHIR server: status 403"),
    }
    assert len(ehr.seen) == 3
