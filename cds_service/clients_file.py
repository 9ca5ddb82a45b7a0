"""The file that registers clients: read once at start by the strict loader, each fault with
file and line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from cds_service.addresses import http_host
from cds_service.clients import Client, Limits
from cds_service.errors import KnowledgeError
from cds_service.key_sets import BadKeySet, Key, read_keys
from cds_service.knowledge import schema
from cds_service.knowledge.strict_yaml import Loaded, load
from cds_service.protocol.preference_list import ORDERED
from cds_service.protocol.profiles import Profile
from cds_service.protocol.services import SERVICES
from cds_service.tokens import ALGORITHMS

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_COULD_NOT_CHECK = "could-not-check"
CARDS = frozenset({_COULD_NOT_CHECK}).union(
    *(
        {offer.folding, *(card for cards in offer.cards.values() for card in cards)}
        for offer in SERVICES
    )
)


def read_clients(
    path: Path,
    payers: Iterable[str] | None = None,
    orders: Mapping[str, str] | None = None,
) -> tuple[Client, ...]:
    """The clients of a file, in its order. Raises KnowledgeError for the first fault."""
    loaded, found = loaded_clients(path, payers, orders)
    for fault in found:
        raise fault
    return tuple(
        _client(path.parent, name, entry) for name, entry in loaded.data["clients"].items()
    )


def loaded_clients(
    path: Path,
    payers: Iterable[str] | None = None,
    orders: Mapping[str, str] | None = None,
) -> tuple[Loaded, list[KnowledgeError]]:
    """The file and everything wrong with it; `payers` are the ids that exist, `orders` the
    order files that exist, each with its resource type.

    Raises KnowledgeError for a file that is no YAML.
    """
    loaded = load(path, path.name if path.is_file() else str(path))
    found = schema.faults(loaded, "clients")
    return loaded, found or list(_faults(loaded, path.parent, payers, orders))


def _faults(
    loaded: Loaded,
    folder: Path,
    payers: Iterable[str] | None,
    orders: Mapping[str, str] | None,
) -> Iterator[KnowledgeError]:
    clients: Mapping[str, Mapping[str, Any]] = loaded.data["clients"]
    named: dict[tuple[Any, ...], str] = {}
    for name, entry in clients.items():
        place = ("clients", name)
        identity = (entry["issuer"], entry.get("jku"), entry.get("tenant"))
        if identity in named:
            yield loaded.fault(place, f"{name} has issuer, jku and tenant of {named[identity]}")
        named.setdefault(identity, name)
        yield from _unknown(loaded, (*place, "services"), [offer.id for offer in SERVICES])
        if entry.get("silent") != "all":
            yield from _unknown(loaded, (*place, "silent"), {"all", *CARDS})
        yield from _unknown(loaded, (*place, "rollout"), CARDS)
        if payers is not None:
            for text, payer in entry.get("payers", {}).items():
                if payer not in payers:
                    known = ", ".join(sorted(payers))
                    yield loaded.fault((*place, "payers", text), f"unknown payer {payer!r}", known)
        yield from _preference_faults(loaded, place, entry, orders)
        yield from _address_faults(loaded, place, entry)
        if "keys" in entry:
            try:
                _read_keys(folder, entry)
            except (OSError, BadKeySet) as error:
                yield loaded.fault(
                    (*place, "keys"), f"{entry['keys']}: {error}", "a JWKS of public keys"
                )


def _unknown(
    loaded: Loaded, place: tuple[str, ...], known: Iterable[str]
) -> Iterator[KnowledgeError]:
    entry = loaded.data["clients"][place[1]].get(place[2], ())
    for name in entry:
        if name not in known:
            yield loaded.fault(
                place, f"unknown name {name!r} in {place[2]}", ", ".join(sorted(known))
            )


def _preference_faults(
    loaded: Loaded, place: tuple[str, ...], entry: Any, orders: Mapping[str, str] | None
) -> Iterator[KnowledgeError]:
    listed = (*place, "preference_list")
    if "preference_list" in entry and entry.get("profile") != Profile.EPIC:
        yield loaded.fault(listed, "a preference list with another profile", "profile: epic")
    if orders is None:
        return
    allowed = ", ".join(sorted(name for name, kind in orders.items() if kind in ORDERED))
    for name in entry.get("preference_list", ()):
        if name not in orders:
            yield loaded.fault((*listed, name), f"unknown order {name!r}", allowed)
        elif orders[name] not in ORDERED:
            what = f"{name} is a {orders[name]}, of which Epic makes no order"
            yield loaded.fault((*listed, name), what, allowed)


def _address_faults(loaded: Loaded, place: tuple[str, ...], entry: Any) -> Iterator[KnowledgeError]:
    for member in ("jku", "fhir"):
        if member in entry and not http_host(entry[member]):
            what = f"{entry[member]!r} is no address"
            yield loaded.fault((*place, member), what, "such as https://ehr.example.org/fhir")
    jku = entry.get("jku", "")
    if jku.startswith("http:") and http_host(jku) not in ("", *_LOOPBACK):
        yield loaded.fault((*place, "jku"), "keys over plain http", "https://")
    for text in entry.get("allow_private", ()):
        try:
            ip_network(text)
        except ValueError:
            yield loaded.fault(
                (*place, "allow_private"), f"{text!r} is no network", "such as 10.20.0.0/16"
            )


def _client(folder: Path, name: str, entry: Mapping[str, Any]) -> Client:
    silent = entry.get("silent", ())
    return Client(
        id=name,
        services=frozenset(entry.get("services", ())),
        fhir=entry.get("fhir", "").rstrip("/"),
        payers=tuple(entry.get("payers", {}).items()),
        silent=frozenset({silent} if isinstance(silent, str) else silent),
        profile=_profile(entry.get("profile", Profile.STRICT.value)),
        issuer=entry["issuer"],
        jku=entry.get("jku", ""),
        keys=_read_keys(folder, entry) if "keys" in entry else (),
        algorithms=_algorithms(entry),
        tenant=entry.get("tenant", ""),
        audiences=tuple(entry.get("audiences", ())),
        allow_private=tuple(_networks(entry.get("allow_private", ()))),
        prefetch=tuple(entry.get("prefetch", {}).items()),
        preference_list=tuple(
            (order, str(key)) for order, key in entry.get("preference_list", {}).items()
        ),
        rollout=tuple(entry.get("rollout", {}).items()),
        origins=tuple(entry.get("origins", ())),
        limits=Limits(**entry.get("limits", {})),
    )


def _networks(texts: Iterable[str]) -> Iterator[IPv4Network | IPv6Network]:
    return (ip_network(text) for text in texts)


def _profile(written: Any) -> Profile:
    """A profile by its name; 2.0 without quotes is a number, as is 2."""
    return Profile(written if isinstance(written, str) else f"{written:.1f}")


def _read_keys(folder: Path, entry: Mapping[str, Any]) -> tuple[Key, ...]:
    """The public keys of a JWKS file. Raises OSError, BadKeySet."""
    return read_keys((folder / entry["keys"]).read_bytes(), _algorithms(entry))


def _algorithms(entry: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(entry.get("algorithms", ALGORITHMS))
