"""Feedback: taken whenever it is well formed, more than once, in several spellings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from cds_service.integration.conformance.check import Json, Level, Skip, Subject, check, refused


def _item(**members: Any) -> Json:
    return {
        "card": str(uuid4()),
        "outcome": "overridden",
        "outcomeTimestamp": "2024-03-01T10:05:31Z",
        "overrideReason": {"reason": {"system": "urn:example", "code": "conformance"}},
        **members,
    }


def _service(subject: Subject) -> str:
    """A service that takes feedback. Raises Skip."""
    entry, _ = subject.first()
    if subject.remote.feedback(entry["id"], {"feedback": [_item()]}).status in (404, 405):
        raise Skip("the service takes no feedback")
    return str(entry["id"])


def _sent(subject: Subject, *items: Any) -> Iterator[str]:
    status = subject.remote.feedback(_service(subject), {"feedback": list(items)}).status
    if not 200 <= status < 300:
        yield f"status {status}"


@check("FB-1", "Every service has a place for feedback", Level.SHOULD)
def endpoint(subject: Subject) -> Iterator[str]:
    for entry in subject.entries:
        status = subject.remote.feedback(entry["id"], {"feedback": [_item()]}).status
        if status in (404, 405) or status >= 500:
            yield f"{entry['id']}: status {status}"


@check("FB-2", "Feedback on several cards comes in one call")
def batch(subject: Subject) -> Iterator[str]:
    accepted = _item(outcome="accepted", acceptedSuggestions=[{"id": str(uuid4())}])
    del accepted["overrideReason"]
    yield from _sent(subject, *(_item() for _ in range(50)), accepted)


@check("FB-6", "The same feedback may come again, and may change")
def again(subject: Subject) -> Iterator[str]:
    item = _item()
    yield from _sent(subject, item)
    yield from _sent(
        subject, item, {**item, "outcome": "accepted", "acceptedSuggestions": [{"id": "s"}]}
    )


@check("FB-10", "Feedback that makes no sense is refused, and never a failure", Level.SHOULD)
def senseless(subject: Subject) -> Iterator[str]:
    service = _service(subject)
    for name, sent in (("no JSON", b"{"), ("no list", {"feedback": 5}), ("an array", [])):
        if fault := refused(subject.remote.feedback(service, sent)):
            yield f"{name}: {fault}"


@check("FB-11", "The spelling of vendors is read as well", Level.SHOULD)
def spellings(subject: Subject) -> Iterator[str]:
    item = _item()
    item["overrideReasons"] = item.pop("overrideReason")
    yield from _sent(subject, item)
