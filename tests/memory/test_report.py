"""What became of the cards, counted and listed; and what is deleted when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from cds_service.errors import SettingsError
from cds_service.memory.engine import open_engine
from cds_service.memory.report import COLUMNS, Asked, export, report
from cds_service.memory.retention import forget, purge
from cds_service.memory.store import Audited, Given, Memory
from tests.changes import replace
from tests.memory.conftest import Query
from tests.memory.samples import CARD, NOW, PERSON, TODAY, UUID, feedback, override

UUIDS = [f"0b1e9b1a-0000-5000-8000-00000000000{n}" for n in range(1, 6)]


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    opened = open_engine(url)
    yield opened
    opened.dispose()


@pytest.fixture(autouse=True)
def past(memory: Memory) -> None:
    """Five cards: accepted, overridden after three minutes, silent, snoozed, and one of
    another client.
    """
    memory.issued(
        lambda: [
            CARD,
            replace(CARD, uuid=UUIDS[1]),
            replace(CARD, uuid=UUIDS[2], shown=False),
            replace(CARD, uuid=UUIDS[3], card="pdmp-review", shown=False, snoozed=True, marks=""),
            replace(CARD, client="other", hook="order-select", created=NOW - timedelta(days=40)),
        ]
    )
    memory.audited(
        lambda: [Audited("anyone", NOW, "{}"), Audited("other", NOW - timedelta(days=40), "{}")]
    )
    memory.flush()
    memory.record("anyone", "opioid-safety", [Given(feedback(minutes=1))], NOW)
    second = [override(UUIDS[1], minutes=2), override(UUIDS[1], minutes=3)]
    memory.record("anyone", "opioid-safety", second, NOW)
    unknown = Given(feedback("not-ours", "overridden", comment="x", reason_display="=1+1"))
    memory.record("anyone", "opioid-safety", [unknown], NOW)
    memory.record("intruder", "opioid-safety", [override(UUID)], NOW)


def test_cards_are_counted_by_what_became_of_them(engine: Engine) -> None:
    found = report(engine, Asked(client="anyone"), "card")
    dose = found["opioid-dose"]
    assert (dose.fired, dose.shown, dose.silent, dose.snoozed) == (3, 2, 1, 0)
    assert (dose.accepted, dose.overridden) == (1, 1)
    assert dose.reasons == {"clinical-judgement": 1}
    assert dose.median_seconds == 120
    quiet = found["pdmp-review"]
    assert (quiet.fired, quiet.shown, quiet.snoozed, quiet.median_seconds) == (1, 0, 1, None)


def test_the_report_groups_and_selects(engine: Engine) -> None:
    assert {key: line.fired for key, line in report(engine, Asked(), "client").items()} == {
        "anyone": 4,
        "other": 1,
    }
    recent = report(engine, Asked(since=TODAY), "hook")
    assert {key: line.fired for key, line in recent.items()} == {"order-sign": 4}
    assert set(report(engine, Asked(until=TODAY), "hook")) == {"order-select"}


def test_a_card_counts_for_each_criterion_it_met(engine: Engine, memory: Memory) -> None:
    both = replace(CARD, uuid=UUIDS[4], criteria=("opioid-dose-threshold", "opioid-dose-unread"))
    bare = replace(CARD, uuid="0b1e9b1a-0000-5000-8000-00000000000a", criteria=(), marks="")
    memory.issued(lambda: [both, bare])
    memory.flush()
    memory.record("anyone", "opioid-safety", [override(UUIDS[4], minutes=5)], NOW)
    found = report(engine, Asked(client="anyone"), "criterion")
    assert list(found) == ["none met", "opioid-dose-threshold", "opioid-dose-unread"]
    threshold, unread = found["opioid-dose-threshold"], found["opioid-dose-unread"]
    assert (threshold.fired, threshold.accepted, threshold.overridden) == (5, 1, 2)
    assert (unread.fired, unread.accepted, unread.overridden) == (1, 0, 1)
    assert unread.reasons == {"clinical-judgement": 1}
    assert (found["none met"].fired, found["none met"].overridden) == (1, 0)

    def of(card: str, **way: bool) -> list[str]:
        rows = export(engine, Asked(client="anyone"), **way)
        return [row["criteria"] for row in rows if row["card"] == card]

    assert of(UUIDS[4]) == ["opioid-dose-threshold opioid-dose-unread"]
    assert of(UUIDS[4], each_criterion=True) == ["opioid-dose-threshold", "opioid-dose-unread"]
    assert of("not-ours", each_criterion=True) == [""]


def test_the_export_has_the_columns_of_the_rule(engine: Engine) -> None:
    rows = list(export(engine, Asked(client="anyone")))
    apart = list(export(engine, Asked(client="anyone"), each_criterion=True))
    assert all(tuple(row) == COLUMNS for row in (*rows, *apart))
    assert COLUMNS[:7] == (
        *("intervention", "action", "reason", "comment", "user", "date", "location"),
    )
    first = rows[0]
    assert (first["intervention"], first["action"], first["user"]) == (
        "opioid-dose",
        "accepted",
        PERSON,
    )
    assert (first["date"], first["location"]) == ("2024-03-01T12:01:00Z", "anyone")
    unknown = next(row for row in rows if row["card"] == "not-ours")
    assert (unknown["intervention"], unknown["reason"]) == ("", "=1+1")
    intruded = list(export(engine, Asked(client="intruder")))
    assert [row["intervention"] for row in intruded] == [""]


def test_purging_deletes_what_is_older(engine: Engine, rows: Query) -> None:
    gone = purge(engine, TODAY)
    assert gone == {"issued_card": 1, "feedback": 0, "snooze": 0}
    assert rows("SELECT count(*) FROM audit_event") == [(2,)]
    assert purge(engine, TODAY, audit=True)["audit_event"] == 1
    later = purge(engine, TODAY + timedelta(days=200))
    assert later == {"issued_card": 4, "feedback": 5, "snooze": 1}


def test_a_snooze_outlives_the_card_it_came_from(engine: Engine, rows: Query) -> None:
    purge(engine, TODAY + timedelta(days=1))
    assert rows("SELECT count(*) FROM snooze") == [(1,)]


def test_forgetting_a_client_leaves_the_others(engine: Engine, rows: Query) -> None:
    assert forget(engine, "anyone") == {"issued_card": 4, "feedback": 4, "snooze": 1}
    assert rows("SELECT client FROM issued_card") == [("other",)]
    assert rows("SELECT client FROM feedback") == [("intruder",)]
    assert rows("SELECT count(*) FROM audit_event") == [(2,)]
    assert forget(engine, "other", audit=True) == {
        "issued_card": 1,
        "feedback": 0,
        "snooze": 0,
        "audit_event": 1,
    }


def test_a_database_without_our_tables_is_a_settings_error() -> None:
    empty = open_engine("sqlite://")
    with pytest.raises(SettingsError, match="db upgrade"):
        purge(empty, date(2024, 1, 1))
    with pytest.raises(SettingsError, match="db upgrade"):
        report(empty, Asked(), "card")
    empty.dispose()
