"""The edge: who may call, from where, over what, and how soon there is an answer."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import quantiles
from urllib.parse import urlsplit
from uuid import uuid4

from cds_service.integration.conformance.check import Level, Skip, Subject, check

_TARGET = 500.0  # milliseconds
_CALLS = 20
_UNSIGNED = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30."  # {"alg": "none"} and no claims
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _closed(subject: Subject) -> str:
    """The id of a service that does not answer anyone. Raises Skip."""
    entry, request = subject.first()
    anonymous = subject.remote.call(entry["id"], request, Authorization="Bearer")
    if anonymous.status != 401:
        raise Skip("the service answers anyone")
    return str(entry["id"])


@check("JWT-4", "A token that nobody signed is refused")
def unsigned(subject: Subject) -> Iterator[str]:
    service = _closed(subject)
    _, request = subject.first()
    status = subject.remote.call(service, request, Authorization=f"Bearer {_UNSIGNED}").status
    if status != 401:
        yield f"status {status}"


@check("HTTP-5", "A refused token is 401, without a word about why", Level.SHOULD)
def opaque(subject: Subject) -> Iterator[str]:
    service = _closed(subject)
    _, request = subject.first()
    reply = subject.remote.call(service, request, Authorization=f"Bearer {_UNSIGNED}")
    challenge = reply.headers.get("www-authenticate", "")
    if not challenge.lower().startswith("bearer"):
        yield "no WWW-Authenticate: Bearer"
    if "error_description" in challenge:
        yield "the challenge explains"


@check("CORS-1", "Browsers may ask before they call, and see errors", Level.SHOULD)
def browsers(subject: Subject) -> Iterator[str]:
    entry, _ = subject.first()
    asking = {
        "Origin": subject.origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    path = f"/cds-services/{entry['id']}"
    preflight = subject.remote.send("OPTIONS", path, headers=asking)
    if "access-control-allow-origin" not in preflight.headers:
        raise Skip(f"no calls from browsers of {subject.origin}")
    if not 200 <= preflight.status < 300:
        yield f"preflight: status {preflight.status}"
    allowed = preflight.headers.get("access-control-allow-headers", "").lower()
    if allowed != "*" and not {"authorization", "content-type"} <= {
        a.strip() for a in allowed.split(",")
    }:
        yield "preflight: Authorization and Content-Type are not allowed"
    refusal = subject.remote.send("POST", path, {}, {"Origin": subject.origin})
    if "access-control-allow-origin" not in refusal.headers:
        yield "errors do not carry the header"


@check("CORS-2", "Browsers never call with credentials of their own from anywhere", Level.SHOULD)
def no_credentials(subject: Subject) -> Iterator[str]:
    reply = subject.remote.send(
        "GET", "/cds-services", headers={"Origin": f"https://{uuid4()}.invalid"}
    )
    if reply.headers.get("access-control-allow-credentials") == "true":
        yield "credentials are allowed to any origin"


@check("TLS-1", "The service is called over HTTPS")
def encrypted(subject: Subject) -> Iterator[str]:
    if urlsplit(subject.remote.base).hostname in _LOOPBACK:
        raise Skip("on loopback")
    if not subject.remote.secure:
        yield "plain HTTP"


@check("PERF-1", "19 of 20 calls are answered within half a second", Level.SHOULD)
def in_time(subject: Subject) -> Iterator[str]:
    entry, request = subject.first()
    spent = [
        subject.remote.call(entry["id"], {**request, "hookInstance": str(uuid4())}).milliseconds
        for _ in range(_CALLS)
    ]
    slowest = quantiles(spent, n=20)[-1]
    if slowest > _TARGET:
        yield f"{slowest:.0f} ms"
