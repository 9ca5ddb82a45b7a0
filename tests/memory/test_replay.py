"""A token is used once, by whichever worker, and forgotten when it is too old to matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from cds_service.memory.replay import SeenTokens

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
Query = Callable[[str], list[Any]]
EVERY = "SELECT token FROM seen_token"


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seen(url: str, clock: Clock) -> Iterator[SeenTokens]:
    opened = SeenTokens(url, clock)
    yield opened
    opened.close()


def test_the_first_use_is_one_for_all_workers(url: str, seen: SeenTokens, clock: Clock) -> None:
    other = SeenTokens(url, clock)
    assert seen.first_use("https://a", "1", LATER)
    assert not seen.first_use("https://a", "1", LATER)
    assert not other.first_use("https://a", "1", LATER)
    assert other.first_use("https://b", "1", LATER)
    other.close()


def test_of_many_at_once_one_is_the_first(url: str, clock: Clock) -> None:
    workers = [SeenTokens(url, clock) for _ in range(2)]
    for token_id in ("1", "2", "3"):
        with ThreadPoolExecutor(8) as pool:
            tries = [
                pool.submit(each.first_use, "https://a", token_id, LATER) for each in workers * 8
            ]
        assert [each.result() for each in tries].count(True) == 1
    for worker in workers:
        worker.close()


def test_names_are_kept_apart_and_unreadable(rows: Query, seen: SeenTokens) -> None:
    assert seen.first_use("https://a", "b\0c", LATER)
    assert seen.first_use("https://b", "c" * 5000, LATER)
    assert [len(token) for (token,) in rows(EVERY)] == [64, 64]


def test_an_id_may_come_again_when_its_token_is_dead(seen: SeenTokens, clock: Clock) -> None:
    assert seen.first_use("https://a", "1", LATER)
    clock.at = LATER
    assert not seen.first_use("https://a", "1", LATER)
    clock.at = LATER + timedelta(seconds=1)
    assert seen.first_use("https://a", "1", LATER + timedelta(hours=1))
    assert not seen.first_use("https://a", "1", LATER + timedelta(hours=1))


def test_dead_tokens_are_swept_now_and_then(rows: Query, seen: SeenTokens, clock: Clock) -> None:
    for number in range(20):
        assert seen.first_use("https://a", str(number), LATER)
    clock.at = LATER + timedelta(minutes=1)
    assert seen.first_use("https://a", "new", clock.at + timedelta(minutes=5))
    assert len(rows(EVERY)) == 1


def test_what_is_dead_is_looked_for_every_ten_seconds_not_at_each_call(
    rows: Query, seen: SeenTokens, clock: Clock
) -> None:
    soon = clock.at + timedelta(seconds=1)
    assert seen.first_use("https://a", "short", soon)
    clock.at += timedelta(seconds=9)
    assert seen.first_use("https://a", "2", LATER)
    assert len(rows(EVERY)) == 2
    clock.at += timedelta(seconds=1)
    assert seen.first_use("https://a", "3", LATER)
    assert len(rows(EVERY)) == 2  # without the first


def test_a_database_that_cannot_be_asked_lets_nobody_in(tmp_path: Path, clock: Clock) -> None:
    nowhere = SeenTokens(f"sqlite:///{tmp_path / 'empty.db'}", clock)
    with pytest.raises(SQLAlchemyError):
        nowhere.first_use("https://a", "1", LATER)
    nowhere.close()
