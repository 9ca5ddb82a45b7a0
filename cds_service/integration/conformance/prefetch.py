"""Prefetch in every state a client may send it: absent is not empty, and no state breaks
the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cds_service.integration.conformance.check import Json, Level, Skip, Subject, check
from cds_service.integration.samples import bundle


def _outcome(severity: str) -> Json:
    issue = {"severity": severity, "code": "processing", "diagnostics": "conformance test"}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


_EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}
_WARNED = {**_EMPTY, "entry": [{"search": {"mode": "outcome"}, "resource": _outcome("warning")}]}
_CUT = {**_EMPTY, "link": [{"relation": "next", "url": "https://ehr.invalid/fhir?page=2"}]}


def _searches(subject: Subject) -> Iterator[tuple[Json, Json, str]]:
    """Each search key of each service we can call, with a whole request."""
    found = [
        (entry, request, key)
        for entry, request in subject.callable()
        if isinstance(templates := entry.get("prefetch"), dict)
        for key, template in templates.items()
        if "?" in str(template)
    ]
    if not found:
        raise Skip("no service asks for a search")
    yield from found


def _statuses(subject: Subject, value: Any) -> Iterator[tuple[str, int]]:
    """The status of each call in which one search key holds `value`, or is left out for `...`."""
    for entry, request, key in _searches(subject):
        prefetch = {**(request.get("prefetch") or {}), key: value}
        if value is ...:
            del prefetch[key]
        reply = subject.remote.call(entry["id"], {**request, "prefetch": prefetch})
        yield f"{entry['id']} on {entry['hook']}: {key}", reply.status


@check("PF-1", "Any one key may be missing")
def any_missing(subject: Subject) -> Iterator[str]:
    for name, status in _statuses(subject, ...):
        if status not in (200, 412):
            yield f"{name}: status {status}"


@check("PF-3", "Needed data that cannot be had are 412, never a made-up answer or a failure")
def nothing_to_read(subject: Subject) -> Iterator[str]:
    for entry, request in subject.callable():
        if entry.get("prefetch"):
            status = subject.remote.call(entry["id"], {**request, "prefetch": {}}).status
            if status not in (200, 412):
                yield f"{entry['id']}: status {status}"


@check("PF-6", "null and an empty result are known to be empty")
def known_empty(subject: Subject) -> Iterator[str]:
    for value in (None, _EMPTY, bundle()):
        for name, status in _statuses(subject, value):
            if status != 200:
                yield f"{name}: status {status}"


@check("PF-7", "An error in the place of a result makes the data unknown, not the call wrong")
def failed_query(subject: Subject) -> Iterator[str]:
    for value in (_outcome("error"), bundle(_outcome("fatal"))):
        for name, status in _statuses(subject, value):
            if status not in (200, 412):
                yield f"{name}: status {status}"


@check("PF-8", "A warning beside an empty result is no error", Level.SHOULD)
def warned(subject: Subject) -> Iterator[str]:
    for name, status in _statuses(subject, _WARNED):
        if status != 200:
            yield f"{name}: status {status}"


@check("PF-9", "A result of several pages may be sent without a way to turn them")
def paged(subject: Subject) -> Iterator[str]:
    for name, status in _statuses(subject, _CUT):
        if status not in (200, 412):
            yield f"{name}: status {status}"


@check("PF-10", "Keys that were not asked for are ignored")
def foreign_keys(subject: Subject) -> Iterator[str]:
    entry, request = subject.first()
    prefetch = {
        **request.get("prefetch", {}),
        "conformance-extra": {"resourceType": "Basic", "id": "1"},
    }
    status = subject.remote.call(entry["id"], {**request, "prefetch": prefetch}).status
    if status not in (200, 412):
        yield f"status {status}"


@check("PF-12", "A bundle of another type is read as well", Level.SHOULD)
def other_bundles(subject: Subject) -> Iterator[str]:
    for value in (bundle(kind="collection"), {"resourceType": "Bundle"}):
        for name, status in _statuses(subject, value):
            if status != 200:
                yield f"{name}: status {status}"
