"""A FHIR server on loopback that stalls, cuts off, lies and sometimes answers."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

_STALL_SECONDS = 4.0  # longer than the service waits


class Unfaithful(ThreadingHTTPServer):
    """Behaves as the patient's id says (`soak-stall-17`), and counts how."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: Counter[str] = Counter()
        self.ending = threading.Event()

    @property
    def base(self) -> str:
        """The address to put into `fhirServer`."""
        return f"http://127.0.0.1:{self.server_port}/fhir"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The service hangs up on us; that is the point."""


class _Handler(BaseHTTPRequestHandler):
    server: Unfaithful
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        patient = parse_qs(split.query).get("patient", [split.path.rpartition("/")[2]])[0]
        manner = patient.split("-")[1] if patient.startswith("soak-") else "answer"
        self.server.seen[manner] += 1
        MANNERS.get(manner, _answer)(self, split.path.split("/")[2], patient)

    def send(
        self,
        body: bytes,
        *,
        status: int = 200,
        length: int | None = None,
        kind: str = "application/fhir+json",
    ) -> None:
        """A response whose length may be a lie."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _bundle(kind: str, *resources: dict[str, Any], **members: Any) -> bytes:
    entries = [{"resource": {"resourceType": kind, **resource}} for resource in resources]
    return json.dumps(
        {"resourceType": "Bundle", "type": "searchset", "entry": entries, **members}
    ).encode()


def _answer(handler: _Handler, kind: str, patient: str) -> None:
    if kind == "Patient":
        handler.send(
            json.dumps(
                {"resourceType": "Patient", "id": patient, "birthDate": "1970-05-01"}
            ).encode()
        )
        return
    condition = {
        "id": "c1",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"text": "Low back pain"},
    }
    handler.send(_bundle(kind, *([condition] if kind == "Condition" else [])))


def _stall(handler: _Handler, kind: str, patient: str) -> None:
    handler.server.ending.wait(_STALL_SECONDS)
    _answer(handler, kind, patient)


def _truncate(handler: _Handler, kind: str, patient: str) -> None:
    handler.send(_bundle(kind, {"id": "x" * 500})[:200], length=5000)
    handler.close_connection = True


_LIES = count()


def _lie(handler: _Handler, kind: str, patient: str) -> None:
    """Another patient or type, a page elsewhere, a circle, no JSON, half of UTF-8, a number
    too long.
    """
    base = handler.server.base
    other = {"id": "o1", "subject": {"reference": "Patient/somebody-else"}}
    lies: tuple[Callable[[], None], ...] = (
        lambda: handler.send(_bundle(kind, other)),
        lambda: handler.send(_bundle("Binary", {"id": "b"})),
        lambda: handler.send(
            _bundle(kind, link=[{"relation": "next", "url": "http://127.0.0.1:1/fhir?p=2"}])
        ),
        lambda: handler.send(
            _bundle(kind, link=[{"relation": "next", "url": f"{base}/{kind}?patient={patient}"}])
        ),
        lambda: handler.send(b"<html>Please log in</html>", kind="text/html"),
        lambda: handler.send(b'{"resourceType": "Bundle", "x": "\xff"}'),
        lambda: handler.send(b'{"resourceType": "Bundle", "total": 1e999999999, "entry": {}}'),
        lambda: handler.send(b"[" * 50_000),
        lambda: handler.send(b"", status=500),
        lambda: handler.send(b"{}", status=429),
    )
    lies[next(_LIES) % len(lies)]()


MANNERS: dict[str, Callable[[_Handler, str, str], None]] = {
    "answer": _answer,
    "stall": _stall,
    "truncate": _truncate,
    "lie": _lie,
}


@contextmanager
def unfaithful() -> Iterator[Unfaithful]:
    """A server for the time of a soak."""
    with Unfaithful() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.ending.set()
        server.shutdown()
