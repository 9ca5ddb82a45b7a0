"""Feedback on cards, in the spelling of the specification and in those of vendors.

Items are read one by one: a malformed one is counted and harms no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from cds_service.errors import BadRequest
from cds_service.protocol.envelope import BYTE_ORDER_MARK
from cds_service.protocol.schema import faults_of

OUTCOMES = ("accepted", "overridden")
_LONGEST = 200  # characters kept of a uuid, code or system
_LONGEST_COMMENT = 2000


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of one card. `at` is in UTC; `comment` is free text that may name the patient."""

    card: str
    outcome: str
    at: datetime
    suggestions: tuple[str, ...] = ()
    reason_system: str = ""
    reason_code: str = ""
    reason_display: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class FeedbackBatch:
    """The items of one call that could be read, and how many could not."""

    items: tuple[Feedback, ...]
    malformed: int


def read_feedback(body: bytes, received: datetime) -> FeedbackBatch:
    """Decode a feedback call; an item without a time took place when it was `received`.
    Raises BadRequest.
    """
    if not body:
        raise BadRequest("the body is empty; feedback is a JSON object")
    try:
        message = msgspec.json.decode(body.removeprefix(BYTE_ORDER_MARK))
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRequest("the body is not valid JSON") from None
    faults = faults_of("feedback", message)
    if faults:
        raise BadRequest("; ".join(faults))
    read = [_item(item, received) for item in message["feedback"]]
    good = tuple(item for item in read if item is not None)
    return FeedbackBatch(good, len(read) - len(good))


def _item(item: Any, received: datetime) -> Feedback | None:
    if not isinstance(item, dict):
        return None
    card, outcome = _text(item.get("card")), _text(item.get("outcome")).lower()
    if not card or outcome not in OUTCOMES:
        return None
    at = _instant(item.get("outcomeTimestamp"), received)
    if at is None:
        return None
    override = _first(item, "overrideReason", "overrideReasons", "overriddeReason")
    override = override[0] if isinstance(override, list) and override else override
    override = override if isinstance(override, dict) else {}
    reason = override.get("reason")
    coding = reason if isinstance(reason, dict) else override  # some send the coding itself
    return Feedback(
        card=card,
        outcome=outcome,
        at=at,
        suggestions=_suggestions(_first(item, "acceptedSuggestions", "acceptedSuggestion")),
        reason_system=_text(coding.get("system")),
        reason_code=_text(coding.get("code")),
        reason_display=_text(coding.get("display")),
        comment=_text(override.get("userComment"), _LONGEST_COMMENT),
    )


def _first(item: dict[str, Any], *spellings: str) -> Any:
    return next((item[name] for name in spellings if item.get(name)), None)


def _suggestions(sent: Any) -> tuple[str, ...]:
    """The accepted suggestion uuids, sent as objects or as strings, one or several."""
    listed = sent if isinstance(sent, list) else [sent]
    ids = (_text(entry.get("id") if isinstance(entry, dict) else entry) for entry in listed[:50])
    return tuple(i for i in ids if i)


def _instant(sent: Any, received: datetime) -> datetime | None:
    """An RFC 3339 time in UTC, with any offset and fraction; None if it cannot be read."""
    if sent in (None, ""):
        return received
    try:
        at = datetime.fromisoformat(sent)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _text(value: Any, longest: int = _LONGEST) -> str:
    """A printable string, cut to its longest."""
    return "".join(c for c in value if c.isprintable())[:longest] if isinstance(value, str) else ""
