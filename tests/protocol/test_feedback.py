"""Feedback in the spelling of the specification and in those of vendors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cds_service.errors import BadRequest
from cds_service.protocol.feedback import Feedback, read_feedback
from tests.protocol.hook_requests import body

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
AT = "2024-03-01T10:05:31Z"
OVERRIDDEN = {"card": "c1", "outcome": "overridden", "outcomeTimestamp": AT}


def read(*items: Any) -> tuple[tuple[Feedback, ...], int]:
    batch = read_feedback(body({"feedback": list(items)}), NOW)
    return batch.items, batch.malformed


def test_a_byte_order_mark_and_capitals_are_no_fault() -> None:
    sent = body({"feedback": [OVERRIDDEN | {"outcome": "OVERRIDDEN"}]})
    (item,) = read_feedback(b"\xef\xbb\xbf" + sent, NOW).items
    assert item.outcome == "overridden"


def test_half_a_character_in_a_comment_loses_no_feedback() -> None:
    cut = {"overrideReason": {"userComment": "cut \ud83d"}}
    (first, second), malformed = read(OVERRIDDEN | cut, OVERRIDDEN | {"card": "c2"})
    assert (first.comment, second.card, malformed) == ("cut \ufffd", "c2", 0)


def test_an_accepted_card_names_its_suggestions() -> None:
    sent = {
        "card": "c1",
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": "s1"}, {"id": "s2"}],
        "outcomeTimestamp": AT,
    }
    (item,), malformed = read(sent)
    assert item == Feedback(
        "c1", "accepted", datetime(2024, 3, 1, 10, 5, 31, tzinfo=UTC), ("s1", "s2")
    )
    assert malformed == 0


@pytest.mark.parametrize(
    "sent", [{"acceptedSuggestion": {"id": "s1"}}, {"acceptedSuggestions": ["s1"]}]
)
def test_other_spellings_of_accepted_suggestions(sent: dict[str, Any]) -> None:
    (item,), _ = read({"card": "c1", "outcome": "accepted", "outcomeTimestamp": AT} | sent)
    assert item.suggestions == ("s1",)


@pytest.mark.parametrize("key", ["overrideReason", "overrideReasons", "overriddeReason"])
@pytest.mark.parametrize("several", [False, True])
def test_an_override_has_a_reason_and_a_comment(key: str, several: bool) -> None:
    reason = {
        "reason": {"system": "urn:s", "code": "r1"},
        "userComment": "not now",
        "extension": {"com.epic": 1},
    }
    (item,), _ = read(OVERRIDDEN | {key: [reason] if several else reason})
    assert (item.reason_system, item.reason_code, item.reason_display) == ("urn:s", "r1", "")
    assert item.comment == "not now"


def test_a_reason_may_be_the_coding_itself_or_missing() -> None:
    (coded, none), _ = read(
        OVERRIDDEN | {"overrideReason": {"code": "r1"}}, OVERRIDDEN | {"overrideReason": "busy"}
    )
    assert coded.reason_code == "r1"
    assert none.reason_code == "busy"


@pytest.mark.parametrize(
    ("reason", "read_as"),
    [
        ({"coding": [{"system": "urn:s", "code": "r1"}], "text": "x"}, ("urn:s", "r1", "")),
        ({"coding": {"code": "r1"}}, ("", "r1", "")),
        ({"coding": [], "text": "Not now"}, ("", "", "Not now")),
        ([{"system": "urn:s", "code": "r1"}, {"code": "r2"}], ("urn:s", "r1", "")),
        ("r1", ("", "r1", "")),
        ("Benefit outweighs risk", ("", "", "Benefit outweighs risk")),
        ([], ("", "", "")),
        (5, ("", "", "")),
    ],
)
def test_a_reason_in_other_shapes(reason: Any, read_as: tuple[str, str, str]) -> None:
    for sent in ({"reason": reason}, [{"reason": reason}]):
        (item,), _ = read(OVERRIDDEN | {"overrideReason": sent})
        assert (item.reason_system, item.reason_code, item.reason_display) == read_as


@pytest.mark.parametrize("spelling", ["{}", "urn:uuid:{}", "URN:UUID:{}"])
def test_an_id_is_read_in_every_spelling_of_a_uuid(spelling: str) -> None:
    uuid = "0b1e9b1a-0000-5000-8000-00000000000a"
    for given in (uuid, uuid.upper()):
        sent = {"card": spelling.format(given), "outcome": "accepted"}
        (item,), _ = read(sent | {"acceptedSuggestions": [{"id": spelling.format(given)}]})
        assert (item.card, item.suggestions) == (uuid, (uuid,))
    (other,), _ = read({"card": "urn:uuid:Mine", "outcome": "accepted"})
    assert other.card == "urn:uuid:Mine"


@pytest.mark.parametrize(
    ("sent", "hour"),
    [
        ("2024-03-01T10:05:31.123456Z", 10),
        ("2024-03-01T10:05:31-06:00", 16),
        ("2024-03-01T10:05:31", 10),
        ("2024-03-01t10:05:31z", 10),
        ("2024-03-01T10:05:60Z", 10),
        ("2024-03-01T23:59:60.5+05:30", 18),
        ("", 12),
    ],
)
def test_times_are_kept_in_utc(sent: str, hour: int) -> None:
    (item,), _ = read(OVERRIDDEN | {"outcomeTimestamp": sent})
    assert item.at.hour == hour
    assert item.at.tzinfo is UTC


def test_a_malformed_item_harms_no_other() -> None:
    items, malformed = read(
        5,
        {"card": "c1"},
        {"card": "c1", "outcome": "ignored"},
        {"outcome": "accepted"},
        OVERRIDDEN,
    )
    assert [item.card for item in items] == ["c1"]
    assert malformed == 4


@pytest.mark.parametrize("sent", ["noon", 1772359200, {"at": 1}, "0001-01-01T00:00:00+12:00"])
def test_an_item_whose_time_cannot_be_read_took_place_when_it_came(sent: Any) -> None:
    untimed = {"card": "c1", "outcome": "overridden"}
    items = [
        OVERRIDDEN | {"outcomeTimestamp": sent},
        OVERRIDDEN,
        OVERRIDDEN,
        untimed,
        {"card": "c2"},
    ]
    batch = read_feedback(body({"feedback": items}), NOW)
    at = batch.items[1].at
    assert [item.at for item in batch.items] == [NOW, at, at, NOW]
    assert (batch.malformed, batch.undated) == (1, 1)  # who says no time has said none wrong


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        (b"", "empty"),
        (b"{", "JSON"),
        (b'"\xff"', "JSON"),
        (b"[" * 100_000, "nested"),
        (b"[]", "object"),
        (b"{}", "feedback: is required"),
        (b'{"feedback": {}}', "array"),
        (b'{"feedback": [' + b"1," * 1000 + b"1]}", "1000"),
    ],
)
def test_a_bad_body_is_refused(sent: bytes, named: str) -> None:
    with pytest.raises(BadRequest, match=named):
        read_feedback(sent, NOW)


def test_long_and_unprintable_texts_are_cut() -> None:
    (item,), _ = read(OVERRIDDEN | {"overrideReason": {"userComment": "a\r\n" + "b" * 5000}})
    assert len(item.comment) == 2000
    assert item.comment.startswith("a b")
