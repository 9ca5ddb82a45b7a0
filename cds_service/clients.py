"""Who may ask: the registered clients, and what each may do.

Outside production, unless clients are registered, there is one client: anyone, who may name FHIR
servers on loopback only.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from time import monotonic
from typing import Protocol
from urllib.parse import urlsplit

from cds_service.addresses import Reach, climbs
from cds_service.errors import Forbidden
from cds_service.key_sets import Failed, Key, KeySets, chosen
from cds_service.protocol.profiles import Profile
from cds_service.settings import Settings
from cds_service.tokens import (
    ALGORITHMS,
    LEEWAY,
    Claims,
    audiences,
    check,
    read_token,
    verify,
)

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_ALL = "all"
_WHOLE = 10_000  # parts of a share, so that a percent is a hundred of them

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one client may ask; None leaves it to the service's own limit."""

    requests_per_minute: int | None = None  # of each worker
    concurrent: int | None = None  # calls in hand at once, of each worker
    body_mb: int | None = None
    entries: int = 20_000  # resources of one request, or items of one feedback call
    depth: int = 100  # objects and lists within each other, in draft orders and feedback


@dataclass(frozen=True, slots=True)
class Client:
    """A caller. Empty `services` means all of them; `fhir` is the one FHIR base its tokens
    may be sent to.
    """

    id: str
    services: frozenset[str] = frozenset()
    fhir: str = ""
    loopback: bool = False  # may name any plain HTTP FHIR server on loopback
    payers: tuple[tuple[str, str], ...] = ()  # Coverage text, SYSTEM#value or Type/id -> payer id
    silent: frozenset[str] = frozenset()  # cards evaluated and recorded but not shown; or `all`
    profile: Profile = Profile.STRICT
    issuer: str = ""
    jku: str = ""  # the one address its tokens may name for its keys
    keys: tuple[Key, ...] = field(
        default=(), repr=False
    )  # exchanged beforehand; then none are fetched
    algorithms: frozenset[str] = ALGORITHMS  # its tokens may be signed with
    tenant: str = ""
    audiences: tuple[str, ...] = ()  # accepted besides our own addresses
    allow_private: tuple[
        IPv4Network | IPv6Network, ...
    ] = ()  # where its FHIR server and keys may lie
    prefetch: tuple[tuple[str, str], ...] = ()  # prefetch key -> the site's own query
    preference_list: tuple[tuple[str, str], ...] = ()  # order file -> entry in Epic's list
    rollout: tuple[tuple[str, int], ...] = ()  # card -> percent of users who see it
    origins: tuple[str, ...] = ()  # of browsers that may call in its name
    limits: Limits = Limits()

    def may_use(self, service_id: str) -> None:
        """Raises Forbidden unless the client may call the service."""
        if self.services and service_id not in self.services:
            raise Forbidden("This client may not call this service.")

    def reaches(self, server: str) -> bool:
        """Whether an address lies on a FHIR server this client may have us call.

        >>> ANYONE.reaches("http://127.0.0.1:9000/fhir"), ANYONE.reaches("http://127.0.0.1.example.org/fhir")
        (True, False)
        """
        if self.fhir:
            inside = server == self.fhir or server.startswith(self.fhir + "/")
            return inside and not climbs(server.partition("?")[0])
        return self.loopback and urlsplit(server).hostname in _LOOPBACK

    def shows(self, card: str, user: str = "", key: str = "") -> bool:
        """Whether a card is shown to a user: it is not silent, and its roll-out has reached them.

        `key` keys the hash by which users are drawn; the same user stays drawn when the share
        grows.
        """
        if self.all_silent or card in self.silent:
            return False
        percent = next((percent for name, percent in self.rollout if name == card), 100)
        return self._draw(card, user, key) < percent * _WHOLE // 100

    def showing(self, user: str, key: str) -> Callable[[str], bool]:
        """Which cards are shown to a user."""
        if not self.silent and not self.rollout:
            return _every
        return lambda card: self.shows(card, user, key)

    @property
    def all_silent(self) -> bool:
        """Whether nothing at all is shown."""
        return _ALL in self.silent

    def _draw(self, card: str, user: str, key: str) -> int:
        """A number below 10,000 that stays with a user and a card."""
        named = "\0".join((self.id, card, user)).encode()
        return int.from_bytes(hmac.digest(key.encode(), named, "sha256")[:8]) % _WHOLE


def _every(_: str) -> bool:
    """Every card is shown."""
    return True


ANYONE = Client("anyone", loopback=True)


def key_reaches(clients: Iterable[Client], loopback: bool) -> dict[str, Reach]:
    """Where each address of keys to be fetched may lie; of clients that share one, where
    any allows.
    """
    found: dict[str, Reach] = {}
    for client in clients:
        if client.jku and not client.keys:
            before = found.get(client.jku, Reach())
            found[client.jku] = Reach((*before.private, *client.allow_private), loopback)
    return found


def key_sets(
    clients: Iterable[Client],
    *,
    loopback: bool,
    unwanted: Collection[str] = (),
    failed: Failed | None = None,
    timer: Callable[[], float] = monotonic,
) -> KeySets:
    """The key sets of clients whose keys are fetched, each with the algorithms that any of
    its clients may sign with.
    """
    known = tuple(clients)
    reaches = key_reaches(known, loopback)
    algorithms = {
        address: frozenset[str]().union(*(c.algorithms for c in known if c.jku == address))
        for address in reaches
    }
    return KeySets(reaches, algorithms=algorithms, unwanted=unwanted, failed=failed, timer=timer)


class Seen(Protocol):
    """A memory of used tokens that all workers share."""

    def first_use(self, issuer: str, token_id: str, until: datetime) -> bool:
        """Whether nobody used the token before; it need not be remembered after `until`."""

    def close(self) -> None:
        """Let go of it."""


class Registry:
    """The clients we know, and how each proves to be itself; without `seen` no token is
    accepted.
    """

    def __init__(
        self,
        settings: Settings,
        clients: Iterable[Client] = (),
        *,
        seen: Seen | None = None,
        sets: KeySets | None = None,
        now: Now | None = None,
    ) -> None:
        self.clients: Mapping[str, Client] = {client.id: client for client in clients}
        self.open = settings.open_access and not self.clients
        self._base = settings.base_url
        self._seen, self._now = seen, now or settings.now
        self._key_sets = sets or key_sets(self.clients.values(), loopback=settings.open_access)

    def identify(self, authorization: str | None, path: str = "") -> Client:
        """The client that calls `path` with an Authorization header. Raises NotAuthorized, also
        once used.

        Issuer and key address are compared as text, times and audience checked, before anything is
        fetched.
        """
        if self.open:
            return ANYONE
        token, claims = read_token(authorization)
        client = self._named(claims)
        if claims.algorithm not in client.algorithms:
            raise claims.refused("the client is not registered for that algorithm")
        now = self._now()
        check(claims, int(now.timestamp()), audiences(self._base, path), client.audiences)
        key = self._key(client, claims)
        if key is None:
            raise claims.refused("no key of that kid and algorithm")
        verify(token, key.jwk, claims)
        until = datetime.fromtimestamp(claims.expires + LEEWAY, now.tzinfo)
        if self._seen is None or not self._seen.first_use(claims.issuer, claims.token_id, until):
            raise claims.refused("the token was used before")
        return client

    def enrol(self, client: Client) -> None:
        """Know one more client, whose keys are at hand; before calls are taken."""
        self.clients = {**self.clients, client.id: client}

    def warm(self) -> None:
        """Begin to fetch keys; after the worker has forked."""
        self._key_sets.warm()

    def close(self) -> None:
        """Let go of connections."""
        self._key_sets.close()
        if self._seen is not None:
            self._seen.close()

    def _named(self, claims: Claims) -> Client:
        """The one client of that issuer, key address and tenant."""
        ours = [client for client in self.clients.values() if client.issuer == claims.issuer]
        if not ours:
            raise claims.refused("the issuer is not registered")
        ours = [client for client in ours if claims.jku in (None, client.jku)]
        if not ours:
            raise claims.refused("the jku is not the one registered for the issuer")
        exact = [client for client in ours if client.tenant == claims.tenant]
        fitting = exact or [client for client in ours if not client.tenant]
        if len(fitting) != 1:
            raise claims.refused(
                "several clients fit" if fitting else "the tenant is not registered"
            )
        return fitting[0]

    def _key(self, client: Client, claims: Claims) -> Key | None:
        if client.keys:
            return chosen(client.keys, claims.key_id, claims.algorithm)
        return self._key_sets.find(client.jku, claims.key_id, claims.algorithm)
