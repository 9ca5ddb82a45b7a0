"""How we go out: the one guarded way to GET over HTTP, for FHIR servers and key sets.

No redirects, no proxies or credentials from the environment, no cookies, no retries; a deadline and a size cap.
Which addresses may be called is the caller's decision, asked before every request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from time import monotonic
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

_CONNECTIONS = 16  # kept open a host, as many as a worker's threads can use at once
_CHUNK = 65_536  # bytes
_CONNECT_SECONDS = 2.0  # to open a connection
_READ_SECONDS = 10.0  # between two pieces of an answer


class Refused(requests.RequestException):
    """An address or an answer that we do not accept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, whole."""

    status: int
    media_type: str
    body: bytes


class GuardedAdapter(HTTPAdapter):
    """Asks `allow` about the URL of each request before it is sent."""

    def __init__(self, allow: Callable[[str], bool]) -> None:
        super().__init__(pool_connections=_CONNECTIONS, pool_maxsize=_CONNECTIONS, max_retries=0)
        self._allow = allow

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send it, or raise Refused."""
        if not request.url or not self._allow(request.url):
            raise Refused("the address is not allowed")
        return super().send(request, *args, **kwargs)


def guarded_session(allow: Callable[[str], bool]) -> requests.Session:
    """A session that threads may share for the GETs of `get`."""
    session = requests.Session()
    session.trust_env = False  # a netrc or a proxy of the environment would receive the token
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = GuardedAdapter(allow)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def get(
    session: requests.Session, url: str, *, headers: Mapping[str, str], deadline: float, most_bytes: int
) -> Answer:
    """GET `url` before `deadline` (of `time.monotonic`), at most `most_bytes` of body after decompression.

    A redirect comes back as its status and is not followed. Raises `requests.RequestException`.
    """
    left = deadline - monotonic()
    if left <= 0:
        raise requests.Timeout("no time left")
    timeout = (min(_CONNECT_SECONDS, left), min(_READ_SECONDS, left))
    with session.get(
        url, headers=dict(headers), stream=True, allow_redirects=False, timeout=timeout
    ) as response:
        media_type = response.headers.get("Content-Type", "")
        return Answer(response.status_code, media_type, _body(response, deadline, most_bytes))


def _body(response: requests.Response, deadline: float, most_bytes: int) -> bytes:
    """The body, read piece by piece so that a slow or endless one is given up."""
    pieces: list[bytes] = []
    size = 0
    try:
        while piece := response.raw.read1(_CHUNK, decode_content=True):
            size += len(piece)
            if size > most_bytes:
                raise Refused("the answer is too large")
            if monotonic() > deadline:
                raise requests.Timeout("the answer took too long")
            pieces.append(piece)
    except HTTPError as error:
        raise requests.ConnectionError("the answer broke off") from error
    return b"".join(pieces)
