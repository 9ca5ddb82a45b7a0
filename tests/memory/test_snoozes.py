"""An override keeps its card quiet for that user and patient, in whatever order the two are
written.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest

from cds_service.memory.snoozes import Snooze, marks_text
from cds_service.memory.store import Given, IssuedCard, Memory
from tests.changes import replace
from tests.memory.conftest import Query
from tests.memory.samples import CARD, MARKS, NOW, PATIENT, PERSON, TODAY, feedback, override

UNTIL = TODAY + timedelta(days=90)
HELD = (Snooze("opioid-dose", UNTIL, MARKS),)


def issue(memory: Memory, *cards: object) -> None:
    memory.issued(lambda: cards or (CARD,))  # type: ignore[return-value]
    memory.flush()


def heard(
    memory: Memory, *given: Given, client: str = "anyone", service: str = "opioid-safety"
) -> None:
    memory.record(client, service, given, NOW)


def test_an_override_is_remembered_for_that_user_and_patient_only(memory: Memory) -> None:
    issue(memory)
    heard(memory, override())
    assert memory.snoozes("anyone", PATIENT, PERSON) == HELD
    assert memory.snoozes("anyone", PATIENT, "x" * 32) == ()
    assert memory.snoozes("anyone", "x" * 32, PERSON) == ()
    assert memory.snoozes("someone", PATIENT, PERSON) == ()


def test_feedback_that_arrives_before_its_card_is_settled_with_the_card(memory: Memory) -> None:
    memory.issued(lambda: [CARD])
    heard(memory, override())
    assert memory.snoozes("anyone", PATIENT, PERSON) == ()
    memory.flush()
    assert memory.snoozes("anyone", PATIENT, PERSON) == HELD


def test_one_client_cannot_silence_a_card_of_another(memory: Memory, rows: Query) -> None:
    issue(memory)
    heard(memory, override(), client="intruder")
    assert rows("SELECT count(*) FROM snooze") == [(0,)]
    assert rows("SELECT client FROM feedback") == [("intruder",)]


def test_feedback_to_another_service_silences_nothing(memory: Memory, rows: Query) -> None:
    issue(memory)
    heard(memory, override(), service="spine-orders")
    assert rows("SELECT count(*) FROM snooze") == [(0,)]


def test_an_override_without_days_silences_nothing(memory: Memory, rows: Query) -> None:
    issue(memory)
    heard(memory, Given(feedback(outcome="overridden"), "emergent"))
    assert rows("SELECT count(*) FROM snooze") == [(0,)]


def test_a_card_without_marks_is_never_silenced(memory: Memory, rows: Query) -> None:
    issue(memory, replace(CARD, marks=""))
    heard(memory, override())
    assert rows("SELECT count(*) FROM snooze") == [(0,)]


def test_a_folding_card_silences_what_was_gathered_in_it(memory: Memory) -> None:
    both = marks_text({"naloxone-offer": frozenset({"a"}), "pdmp-review": frozenset({"b"})})
    issue(memory, replace(CARD, card="opioid-checklist", marks=both))
    heard(memory, override())
    assert {snooze.card for snooze in memory.snoozes("anyone", PATIENT, PERSON)} == {
        "naloxone-offer",
        "pdmp-review",
    }


def test_the_latest_override_counts_in_whatever_order_they_arrive(memory: Memory) -> None:
    second = "0b1e9b1a-0000-5000-8000-000000000002"
    issue(memory, CARD, replace(CARD, uuid=second))
    heard(memory, override(second, minutes=5, days=14))
    heard(memory, override(minutes=1, days=90))
    assert memory.snoozes("anyone", PATIENT, PERSON) == (
        Snooze("opioid-dose", TODAY + timedelta(days=14), MARKS),
    )


def test_accepting_the_card_after_all_ends_the_silence(memory: Memory) -> None:
    issue(memory)
    heard(memory, override(minutes=1))
    heard(memory, Given(feedback(minutes=2)))
    assert memory.snoozes("anyone", PATIENT, PERSON) == ()
    heard(memory, override(minutes=1))  # the client repeats itself
    assert memory.snoozes("anyone", PATIENT, PERSON) == ()


def test_a_snooze_covers_what_is_no_worse_until_its_day() -> None:
    snooze = Snooze("opioid-dose", UNTIL, MARKS)
    assert snooze.covers(MARKS, TODAY)
    assert snooze.covers(frozenset({"mme 50"}), UNTIL - timedelta(days=1))
    assert not snooze.covers(MARKS, UNTIL)
    assert not snooze.covers(MARKS | {"mme 90"}, TODAY)
    assert not snooze.covers(frozenset({"drug 1"}), date(2024, 3, 2))


def test_a_connection_that_has_gone_stale_is_replaced(memory: Memory) -> None:
    issue(memory)
    heard(memory, override())
    for _ in range(2):
        assert memory.snoozes("anyone", PATIENT, PERSON) == HELD
        (kept,) = memory._held._kept
        kept.dbapi_connection.close()  # type: ignore[union-attr]


def test_many_who_look_at_once_leave_connections_for_others(memory: Memory) -> None:
    issue(memory)
    heard(memory, override())
    together = Barrier(8)

    def look(_: int) -> object:
        together.wait(timeout=5)
        return [memory.snoozes("anyone", PATIENT, PERSON) for _ in range(20)]

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(look, range(8))) == [[HELD] * 20] * 8
    assert 1 <= len(memory._held._kept) <= 4
    memory.close()
    assert memory._held._kept == []


OTHER = replace(CARD, patient="q" * 32)


@pytest.mark.parametrize("again", [OTHER, replace(CARD, person="v" * 32)])
@pytest.mark.parametrize("apart", [True, False])
def test_cards_of_two_patients_or_users_under_one_id_are_never_silenced(
    memory: Memory, rows: Query, again: IssuedCard, apart: bool
) -> None:
    for cards in ((CARD,), (again,)) if apart else ((CARD, again, CARD),):
        issue(memory, *cards)
    issue(memory, CARD)  # the first once more
    heard(memory, override())
    assert rows("SELECT count(*) FROM snooze") == [(0,)]


def test_an_id_that_turns_out_to_be_of_two_patients_gives_back_what_it_silenced(
    memory: Memory, rows: Query
) -> None:
    issue(memory)
    heard(memory, override())
    assert memory.snoozes("anyone", PATIENT, PERSON) == HELD
    issue(memory, OTHER)
    assert rows("SELECT count(*) FROM snooze") == [(0,)]


def test_an_id_used_by_two_clients_stays_each_its_own(memory: Memory) -> None:
    issue(memory, CARD, replace(OTHER, client="someone"))
    heard(memory, override())
    assert memory.snoozes("anyone", PATIENT, PERSON) == HELD


def test_the_same_card_answered_again_can_be_set_aside(memory: Memory) -> None:
    issue(memory)
    issue(memory, CARD, CARD)
    heard(memory, override())
    assert memory.snoozes("anyone", PATIENT, PERSON) == HELD
