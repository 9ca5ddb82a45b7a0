"""A FHIR server on loopback that holds one chart at a time, wants a token and turns pages."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from cds_service.cases.responder import Responder
from cds_service.fhir.client import Pages

TOKEN = "case-token"


class FhirServer(ThreadingHTTPServer):
    """Answers from `responder`, and counts what it was asked."""

    daemon_threads = True
    responder = Responder(())
    asked = 0

    @property
    def base(self) -> str:
        """The address to put into `fhirServer`."""
        return f"http://127.0.0.1:{self.server_port}/fhir"

    def hold(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """From now on answer from this chart."""
        self.responder, self.asked = Responder(resources), 0


class _Handler(BaseHTTPRequestHandler):
    server: FhirServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked += 1
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._send(401, b"{}")
        split = urlsplit(self.path)
        url, _, number = split.path.removeprefix("/fhir/").partition("/page-")
        found = self.server.responder.gather({"": f"{url}?{split.query}"})[""]
        if not isinstance(found, Pages):
            return self._send(404, b"{}")
        page = int(number or 0)
        body = found.bodies[page]
        if page + 1 < len(found.bodies):
            following = f"{self.server.base}/{url}/page-{page + 1}?{split.query}"
            body = json.dumps(
                {**json.loads(body), "link": [{"relation": "next", "url": following}]}
            ).encode()
        self._send(200, body)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def fhir_server() -> Iterator[FhirServer]:
    """A server for the time of a test."""
    with FhirServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
