"""Any CDS service over HTTP, as a client calls it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter, sleep
from typing import Any
from urllib.parse import quote

import requests

from cds_service.addresses import http_host
from cds_service.errors import CdsError

Sign = Callable[[str], str]  # the Authorization header for a URL
_JSON = {"Content-Type": "application/json"}
_SUFFIX = "/cds-services"
_PATIENCE = 65  # seconds waited, once a call, when a service says that it is asked too often


def objects(value: Any) -> list[dict[str, Any]]:
    """The JSON objects of a list that a service sent; what is none of them is empty.

    >>> objects([{"id": 1}, "x"]), objects("x"), objects(None)
    ([{'id': 1}, {}], [{}], [])
    """
    listed = value if isinstance(value, list) else [] if value is None else [value]
    return [each if isinstance(each, dict) else {} for each in listed]


class Unreachable(CdsError):
    """The service or server did not answer at all."""


class NotStrict(ValueError):
    """JSON as no strict parser takes it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    milliseconds: float

    def json(self) -> Any:
        """The body. Raises ValueError unless it is JSON of the strictest reading."""
        text = self.body.decode("utf-8")
        try:
            return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
        except RecursionError:
            raise NotStrict("nested too deeply") from None

    @property
    def object(self) -> dict[str, Any]:
        """The body if it is a JSON object, else an empty one."""
        try:
            read = self.json()
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}


class Remote:
    """One CDS service; `base` is its address with or without `/cds-services`."""

    def __init__(self, base: str, sign: Sign | None = None, seconds: float = 10.0) -> None:
        self.base = base.rstrip("/").removesuffix(_SUFFIX)
        if not http_host(self.base):
            raise Unreachable(f"{base!r} is no http(s) URL of a CDS service")
        self._sign, self._seconds, self._session = sign, seconds, requests.Session()

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def signs(self) -> bool:
        """Whether calls say who we are."""
        return self._sign is not None

    @property
    def secure(self) -> bool:
        """Whether it is called over TLS."""
        return self.base.startswith("https://")

    def discover(self) -> Reply:
        """GET the discovery document."""
        return self.send("GET", _SUFFIX)

    def call(self, service: str, message: Any, **headers: str) -> Reply:
        """POST a hook request to a service."""
        return self.send("POST", f"{_SUFFIX}/{quote(service, safe='')}", message, headers)

    def feedback(self, service: str, message: Any) -> Reply:
        """POST feedback to a service."""
        return self.send("POST", f"{_SUFFIX}/{quote(service, safe='')}/feedback", message)

    def send(
        self, method: str, path: str, message: Any = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One call, again after a while if it came too soon. `message` is bytes or becomes JSON.

        Raises Unreachable.
        """
        reply = self._once(method, path, message, headers)
        wait = reply.headers.get("retry-after", "")
        if reply.status == requests.codes.too_many and wait.isdigit() and int(wait) <= _PATIENCE:
            sleep(int(wait) + 1)
            reply = self._once(method, path, message, headers)
        return reply

    def _once(
        self, method: str, path: str, message: Any, headers: Mapping[str, str] | None
    ) -> Reply:
        url = self.base + path
        sent = {**(_JSON if message is not None else {}), **(headers or {})}
        if self._sign is not None:
            sent.setdefault("Authorization", self._sign(url))
        body = message if isinstance(message, bytes | None) else json.dumps(message).encode()
        start = perf_counter()
        try:
            answer = self._session.request(
                method, url, data=body, headers=sent, timeout=self._seconds, allow_redirects=False
            )
        except requests.RequestException as error:
            raise Unreachable(f"{method} {url}: {type(error).__name__}") from None
        spent = (perf_counter() - start) * 1000
        lower = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status_code, lower, answer.content, spent)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrict("a member stands twice")
    return found


def _no_number(name: str) -> Any:
    raise NotStrict(f"{name} is no JSON number")
