"""The JWT by which a client names itself: what it claims, and whether that holds.

Signatures are verified by PyJWT with ES384 and RS384, and with the other algorithms named here only
for a client registered for them. Claims are checked here, against our own addresses and a clock
that is handed in. A refusal is one `NotAuthorized`; its reason is for the log.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt

from cds_service.errors import NotAuthorized

ALGORITHMS = frozenset({"ES384", "RS384"})  # taken unless a client is registered for others
KINDS: Mapping[str, tuple[str, str | None]] = {  # key type and curve that an algorithm needs
    "ES384": ("EC", "P-384"),
    "RS384": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "RS256": ("RSA", None),
    "PS384": ("RSA", None),
}
LEEWAY = 60  # seconds that clocks may differ
LONGEST_LIFE = 3600  # seconds between `iat` and `exp`
_LONGEST = 8192  # characters of a token
_LONGEST_SHOWN = 100  # characters of a claim that the log takes
_PORTS = {"http": 80, "https": 443}
_FEEDBACK = "/feedback"
_ABSENT = (None, "")  # how some write a claim they do not make
_HALF = re.compile("[\ud800-\udfff]")  # of a character: JSON can say it, no text can hold it


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says; times are whole seconds of the epoch. None of it is true until
    verified.
    """

    algorithm: str
    key_id: str
    jku: str | None
    issuer: str
    tenant: str
    token_id: str
    audience: tuple[str, ...]
    issued: int
    expires: int
    not_before: int | None

    def refused(self, reason: str) -> NotAuthorized:
        """The refusal of this token."""
        shown = (_shown(text) for text in (self.issuer, self.tenant, self.token_id))
        issuer, tenant, token_id = shown
        return NotAuthorized(reason, issuer=issuer, tenant=tenant, token_id=token_id)


def read_token(authorization: str | None) -> tuple[str, Claims]:
    """The token of an Authorization header and its claims, unverified. Raises NotAuthorized."""
    if authorization is None:
        raise NotAuthorized("no Authorization header")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > _LONGEST or not token.isascii():
        raise NotAuthorized("not a bearer token")
    try:
        read = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise NotAuthorized("not a JWT") from None
    return token, _claims(read["header"], read["payload"])


def check(claims: Claims, now: int, allowed: Collection[str], extra: Collection[str] = ()) -> None:
    """Raises NotAuthorized unless the token is alive `now` and meant for one of the `allowed`
    addresses.

    `extra` are audiences a client is known to send whatever it calls, addresses or not.
    """
    if now > claims.expires + LEEWAY:
        raise claims.refused("expired")
    if claims.issued > now + LEEWAY:
        raise claims.refused("issued in the future")
    if claims.not_before is not None and claims.not_before > now + LEEWAY:
        raise claims.refused("not valid yet")
    if not 0 < claims.expires - claims.issued <= LONGEST_LIFE:
        raise claims.refused("lives longer than an hour, or not at all")
    ours = {_plain(address) for address in (*allowed, *extra)}
    if not any(_plain(audience) in ours for audience in claims.audience):
        raise claims.refused("meant for another address")


def verify(token: str, key: jwt.PyJWK, claims: Claims) -> None:
    """Raises NotAuthorized unless the signature is that of the key."""
    options: Any = {
        f"verify_{claim}": False for claim in ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")
    }
    try:
        jwt.decode(token, key, algorithms=[claims.algorithm], options=options)
    except (jwt.PyJWTError, ValueError):
        raise claims.refused("the signature does not fit") from None


def audiences(base: str, path: str) -> tuple[str, ...]:
    """What a token for a path may name: its address, and for feedback also that of its service.

    >>> audiences("https://cds.example.org", "/cds-services/a/feedback")
    ('https://cds.example.org/cds-services/a/feedback', 'https://cds.example.org/cds-services/a')
    """
    path = path.rstrip("/")
    own = f"{base}{path}"
    return (own, own.removesuffix(_FEEDBACK)) if path.endswith(_FEEDBACK) else (own,)


def _claims(header: dict[str, Any], payload: dict[str, Any]) -> Claims:
    """The claims of a token that has all it must have, each of its type; what it may leave out may
    be empty. Raises NotAuthorized.
    """
    issuer = _text(payload, "iss")
    if not isinstance(header.get("alg"), str) or header["alg"] not in KINDS:
        raise NotAuthorized("the algorithm is not one we verify", issuer=_shown(issuer))
    if str(header.get("typ", "")).upper() != "JWT":
        raise NotAuthorized("the typ is not JWT", issuer=_shown(issuer))
    if "crit" in header or "b64" in header:
        raise NotAuthorized("critical header members are not known here", issuer=_shown(issuer))
    sent = payload.get("aud")
    audience = tuple(sent) if isinstance(sent, list) else (sent,)
    if not audience or not all(isinstance(each, str) and each for each in audience):
        raise NotAuthorized("aud is missing or not text", issuer=_shown(issuer))
    return Claims(
        algorithm=header["alg"],
        key_id=_text(header, "kid"),
        jku=None if header.get("jku") in _ABSENT else _text(header, "jku"),
        issuer=issuer,
        tenant="" if payload.get("tenant") in _ABSENT else _text(payload, "tenant"),
        token_id=_text(payload, "jti"),
        audience=audience,
        issued=_seconds(payload, "iat"),
        expires=_seconds(payload, "exp"),
        not_before=None if payload.get("nbf") in _ABSENT else _seconds(payload, "nbf"),
    )


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value or _HALF.search(value):
        raise NotAuthorized(f"{name} is missing or not text")
    return value


def _seconds(members: dict[str, Any], name: str) -> int:
    value = members.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**40:
        raise NotAuthorized(f"{name} is missing or not a time in seconds")
    return value


def _plain(address: str) -> str:
    """An address with what does not distinguish it taken away; other text as it is.

    >>> _plain("HTTPS://CDS.Example.org:443/cds-services/a/")
    'https://cds.example.org/cds-services/a'
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return address
    scheme = parts.scheme.lower()
    if (
        scheme not in _PORTS
        or not parts.hostname
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        return address
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    where = host if port in (None, _PORTS[scheme]) else f"{host}:{port}"
    return f"{scheme}://{where}{parts.path.rstrip('/')}"


def _shown(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:_LONGEST_SHOWN]
