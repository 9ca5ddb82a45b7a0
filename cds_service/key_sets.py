"""The public keys of clients: JWKS documents, fetched from registered addresses only, cached and
rotated.

A set is fresh for as long as its `Cache-Control` says, a minute at least and a day at most, and
without one for 15 minutes. An unknown `kid` has it fetched anew at most once a minute. When its
server fails, the last set serves for four more hours; an empty set is a failure and never replaces
one.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock, Thread, Timer
from time import monotonic
from typing import Any

import jwt
import requests
from cachetools import TLRUCache, TTLCache
from requests.utils import parse_dict_header

from cds_service.addresses import Reach
from cds_service.outbound import Answer, cut_overdue, get, guarded_session
from cds_service.tokens import ALGORITHMS, KINDS

FRESH = 15 * 60  # seconds, of a set whose server does not say
MOST_FRESH = 24 * 3600  # seconds, whatever its server says
STALE = 4 * 3600  # seconds more, while the server fails
COOL_DOWN = 60  # seconds between two fetches that came to something; no set is fresh for less
RETRY = 10  # seconds after one that failed
_SECONDS = 2.0  # for one fetch
_MOST_BYTES = 200_000
_MOST_KEYS = 100
_RSA_BITS = range(2048, 8193)
_NAMED_BY = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}  # of RFC 7638

Fetch = Callable[[str], Answer]
Failed = Callable[[str, Exception], None]


class BadKeySet(ValueError):
    """A document without a public key that we can use."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key for signatures of one algorithm; `id` is opaque, `thumbprint` that of
    RFC 7638.
    """

    id: str
    algorithm: str
    thumbprint: str
    jwk: jwt.PyJWK = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A set as it was fetched, and for how many seconds it is fresh."""

    keys: tuple[Key, ...] = ()
    fresh: float = 0


def read_keys(document: bytes, algorithms: Collection[str] = ALGORITHMS) -> tuple[Key, ...]:
    """The keys of a JWKS for any of the algorithms, others left out; one that is for several
    stands there for each. Raises BadKeySet if there is none.
    """
    try:
        listed = json.loads(document)["keys"]
        found = tuple(_keys(listed[:_MOST_KEYS], algorithms))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadKeySet("not a JWKS") from None
    if not found:
        raise BadKeySet(f"no key for {' or '.join(sorted(algorithms))}")
    return found


def fresh_for(cache_control: str, age: str = "") -> int:
    """For how many seconds a set is used before it is asked for again.

    What cannot be read counts as the least: the server meant to limit it.

    >>> fresh_for("public, max-age=3600"), fresh_for("max-age=3600", "600"), fresh_for("")
    (3600, 3000, 900)
    >>> fresh_for("no-store"), fresh_for("Max-Age=5"), fresh_for("max-age=9999999")
    (60, 60, 86400)
    """
    said = parse_dict_header(cache_control.lower())  # type: ignore[no-untyped-call]
    if "no-store" in said or "no-cache" in said:
        return COOL_DOWN
    if "max-age" not in said:
        return FRESH
    seconds = _seconds(said["max-age"]) - _seconds(age)
    return min(max(seconds, COOL_DOWN), MOST_FRESH)


def _seconds(text: str | None) -> int:
    """A count of seconds; 0 for what is none."""
    return int(text[:12]) if text and text.isascii() and text.isdecimal() else 0


def chosen(keys: Iterable[Key], key_id: str, algorithm: str) -> Key | None:
    """The key of that id that fits the algorithm; sites reuse an id for keys of another kind."""
    return next((key for key in keys if key.id == key_id and key.algorithm == algorithm), None)


class KeySets:
    """The key sets of one worker, by address; only `addresses` are ever fetched, each as
    far as it may reach.
    """

    def __init__(
        self,
        addresses: Mapping[str, Reach],
        *,
        algorithms: Mapping[str, Collection[str]] | None = None,
        fetch: Fetch | None = None,
        unwanted: Collection[str] = (),
        failed: Failed | None = None,
        timer: Callable[[], float] = monotonic,
    ) -> None:
        known = frozenset(addresses)
        self._algorithms = algorithms or {}  # taken from an address, where not the usual ones
        self._sessions = {
            address: guarded_session(address.__eq__, reach) for address, reach in addresses.items()
        }
        self._fetch, self._failed = fetch or self._get, failed
        self._unwanted = frozenset(unwanted)  # thumbprints of keys whose private part is public
        most = len(known) + 1
        self._fresh: TLRUCache[str, _Fetched] = TLRUCache(most, _fresh_until, timer)
        self._held: TLRUCache[str, _Fetched] = TLRUCache(most, _held_until, timer)
        self._asked: TTLCache[str, bool] = TTLCache(most, COOL_DOWN, timer)
        self._refused: TTLCache[str, bool] = TTLCache(most, RETRY, timer)
        self._lock = Lock()  # of the caches
        self._asking = {address: Lock() for address in known}

    def find(self, address: str, key_id: str, algorithm: str) -> Key | None:
        """The key, fetched anew if it is unknown and the time for that has come."""
        fresh, held, may_ask = self._look(address)
        found = chosen(fresh, key_id, algorithm)
        if found is not None:
            return found
        old = chosen(held, key_id, algorithm)
        if may_ask and address in self._asking:
            self._ask_once(address, wait=old is None)
            _, held, _ = self._look(address)
            return chosen(held, key_id, algorithm)
        return old

    def warm(self) -> None:
        """Begin to fetch every set, so that no call waits for its first keys."""
        Thread(target=self._warm, name="key-sets", daemon=True).start()

    def fetch(self, address: str) -> tuple[Key, ...]:
        """The keys as they stand there now. Raises `requests.RequestException`, BadKeySet."""
        return self._fetched(address).keys

    def _fetched(self, address: str) -> _Fetched:
        answer = self._fetch(address)
        if answer.status != requests.codes.ok:
            raise BadKeySet(f"status {answer.status}")
        keys = read_keys(answer.body, self._algorithms.get(address, ALGORITHMS))
        kept = tuple(key for key in keys if key.thumbprint not in self._unwanted)
        if not kept:
            raise BadKeySet("only public test keys")
        return _Fetched(kept, fresh_for(answer.cache_control, answer.age))

    def close(self) -> None:
        """Let go of connections."""
        for session in self._sessions.values():
            session.close()

    def _warm(self) -> None:
        for address in self._asking:
            self._ask_once(address, wait=True)

    def _look(self, address: str) -> tuple[tuple[Key, ...], tuple[Key, ...], bool]:
        with self._lock:
            waits = address in self._asked or address in self._refused
            fresh, held = (
                cache.get(address, _Fetched()).keys for cache in (self._fresh, self._held)
            )
            return fresh, held, not waits

    def _ask_once(self, address: str, *, wait: bool) -> None:
        """Fetch a set, unless another thread does; then `wait` for it or go on with what is
        held.
        """
        asking = self._asking[address]
        if not asking.acquire(blocking=wait):
            return
        try:
            if self._look(address)[2]:
                self._ask(address)
        finally:
            asking.release()

    def _ask(self, address: str) -> None:
        try:
            fetched = self._fetched(address)
        except (requests.RequestException, ValueError) as error:
            with self._lock:
                self._refused[address] = True
            if self._failed is not None:
                self._failed("key set", error)
            return
        with self._lock:
            self._fresh[address] = self._held[address] = fetched
            self._asked[address] = True

    def _get(self, address: str) -> Answer:
        headers = {"Accept": "application/json", "User-Agent": "cds-service"}
        session, deadline = self._sessions[address], monotonic() + _SECONDS
        late = Timer(_SECONDS, cut_overdue, (session,))
        late.daemon = True
        late.start()
        try:
            return get(session, address, headers=headers, deadline=deadline, most_bytes=_MOST_BYTES)
        finally:
            late.cancel()


def _fresh_until(address: str, fetched: _Fetched, now: float) -> float:
    return now + fetched.fresh


def _held_until(address: str, fetched: _Fetched, now: float) -> float:
    return now + fetched.fresh + STALE


def _keys(listed: list[Any], algorithms: Collection[str]) -> Iterator[Key]:
    for jwk in listed:
        try:
            found = [_key(jwk, name) for name in _for(jwk) if name in algorithms]
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            continue  # a malformed key spoils no other
        yield from filter(None, found)


def _key(jwk: dict[str, Any], algorithm: str) -> Key | None:
    """The key for one algorithm, unless it is too weak or too long."""
    built = jwt.PyJWK.from_dict(jwk, algorithm)
    if jwk["kty"] == "RSA" and built.key.key_size not in _RSA_BITS:
        return None
    return Key(jwk["kid"], algorithm, _thumbprint(jwk), built)


def _for(jwk: dict[str, Any]) -> Iterator[str]:
    """The algorithms a public signing key is for; none for other keys, and for one beside its
    private part.
    """
    if not isinstance(jwk.get("kid"), str) or jwk.get("use") not in (None, "sig") or "d" in jwk:
        return
    if "verify" not in (jwk.get("key_ops") or ["verify"]):
        return
    kind = jwk.get("kty")
    made = (kind, jwk.get("crv") if kind == "EC" else None)
    for name, needed in KINDS.items():
        if made == needed and jwk.get("alg") in (None, name):
            yield name


def _thumbprint(jwk: dict[str, Any]) -> str:
    named = {name: jwk[name] for name in _NAMED_BY[jwk["kty"]]}
    digest = hashlib.sha256(
        json.dumps(named, sort_keys=True, separators=(",", ":")).encode()
    ).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
