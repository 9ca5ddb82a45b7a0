"""An EHR that signs its calls and publishes its keys on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import jwt

from cds_service.clients import Client, Registry, key_sets
from cds_service.jwk_pairs import new_pair, public_set
from cds_service.memory.replay import SeenTokens
from cds_service.memory.schema import upgrade
from cds_service.service import Service
from cds_service.settings import Mode, Settings

BASE = "https://cds.example.org"
ISSUER = "https://ehr.example.org"
SERVICE_PATH = "/cds-services/opioid-safety"

Jwk = dict[str, Any]


@cache
def pair(algorithm: str, key_id: str) -> Jwk:
    """A private key, made once."""
    return new_pair(algorithm, key_id)


def public(*pairs: Jwk) -> list[Jwk]:
    """Their public halves."""
    return [public_set(json.dumps(each))["keys"][0] for each in pairs]


class Keys(ThreadingHTTPServer):
    """A key set on loopback, and how often it was asked for."""

    daemon_threads = True

    def __init__(self, *keys: Jwk) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keys: Iterable[Jwk] = public(*keys)
        self.status, self.hits = 200, 0
        self.headers: dict[str, str] = {}
        self.delay = 0.0
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def jku(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}/jwks.json"


class _Handler(BaseHTTPRequestHandler):
    server: Keys

    def do_GET(self) -> None:
        self.server.hits += 1
        time.sleep(self.server.delay)
        body = json.dumps({"keys": list(self.server.keys)}).encode()
        self.send_response(self.server.status)
        for name, value in ({"Content-Length": str(len(body))} | self.server.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a good token for the opioid service; one given as `...` is left out."""
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": BASE + SERVICE_PATH,
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid4()),
    }
    return {name: value for name, value in (good | changed).items() if value is not ...}


def token(key: Jwk, said: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
    """A signed token; members of `header` given as `...` are left out."""
    algorithm = key["alg"]
    members = {"kid": key["kid"], "typ": "JWT"} | dict(header or {})
    kept = {name: value for name, value in members.items() if value is not ...}
    if "typ" in members and "typ" not in kept:
        kept["typ"] = None  # else PyJWT adds it
    return jwt.encode(dict(said), jwt.PyJWK.from_dict(key, algorithm), algorithm, headers=kept)


def bearer(text: str) -> dict[str, str]:
    """As it travels."""
    return {"Authorization": f"Bearer {text}", "Content-Type": "application/json"}


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


MADE: list[Service] = []  # each test closes its own, by the fixture in tests/conftest.py


def known_to(
    service: Service,
    database: Path,
    *clients: Client,
    timer: Clock | None = None,
    **members: Any,
) -> Service:
    """The same knowledge for registered clients, with used tokens in `database`."""
    url = f"sqlite:///{database}"
    upgrade(url)
    settings = Settings(**({"mode": Mode.TEST, "public_url": BASE, "database_url": url} | members))
    sets = key_sets(clients, loopback=True, timer=timer or time.monotonic)
    registry = Registry(settings, clients, seen=SeenTokens(url, settings.now), sets=sets)
    loaded = (service.knowledge, service.vocabulary, service.rules, service.library)
    made = Service(settings, *loaded, registry=registry)
    MADE.append(made)
    return made
