"""What a service does with a call: takes what clients may send, and refuses what is no call
in FHIR.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from uuid import uuid4

from cds_service.integration.conformance.check import Json, Level, Skip, Subject, check, refused
from cds_service.integration.remote import Reply
from cds_service.integration.samples import REQUIRED

_DEEP = b'{"hook":' + b"[" * 20_000 + b"]" * 20_000 + b"}"


def _without(request: Json, *route: str) -> Json:
    changed = deepcopy(request)
    place = changed
    for step in route[:-1]:
        place = place[step]
    place.pop(route[-1], None)
    return changed


def _taken(name: str, reply: Reply) -> Iterator[str]:
    if reply.status not in (200, 412):
        yield f"{name}: status {reply.status}"


def _bad_calls(subject: Subject) -> Iterator[tuple[str, Reply]]:
    entry, request = subject.first()
    for name, body in (("no JSON", b"{"), ("an array", b"[]"), ("empty", b""), ("nested", _DEEP)):
        yield name, subject.remote.call(entry["id"], body)
    yield "no hook", subject.remote.call(entry["id"], _without(request, "hook"))
    yield "no context", subject.remote.call(entry["id"], _without(request, "context"))
    yield "unknown service", subject.remote.call("no-such-service", request)


@check("REQ-1", "A service answers POST only, and only with a JSON object")
def post_only(subject: Subject) -> Iterator[str]:
    entry, _ = subject.first()
    got = subject.remote.send("GET", f"/cds-services/{entry['id']}")
    if got.status not in (401, 404, 405):
        yield f"GET: status {got.status}"
    if fault := refused(subject.remote.call(entry["id"], b"[]")):
        yield f"an array: {fault}"


@check("REQ-2", "A charset in the media type does no harm", Level.SHOULD)
def charset(subject: Subject) -> Iterator[str]:
    entry, request = subject.first()
    typed = {"Content-Type": "application/json; charset=utf-8"}
    yield from _taken(
        "charset", subject.remote.send("POST", f"/cds-services/{entry['id']}", request, typed)
    )


@check("REQ-3", "A call without a hook, or with one that is not the service's, is refused")
def wrong_hook(subject: Subject) -> Iterator[str]:
    for entry, request in subject.callable():
        for name, sent in (
            ("no hook", _without(request, "hook")),
            ("another hook", {**request, "hook": "org.example.nothing"}),
        ):
            if fault := refused(subject.remote.call(entry["id"], sent)):
                yield f"{entry['id']}: {name}: {fault}"


@check("REQ-4", "A hook instance is a UUID in any spelling, and must be there")
def instances(subject: Subject) -> Iterator[str]:
    entry, request = subject.first()
    bare = str(uuid4())
    for spelling in (bare, bare.upper(), f"urn:uuid:{bare}"):
        reply = subject.remote.call(entry["id"], {**request, "hookInstance": spelling})
        yield from _taken(spelling.replace(bare, "UUID"), reply)
    if fault := refused(subject.remote.call(entry["id"], _without(request, "hookInstance"))):
        yield f"no hookInstance: {fault}"


@check("REQ-5", "A call without a member that its hook requires is refused")
def required_context(subject: Subject) -> Iterator[str]:
    for entry, request in subject.callable():
        for member in REQUIRED[entry["hook"]]:
            if (
                member != "draftOrders"
            ):  # clients with a wrong registration send order hooks without them
                reply = subject.remote.call(entry["id"], _without(request, "context", member))
                if fault := refused(reply):
                    yield f"{entry['id']}: no {member}: {fault}"


@check(
    "REQ-9",
    "A call without prefetch and without a server is answered, or data are said to be missing",
)
def bare(subject: Subject) -> Iterator[str]:
    for entry, request in subject.callable():
        yield from _taken(
            entry["id"], subject.remote.call(entry["id"], _without(request, "prefetch"))
        )


@check("REQ-10", "An extension in a request does no harm")
def extension(subject: Subject) -> Iterator[str]:
    entry, request = subject.first()
    for sent in ({"org.example": 1}, [{"org.example": 1}]):
        reply = subject.remote.call(entry["id"], {**request, "extension": sent})
        yield from _taken(type(sent).__name__, reply)


@check("REQ-11", "A service that does not exist is 404", Level.SHOULD)
def unknown_service(subject: Subject) -> Iterator[str]:
    _, request = subject.first()
    status = subject.remote.call("no-such-service", request).status
    if status not in (401, 404):
        yield f"status {status}"


@check("REQ-12", "Ids may be long", Level.SHOULD)
def long_ids(subject: Subject) -> Iterator[str]:
    entry, request = subject.first()
    sent = _without(request, "prefetch")
    sent["context"]["patientId"] = "e" * 90
    sent["context"].pop("draftOrders", None)
    yield from _taken("90 characters", subject.remote.call(entry["id"], sent))


@check("REQ-13", "An order hook without its orders breaks nothing", Level.SHOULD)
def stripped(subject: Subject) -> Iterator[str]:
    found = [(e, r) for e, r in subject.callable() if "draftOrders" in r["context"]]
    if not found:
        raise Skip("no service on an order hook")
    for entry, request in found:
        status = subject.remote.call(
            entry["id"], _without(request, "context", "draftOrders")
        ).status
        if status >= 500:
            yield f"{entry['id']}: status {status}"


@check("JSON-7", "Members that nobody knows are ignored", Level.SHOULD)
def unknown_members(subject: Subject) -> Iterator[str]:
    entry, request = subject.first()
    sent = {**request, "unknown": [1], "context": {**request["context"], "unknown": {"a": None}}}
    yield from _taken("unknown members", subject.remote.call(entry["id"], sent))


@check("HTTP-3", "What is no call is refused as such, never as a fault of the service")
def malformed(subject: Subject) -> Iterator[str]:
    for name, reply in _bad_calls(subject):
        if fault := refused(reply):
            yield f"{name}: {fault}"


@check("HTTP-2", "A refusal is an OperationOutcome in JSON", Level.SHOULD)
def outcomes(subject: Subject) -> Iterator[str]:
    for name, reply in _bad_calls(subject):
        found = reply.object
        issues = found.get("issue")
        if (
            found.get("resourceType") != "OperationOutcome"
            or not isinstance(issues, list)
            or not issues
        ):
            yield f"{name}: no OperationOutcome"


@check("REQ-15", "A refusal says nothing of how the service is built")
def no_traces(subject: Subject) -> Iterator[str]:
    for name, reply in _bad_calls(subject):
        text = reply.body.decode("utf-8", "replace")
        if any(
            sign in text
            for sign in ("Traceback (most recent", "<html", "<!DOCTYPE", "\tat ", ".java:")
        ):
            yield f"{name}: a page or a stack trace"
