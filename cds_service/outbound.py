"""How we go out: the one guarded way to GET over HTTP, for FHIR servers and key sets.

No redirects, no proxies or credentials from the environment, no cookies, no retries; a deadline, a
size cap. Which URLs may be called is the caller's decision, asked before every request. A name is
resolved once for a connection, and the connection goes to an address that was checked; the name
stays for TLS and Host.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from threading import get_ident
from time import monotonic
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.response import BaseHTTPResponse
from urllib3.util.connection import create_connection

from cds_service.addresses import Reach, odd

_CONNECTIONS = 16  # kept open a host; more than a worker reads from at once
_CHUNK = 65_536  # bytes
_CONNECT_SECONDS = 2.0  # to open a connection
_READ_SECONDS = 10.0  # between two pieces of an answer
_TRIED = 4  # addresses of one name

Resolve = Callable[[str, int], Iterable[str]]


class Refused(requests.RequestException):
    """An address or an answer that we do not accept."""


class _NotAllowed(Exception):
    """No address of a name may be connected to; no OSError, which urllib3 would take for a
    broken line.
    """


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, whole."""

    status: int
    media_type: str
    body: bytes
    retry_after: str = ""
    cache_control: str = ""
    age: str = ""


def resolved(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host, in the order to try them. Raises OSError, UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Lines:
    """Opens checked connections, and knows which thread waits on which until when."""

    def __init__(self, reach: Reach, resolve: Resolve) -> None:
        self._reach, self._resolve = reach, resolve
        self._waiting: dict[int, tuple[float, socket.socket | None]] = {}

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """While this thread waits for one answer."""
        self._waiting[get_ident()] = (deadline, None)
        try:
            yield
        finally:
            del self._waiting[get_ident()]

    def waits_on(self, line: socket.socket | None) -> None:
        """This thread reads an answer from that socket. Raises TimeoutError where its time is up:
        what was overdue may have been cut before there was a line to cut.
        """
        deadline, _ = self._waiting.get(get_ident(), (0.0, None))
        if deadline:
            self._waiting[get_ident()] = (deadline, line)
            if deadline <= monotonic():
                raise TimeoutError

    def cut(self) -> None:
        """Break the lines whose time is up; what drips in forever would hold their threads."""
        now = monotonic()
        for deadline, line in tuple(self._waiting.values()):
            if line is not None and deadline <= now:
                with suppress(OSError):  # it has ended meanwhile
                    socket.socket.shutdown(line, socket.SHUT_RDWR)

    def open(self, connection: HTTPConnection) -> socket.socket:
        """A connected socket. Raises _NotAllowed, urllib3's errors."""
        host, port = connection._dns_host.strip("[]"), connection.port
        given = connection.timeout
        until = monotonic() + (given if isinstance(given, int | float) else _CONNECT_SECONDS)
        failed: OSError = OSError("no address")
        for address in self._addresses(connection, host, port):
            left = until - monotonic()
            if left <= 0:
                break
            try:
                return create_connection(
                    (address, port), left, socket_options=connection.socket_options
                )
            except OSError as error:
                failed = error
        if isinstance(failed, TimeoutError) or monotonic() >= until:
            raise ConnectTimeoutError(connection, "no connection in time") from failed
        raise NewConnectionError(connection, "no connection") from failed

    def _addresses(self, connection: HTTPConnection, host: str, port: int) -> tuple[str, ...]:
        if odd(host):
            raise _NotAllowed
        try:
            found = tuple(self._resolve(host, port))
        except socket.gaierror as error:
            raise NameResolutionError(host, connection, error) from error
        allowed = tuple(address for address in found if self._reach.allows(address))
        if found and not allowed:
            raise _NotAllowed
        return allowed[:_TRIED]


def _pools(lines: _Lines) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools that open their connections through `lines`."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return lines.open(self)

        def getresponse(self) -> Any:
            lines.waits_on(self.sock)
            return super().getresponse()

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return lines.open(self)

        def getresponse(self) -> Any:
            lines.waits_on(self.sock)
            return super().getresponse()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class GuardedAdapter(HTTPAdapter):
    """Asks `allow` about the URL of each request before it is sent, and checks where it goes."""

    def __init__(self, allow: Callable[[str], bool], reach: Reach, resolve: Resolve) -> None:
        self._allow = allow
        self.lines = _Lines(reach, resolve)
        super().__init__(pool_connections=_CONNECTIONS, pool_maxsize=_CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Connections are ours."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self.lines)

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Send it, or raise Refused."""
        if not request.url or not self._allow(request.url):
            raise Refused("the address is not allowed")
        try:
            return super().send(request, *args, **kwargs)
        except _NotAllowed:
            raise Refused("the address is not allowed") from None


def guarded_session(
    allow: Callable[[str], bool], reach: Reach, *, resolve: Resolve = resolved
) -> requests.Session:
    """A session that threads may share for the GETs of `get`."""
    session = requests.Session()
    session.trust_env = False  # a netrc or a proxy of the environment would receive the token
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = GuardedAdapter(allow, reach, resolve)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def cut_overdue(session: requests.Session) -> None:
    """Free the threads whose GET is past its deadline, even if bytes still drip in."""
    _adapter(session).lines.cut()


def get(
    session: requests.Session,
    url: str,
    *,
    headers: Mapping[str, str],
    deadline: float,
    most_bytes: int,
) -> Answer:
    """GET `url` before `deadline` (of `time.monotonic`), at most `most_bytes` of body after
    decompression.

    A redirect comes back as its status and is not followed. Raises `requests.RequestException`.
    """
    left = deadline - monotonic()
    if left <= 0:
        raise requests.Timeout("no time left")
    timeout = (min(_CONNECT_SECONDS, left), min(_READ_SECONDS, left))
    asked = {"Accept-Encoding": "gzip", **headers}
    try:
        with (
            _adapter(session).lines.until(deadline),
            session.get(
                url, headers=asked, stream=True, allow_redirects=False, timeout=timeout
            ) as response,
        ):
            return Answer(
                response.status_code,
                response.headers.get("Content-Type", ""),
                _body(response.raw, deadline, most_bytes),
                response.headers.get("Retry-After", ""),
                response.headers.get("Cache-Control", ""),
                response.headers.get("Age", ""),
            )
    except requests.ConnectionError:
        if monotonic() >= deadline:
            raise requests.Timeout("no time left") from None
        raise


def _adapter(session: requests.Session) -> GuardedAdapter:
    adapter = session.get_adapter("https://")
    if not isinstance(adapter, GuardedAdapter):
        raise TypeError("not a guarded session")
    return adapter


def _body(raw: BaseHTTPResponse, deadline: float, most_bytes: int) -> bytes:
    """The body, read piece by piece so that a slow or endless one is given up."""
    pieces: list[bytes] = []
    size = 0
    try:
        while piece := raw.read1(_CHUNK, decode_content=True):
            size += len(piece)
            if size > most_bytes:
                raise Refused("the answer is too large")
            if monotonic() >= deadline:
                break
            pieces.append(piece)
    except HTTPError as error:
        raise requests.ConnectionError("the answer broke off") from error
    if monotonic() >= deadline:  # a line cut then looks like the end of the answer
        raise requests.Timeout("the answer took too long")
    return b"".join(pieces)
