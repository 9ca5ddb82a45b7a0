"""Discovery: where it is, what its entries hold, and whether clients can fill its prefetch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from cds_service.fhir.queries import faults
from cds_service.integration.conformance.check import Level, Skip, Subject, check

_VERSION = re.compile(r"^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$")
_EARLIER = re.compile(r"\{\{%([A-Za-z0-9_-]+)")
_OK, _UNAUTHORIZED = 200, 401
_TOKEN = re.compile(r"\{\{(.*?)\}\}")


@check("DISC-1", "Discovery answers GET at /cds-services")
def is_there(subject: Subject) -> Iterator[str]:
    status = subject.remote.discover().status
    if status == _UNAUTHORIZED and not subject.remote.signs:
        raise Skip("the service asks clients to name themselves for discovery")
    if status == _UNAUTHORIZED:
        yield "status 401: the token was refused; its aud is the address called"
    elif status != 200:
        yield f"status {status}"


@check("DISC-2", "Discovery is a JSON object with a list of services")
def is_a_document(subject: Subject) -> Iterator[str]:
    listed = subject.document.get("services")
    if not isinstance(listed, list):
        status = subject.remote.discover().status
        yield "services is not a list" if status == _OK else f"status {status} in its place"
    elif not all(isinstance(entry, dict) for entry in listed):
        yield "a service is no object"


def _each(subject: Subject, member: str) -> Iterator[tuple[str, Any]]:
    for entry in subject.document.get("services") or ():
        if isinstance(entry, dict):
            yield f"{entry.get('id')} on {entry.get('hook')}", entry.get(member)


def _texts(subject: Subject, member: str) -> Iterator[str]:
    for name, value in _each(subject, member):
        if not isinstance(value, str) or not value:
            yield f"{name}: no {member}"


@check("DISC-4", "Every service names its hook")
def hooks(subject: Subject) -> Iterator[str]:
    yield from _texts(subject, "hook")


@check("DISC-5", "Every service has an id that is one segment of a URL")
def ids(subject: Subject) -> Iterator[str]:
    yield from _texts(subject, "id")
    for name, value in _each(subject, "id"):
        if isinstance(value, str) and quote(value, safe="") != value:
            yield f"{name}: the id needs encoding"


@check("DISC-6", "Every service has a description")
def descriptions(subject: Subject) -> Iterator[str]:
    yield from _texts(subject, "description")


@check("DISC-7", "Every service has a title", Level.SHOULD)
def titles(subject: Subject) -> Iterator[str]:
    yield from _texts(subject, "title")


@check("DISC-8", "Prefetch is an object of strings, left out when nothing is asked for")
def templates(subject: Subject) -> Iterator[str]:
    for name, value in _each(subject, "prefetch"):
        if value is None:
            continue
        if (
            not isinstance(value, dict)
            or not value
            or not all(isinstance(t, str) for t in value.values())
        ):
            yield f"{name}: prefetch is not an object of strings"


@check("DISC-10", "The version of the specification is a semantic version", Level.SHOULD)
def versions(subject: Subject) -> Iterator[str]:
    for name, value in _each(subject, "version"):
        if not isinstance(value, str) or not _VERSION.match(value):
            yield f"{name}: no semantic version"


@check("DISC-13", "A pair of id and hook stands once")
def pairs(subject: Subject) -> Iterator[str]:
    seen: set[tuple[str, Any]] = set()
    for entry in subject.entries:
        pair = (entry["id"], entry.get("hook"))
        if pair in seen:
            yield f"{pair[0]} on {pair[1]} stands twice"
        seen.add(pair)


@check("DISC-14", "A template that builds on another stands after it")
def order(subject: Subject) -> Iterator[str]:
    for name, _key, template, earlier in _templates(subject):
        for used in _EARLIER.findall(template):
            if used not in earlier:
                yield f"{name}: {used} is used before it stands"


@check(
    "DISC-18",
    "Discovery is found without a redirect, by HEAD and with a trailing slash",
    Level.SHOULD,
)
def reachable(subject: Subject) -> Iterator[str]:
    for method, path in (("HEAD", "/cds-services"), ("GET", "/cds-services/")):
        status = subject.remote.send(method, path).status
        if status not in (200, 401):
            yield f"{method} {path}: status {status}"


def _templates(subject: Subject) -> Iterator[tuple[str, str, str, list[str]]]:
    """Each template: its service, key, text, and the keys before it."""
    for name, value in _each(subject, "prefetch"):
        earlier: list[str] = []
        for key, template in (value if isinstance(value, dict) else {}).items():
            if isinstance(template, str):
                yield f"{name}: {key}", key, template, list(earlier)
            earlier.append(key)


@check("TOK-1", "Tokens name a member of the context or a user")
def tokens(subject: Subject) -> Iterator[str]:
    for name, _key, template, _earlier in _templates(subject):
        if template.count("{{") != template.count("}}"):
            yield f"{name}: an open token"
        for token in _TOKEN.findall(template):
            if not re.match(
                r"^(context\.|userPractitioner|userPatientId$|userRelatedPersonId$|%|today\(\))",
                token,
            ):
                yield f"{name}: {token}"


@check("PFQ-2", "Templates keep to the queries every client can run", Level.SHOULD)
def subset(subject: Subject) -> Iterator[str]:
    for name, _key, template, _earlier in _templates(subject):
        for fault in faults(template):
            yield f"{name}: {fault}"


@check("PFQ-7", "Templates are relative addresses")
def relative(subject: Subject) -> Iterator[str]:
    for name, _key, template, _earlier in _templates(subject):
        if template.startswith("/") or "://" in template.partition("?")[0]:
            yield f"{name}: is not relative"
