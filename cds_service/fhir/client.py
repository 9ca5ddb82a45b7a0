"""Calling back: GETs to the client's FHIR server with the token of this one request.

What fails is a `FhirReadError` in the place of an answer: its need becomes unavailable, never
empty. No address, token or patient id stands in an error message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from time import monotonic, sleep
from urllib.parse import urljoin, urlsplit

import msgspec
import requests

from cds_service.addresses import climbs
from cds_service.errors import BadRequest, FhirNotFound, FhirReadError
from cds_service.frozen import Frozen
from cds_service.outbound import Answer, Refused, cut_overdue, get
from cds_service.protocol.envelope import BYTE_ORDER_MARK, whole_characters


class Token:
    """A bearer token: lives for one request and never prints."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise BadRequest("fhirAuthorization.access_token is not a bearer token")
        self._text = text

    @property
    def header(self) -> str:
        """The value of the Authorization header."""
        return f"Bearer {self._text}"

    def __repr__(self) -> str:
        return "Token(***)"

    def __reduce__(self) -> str:
        raise TypeError("a token is not stored")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one query may bring: pages followed, and bytes a page."""

    pages: int = 50
    page_bytes: int = 20_000_000


class Pages(Frozen):
    """The bodies of one query in order. `cut` says why there are more that we did not get,
    if there are.
    """

    bodies: tuple[bytes, ...]
    cut: str = ""


class _Link(msgspec.Struct, frozen=True, gc=False):
    relation: str | None = None
    url: str | None = None


class _Page(msgspec.Struct, frozen=True, gc=False):
    link: tuple[_Link, ...] | _Link | None = None


_PAGE = msgspec.json.Decoder(_Page)
_JSON = re.compile(r"(?:application|text)/(?:[\w.-]+\+)?json", re.IGNORECASE)
_SOON = re.compile(r"[0-9]{1,3}")  # seconds of Retry-After; a date is never so near
_PASSING = frozenset({429, 502, 503})  # what a server may have got over when it says so
TIMED_OUT = "timeout"
_HEADERS = {"Accept": "application/fhir+json", "User-Agent": "cds-service"}


class FhirClient:
    """One FHIR server for the time of one call; without a pool, one GET at a time.

    `deadline` is of `time.monotonic`.
    """

    __slots__ = ("_base", "_deadline", "_headers", "_limits", "_pool", "_session")

    def __init__(
        self,
        server: str,
        token: Token | None,
        session: requests.Session,
        deadline: float,
        *,
        pool: Executor | None = None,
        limits: Limits = Limits(),
    ) -> None:
        self._base = server.rstrip("/") + "/"
        self._session, self._deadline, self._pool, self._limits = session, deadline, pool, limits
        self._headers = dict(_HEADERS)
        if token is not None:
            self._headers["Authorization"] = token.header

    def gather(self, queries: Mapping[str, str]) -> dict[str, Pages | FhirReadError]:
        """The answers to relative or absolute URLs, asked in parallel, each with the pages
        that follow it.
        """
        if self._pool is None:
            return {name: self._answer(url) for name, url in queries.items()}
        asked = {name: self._pool.submit(self._answer, url) for name, url in queries.items()}
        wait(asked.values(), timeout=max(0.0, self._deadline - monotonic()))
        if not all(future.done() for future in asked.values()):
            cut_overdue(self._session)  # a thread that comes to its line later does not begin
        return {name: _outcome(future) for name, future in asked.items()}

    def _answer(self, url: str) -> Pages | FhirReadError:
        try:
            return self._pages(url)
        except FhirReadError as error:
            return error

    def _pages(self, url: str) -> Pages:
        """The first page, and those that its `next` links name, within the limits."""
        bodies: list[bytes] = []
        seen: set[str] = set()
        following, address = url, ""
        while following:
            try:
                address = self._address(following, address or self._base)
                if address in seen:
                    return Pages(tuple(bodies), "the pages turn in a circle")
                if len(bodies) == self._limits.pages:
                    return Pages(tuple(bodies), "too many pages")
                seen.add(address)
                body, following = _page(self._get(address))
            except FhirReadError as error:
                if not bodies:
                    raise
                return Pages(tuple(bodies), f"a later page: {error}")
            bodies.append(body)
        return Pages(tuple(bodies))

    def _address(self, url: str, page: str) -> str:
        """The absolute URL of a link on `page`; raises FhirReadError if it leaves the server we were
        given.
        """
        try:
            address = urljoin(page, url)
            ours, theirs = urlsplit(self._base), urlsplit(address)
        except ValueError:
            raise FhirReadError("a link to another server") from None
        inside = theirs.path.startswith(ours.path) or theirs.path == ours.path.rstrip("/")
        same = (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)
        if not same or not inside or climbs(theirs.path):
            raise FhirReadError("a link to another server")
        return address

    def _get(self, address: str) -> bytes:
        """One GET; raises FhirReadError for anything but a JSON text with status 200."""
        answer = self._once(address)
        wait_for = _retry_in(answer)
        if wait_for is not None and monotonic() + wait_for < self._deadline:
            sleep(wait_for)
            answer = self._once(address)
        if answer.status == requests.codes.not_found:
            raise FhirNotFound("status 404")
        if answer.status != requests.codes.ok:
            raise FhirReadError(f"status {answer.status}")
        if answer.media_type and not _JSON.fullmatch(answer.media_type.partition(";")[0].strip()):
            raise FhirReadError("not FHIR JSON")
        try:
            answer.body.decode()
        except UnicodeDecodeError:
            raise FhirReadError("not UTF-8") from None
        return answer.body.removeprefix(BYTE_ORDER_MARK)

    def _once(self, address: str) -> Answer:
        """What the server answers, whatever it is; raises FhirReadError if it does not."""
        try:
            return get(
                self._session,
                address,
                headers=self._headers,
                deadline=self._deadline,
                most_bytes=self._limits.page_bytes,
            )
        except requests.Timeout:
            raise FhirReadError(TIMED_OUT) from None
        except Refused as error:
            raise FhirReadError(str(error)) from None
        except (requests.RequestException, UnicodeError, ValueError):
            raise FhirReadError("no connection") from None


def _retry_in(answer: Answer) -> int | None:
    """After how many seconds the server asks to be asked again, if it does."""
    if answer.status not in _PASSING or not _SOON.fullmatch(answer.retry_after):
        return None
    return int(answer.retry_after)


def _page(body: bytes) -> tuple[bytes, str]:
    """A body as it can be read, and the URL of the next page, empty if this is the last. Raises
    FhirReadError if the body is no page.
    """
    try:
        try:
            links = _PAGE.decode(body).link
        except msgspec.DecodeError:
            body = whole_characters(body)
            links = _PAGE.decode(body).link
    except (msgspec.DecodeError, RecursionError):
        raise FhirReadError("not FHIR JSON") from None
    every = links if isinstance(links, tuple) else (links,) if links is not None else ()
    return body, next((link.url for link in every if link.relation == "next" and link.url), "")


def _outcome(future: Future[Pages | FhirReadError]) -> Pages | FhirReadError:
    """What a finished query brought; an unfinished one is given up."""
    if not future.done():
        future.cancel()
        return FhirReadError(TIMED_OUT)
    return future.result()
