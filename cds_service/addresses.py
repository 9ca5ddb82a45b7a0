"""Which addresses we may connect to: those of the open internet, and those a site has named.

Python's `is_global` is too kind to addresses that carry another one inside, so those are unwrapped
first; and its list grows from version to version, so what it gained after 3.11 stands here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_TEREDO = IPv6Network("2001::/32")
_COMPATIBLE = IPv6Network("::/96")  # deprecated, yet some systems route it to the IPv4 address
_UNICAST = IPv6Network("2000::/3")  # all that IANA has given out; the rest is of some other kind
_ALSO_CLOSED = (  # missing from Python's list, or only partly in it
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them
    IPv6Network("2002::/16"),  # 6to4, deprecated: whose relay it takes is anybody's guess
    IPv6Network("3fff::/20"),  # documentation
)
_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_NEVER = frozenset(
    {  # where clouds hand out credentials to whoever asks; nobody keeps charts there
        ip_address("169.254.169.254"),
        ip_address("fd00:ec2::254"),
        ip_address("100.100.100.200"),
        ip_address("168.63.129.16"),
    }
)
_CLIMBS = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
_ANY: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@dataclass(frozen=True, slots=True)
class Reach:
    """Where connections may go besides the open internet; `loopback` is for demos and tests."""

    private: tuple[Network, ...] = ()
    loopback: bool = False

    def allows(self, text: str) -> bool:
        """Whether a resolved address may be connected to.

        >>> Reach().allows("10.20.0.7"), Reach((ip_network("10.20.0.0/16"),)).allows("10.20.0.7")
        (False, True)
        """
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return all(self._allows(each) for each in _carried(address))

    def _allows(self, address: Address) -> bool:
        if address in _NEVER:
            return False
        named = (*self.private, *(_LOOPBACK if self.loopback else ()))
        return _open(address) or any(address in network for network in named)


ANYWHERE = Reach(_ANY)  # for an operator who names the server


def http_host(url: str) -> str:
    """The host of an http(s) URL; empty for a text that is none, and for a port that there is not.

    >>> http_host("https://EHR.example.org:8443/fhir"), http_host("ftp://ehr.example.org")
    ('ehr.example.org', '')
    >>> http_host("http://[::1"), http_host("http://ehr.example.org:99999"), http_host("http://")
    ('', '', '')
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        return ""
    return parts.hostname or "" if usable else ""


def climbs(path: str) -> bool:
    """Whether a path has a segment that leads out of the base it begins with, written plain or not.

    >>> [climbs(path) for path in ("/fhir/../admin", "/fhir/%2E%2e/admin", "/fhir/..", "/fhir/./Patient")]
    [True, True, True, True]
    >>> [climbs(path) for path in ("/fhir/Patient/1.2", "/fhir/...", "/fhir/a..b")]
    [False, False, False]
    """
    return _CLIMBS.search(path) is not None


def odd(host: str) -> bool:
    """Whether a host is a number in a notation that resolvers read as an address and people do not.

    >>> [odd(host) for host in ("2130706433", "0x7f.1", "017700000001", "127.1", "127.0.0.01")]
    [True, True, True, True, True]
    >>> [odd(host) for host in ("127.0.0.1", "::1", "ehr7.example.org", "7.example.org")]
    [False, False, False, False]
    """
    bare = host.strip("[]").rstrip(".")
    if not _NUMBER.fullmatch(bare.rpartition(".")[2]) or ":" in bare:
        return False
    try:
        IPv4Address(bare)
    except ValueError:
        return True
    return False


def _carried(address: Address) -> Iterator[Address]:
    """The addresses that packets to this one may reach."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        yield IPv4Address(int(address) & 0xFFFF_FFFF)
        if address in _COMPATIBLE:
            yield address
    elif address.sixtofour is not None:
        yield address
        yield address.sixtofour
    elif address in _TEREDO and address.teredo is not None:
        yield address
        yield from address.teredo
    else:
        yield address


def _open(address: Address) -> bool:
    """Whether it is a unicast address of the open internet."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if any(address in network for network in _ALSO_CLOSED):
        return False
    return isinstance(address, IPv4Address) or address in _UNICAST
