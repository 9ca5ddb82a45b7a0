"""The public keys of clients: JWKS documents, fetched from registered addresses only, cached and
rotated.

A set is fresh for 15 minutes. An unknown `kid` has it fetched anew at most once a minute. When its
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
from cachetools import TTLCache

from cds_service.addresses import Reach
from cds_service.outbound import cut_overdue, get, guarded_session

FRESH = 15 * 60  # seconds
HELD = FRESH + 4 * 3600  # seconds, while the server fails
COOL_DOWN = 60  # seconds between two fetches that came to something
RETRY = 10  # seconds after one that failed
_SECONDS = 2.0  # for one fetch
_MOST_BYTES = 200_000
_MOST_KEYS = 100
_RSA_BITS = range(2048, 8193)
_KINDS: dict[tuple[Any, Any], str] = {("EC", "P-384"): "ES384", ("RSA", None): "RS384"}
_NAMED_BY = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}  # of RFC 7638

Fetch = Callable[[str], bytes]
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


def read_keys(document: bytes) -> tuple[Key, ...]:
    """The keys of a JWKS for ES384 or RS384, others left out. Raises BadKeySet if there is none."""
    try:
        listed = json.loads(document)["keys"]
        found = tuple(_keys(listed[:_MOST_KEYS]))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadKeySet("not a JWKS") from None
    if not found:
        raise BadKeySet("no key for ES384 or RS384")
    return found


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
        fetch: Fetch | None = None,
        unwanted: Collection[str] = (),
        failed: Failed | None = None,
        timer: Callable[[], float] = monotonic,
    ) -> None:
        known = frozenset(addresses)
        self._sessions = {
            address: guarded_session(address.__eq__, reach) for address, reach in addresses.items()
        }
        self._fetch, self._failed = fetch or self._get, failed
        self._unwanted = frozenset(unwanted)  # thumbprints of keys whose private part is public
        most = len(known) + 1
        self._fresh: TTLCache[str, tuple[Key, ...]] = TTLCache(most, FRESH, timer)
        self._held: TTLCache[str, tuple[Key, ...]] = TTLCache(most, HELD, timer)
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
        keys = read_keys(self._fetch(address))
        kept = tuple(key for key in keys if key.thumbprint not in self._unwanted)
        if not kept:
            raise BadKeySet("only public test keys")
        return kept

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
            return self._fresh.get(address, ()), self._held.get(address, ()), not waits

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
            keys = self.fetch(address)
        except (requests.RequestException, ValueError) as error:
            with self._lock:
                self._refused[address] = True
            if self._failed is not None:
                self._failed("key set", error)
            return
        with self._lock:
            self._fresh[address] = self._held[address] = keys
            self._asked[address] = True

    def _get(self, address: str) -> bytes:
        headers = {"Accept": "application/json", "User-Agent": "cds-service"}
        session, deadline = self._sessions[address], monotonic() + _SECONDS
        late = Timer(_SECONDS, cut_overdue, (session,))
        late.daemon = True
        late.start()
        try:
            answer = get(
                session, address, headers=headers, deadline=deadline, most_bytes=_MOST_BYTES
            )
        finally:
            late.cancel()
        if answer.status != requests.codes.ok:
            raise BadKeySet(f"status {answer.status}")
        return answer.body


def _keys(listed: list[Any]) -> Iterator[Key]:
    for jwk in listed:
        try:
            algorithm = _algorithm(jwk)
            built = jwt.PyJWK.from_dict(jwk, algorithm) if algorithm else None
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            continue  # a malformed key spoils no other
        if algorithm and built and (jwk["kty"] == "EC" or built.key.key_size in _RSA_BITS):
            yield Key(jwk["kid"], algorithm, _thumbprint(jwk), built)


def _algorithm(jwk: dict[str, Any]) -> str | None:
    """What a public signing key is for; None for other keys, and for one beside its private
    part.
    """
    if not isinstance(jwk.get("kid"), str) or jwk.get("use") not in (None, "sig") or "d" in jwk:
        return None
    if "verify" not in (jwk.get("key_ops") or ["verify"]):
        return None
    kind = jwk.get("kty")
    algorithm = _KINDS.get((kind, jwk.get("crv") if kind == "EC" else None))
    return algorithm if jwk.get("alg") in (None, algorithm) else None


def _thumbprint(jwk: dict[str, Any]) -> str:
    named = {name: jwk[name] for name in _NAMED_BY[jwk["kty"]]}
    digest = hashlib.sha256(
        json.dumps(named, sort_keys=True, separators=(",", ":")).encode()
    ).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
