"""Feedback on cards, in the spelling of the specification and in those of vendors.

Items are read one by one: a malformed one is counted and harms no other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from cds_service.errors import BadRequest
from cds_service.protocol.envelope import BYTE_ORDER_MARK, whole_characters
from cds_service.protocol.schema import faults_of

OUTCOMES = ("accepted", "overridden")
_LONGEST = 200  # characters kept of a uuid, code or system
_LONGEST_COMMENT = 2000
_UUID = re.compile(r"(?i)(?:urn:uuid:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_LEAP = re.compile(r"(?<=:\d\d):60(?!\d)")  # the second that a day may have more


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
    """The items of one call that could be read, and how many could not; `undated` have a time that
    could not be read.
    """

    items: tuple[Feedback, ...]
    malformed: int
    undated: int = 0


def read_feedback(body: bytes, received: datetime) -> FeedbackBatch:
    """Decode a feedback call; an item without a time that can be read took place when it was
    `received`. Raises BadRequest.
    """
    if not body:
        raise BadRequest("the body is empty; feedback is a JSON object")
    try:
        message = _decoded(body.removeprefix(BYTE_ORDER_MARK))
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRequest("the body is not valid JSON") from None
    faults = faults_of("feedback", message)
    if faults:
        raise BadRequest("; ".join(faults))
    read = [_item(item, received) for item in message["feedback"]]
    good = tuple(item for item in read if item is not None)
    undated = sum(
        read is not None and bool(sent.get("outcomeTimestamp")) and read.at is received
        for sent, read in zip(message["feedback"], read, strict=True)
    )
    return FeedbackBatch(good, len(read) - len(good), undated)


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return msgspec.json.decode(whole_characters(body))


def _item(item: Any, received: datetime) -> Feedback | None:
    if not isinstance(item, dict):
        return None
    card, outcome = _id(item.get("card")), _text(item.get("outcome")).lower()
    if not card or outcome not in OUTCOMES:
        return None
    override = _only(_first(item, "overrideReason", "overrideReasons", "overriddeReason"))
    override = override if isinstance(override, dict) else {"reason": override}
    coding = _coding(override.get("reason")) or override  # some send the coding itself
    return Feedback(
        card=card,
        outcome=outcome,
        at=_instant(item.get("outcomeTimestamp"), received),
        suggestions=_suggestions(_first(item, "acceptedSuggestions", "acceptedSuggestion")),
        reason_system=_text(coding.get("system")),
        reason_code=_text(coding.get("code")),
        reason_display=_text(coding.get("display")),
        comment=_text(override.get("userComment"), _LONGEST_COMMENT),
    )


def _first(item: dict[str, Any], *spellings: str) -> Any:
    return next((item[name] for name in spellings if item.get(name)), None)


def _only(sent: Any) -> Any:
    """A value, or the first of several."""
    return sent[0] if isinstance(sent, list) and sent else sent


def _coding(reason: Any) -> dict[str, Any]:
    """The coding of a reason, which may stand in a concept or a list, or be a code or words alone."""
    reason = _only(reason)
    if isinstance(reason, str):
        return {"display" if " " in reason.strip() else "code": reason}
    if not isinstance(reason, dict):
        return {}
    coding = _only(reason.get("coding"))
    return coding if isinstance(coding, dict) else {"display": reason.get("text"), **reason}


def _id(sent: Any) -> str:
    """An id as we gave it: a UUID bare and in lower case, any other text as it is."""
    text = _text(sent)
    uuid = _UUID.fullmatch(text)
    return uuid[1].lower() if uuid else text


def _suggestions(sent: Any) -> tuple[str, ...]:
    """The accepted suggestion uuids, sent as objects or as strings, one or several."""
    listed = sent if isinstance(sent, list) else [sent]
    ids = (_id(entry.get("id") if isinstance(entry, dict) else entry) for entry in listed[:50])
    return tuple(i for i in ids if i)


def _instant(sent: Any, received: datetime) -> datetime:
    """An RFC 3339 time in UTC, with any offset and fraction; `received` if it cannot be read."""
    if not isinstance(sent, str):
        return received
    try:
        at = datetime.fromisoformat(_LEAP.sub(":59", sent.upper()))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return received


def _text(value: Any, longest: int = _LONGEST) -> str:
    """A printable string on one line, cut to its longest."""
    if not isinstance(value, str):
        return ""
    line = " ".join(value[: 4 * longest].split())
    return "".join(c for c in line if c.isprintable())[:longest]
