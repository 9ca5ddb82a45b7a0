"""A silent card takes no place and folds nowhere: the others stand as if it had found nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cds_service.card_files import COULD_NOT_CHECK
from cds_service.clinical.criteria import (
    UNKNOWN,
    WARNING,
    Criterion,
    Evaluation,
    Finding,
    NotEvaluated,
)
from cds_service.silence import audible, silent
from tests.cards.conftest import CARDS, SERVICE, met
from tests.changes import replace

Compose = Callable[..., list[dict[str, Any]]]
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
EVERY = tuple(met(card) for card in CARDS)
GAP = NotEvaluated("amber-reason", "amber", "not available: conditions", serious=True)


def topics(cards: list[dict[str, Any]]) -> list[str]:
    return [card["source"]["topic"]["code"] for card in cards]


def heard(evaluation: Evaluation, *hidden: str) -> Evaluation:
    return audible(evaluation, lambda card: card not in hidden, SERVICE.folding)


def kept(evaluation: Evaluation, *hidden: str) -> list[tuple[str, str, bool]]:
    cards = silent(evaluation, heard(evaluation, *hidden), INSTANCE, SERVICE.id)
    return [(card.card, card.indicator, card.shown) for card in cards]


def test_others_move_up_into_its_place(compose: Compose) -> None:
    whole = Evaluation(EVERY)
    assert topics(compose(evaluation=whole)) == ["red", "amber", "amber-two", "opioid-checklist"]
    left = heard(whole, "red", "amber")
    assert topics(compose(evaluation=left)) == [
        "amber-two",
        "amber-three",
        "amber-four",
        "opioid-checklist",
    ]
    assert kept(whole, "red", "amber") == [("red", "critical", False), ("amber", "warning", False)]


@pytest.mark.parametrize("hidden", CARDS)
def test_the_answer_is_as_if_it_had_found_nothing(compose: Compose, hidden: str) -> None:
    without = Evaluation(tuple(finding for finding in EVERY if finding.card != hidden))
    assert compose(evaluation=heard(Evaluation(EVERY), hidden)) == compose(evaluation=without)


def test_a_silent_note_does_not_fold(compose: Compose) -> None:
    whole = Evaluation((met("amber"), met("note"), met("note-two")))
    (_, folding) = compose(evaluation=heard(whole, "note"))
    assert "Title of note**" not in folding["detail"]
    assert folding["summary"] == "Act: 5 for tea"
    assert topics(compose(evaluation=heard(whole, "note", "note-two"))) == ["amber"]


def test_a_silent_folding_card_keeps_warnings_that_fold_for_want_of_a_place(
    compose: Compose,
) -> None:
    left = heard(Evaluation(EVERY), SERVICE.folding)
    cards = compose(evaluation=left)
    assert topics(cards) == ["red", "amber", "amber-two", "opioid-checklist"]
    reasons = [reason["criterion"] for reason in cards[-1]["extension"]["cds-service.reasons"]]
    assert reasons == ["amber-three-reason", "amber-four-reason"]
    assert kept(Evaluation(EVERY), SERVICE.folding) == [
        ("note", "info", False),
        ("note-two", "info", False),
    ]


def test_what_is_unknown_of_a_silent_card_is_not_listed(compose: Compose) -> None:
    unknown = Finding("amber", None, (Criterion("amber-reason", UNKNOWN, WARNING),))
    whole = Evaluation((met("note"), unknown))
    (card,) = compose(evaluation=heard(whole, "amber"))
    assert [r["criterion"] for r in card["extension"]["cds-service.reasons"]] == ["note-reason"]
    assert kept(whole, "amber") == []


def test_a_gap_of_a_silent_card_is_not_told(compose: Compose) -> None:
    whole = Evaluation((), (GAP, replace(GAP, card="red", criterion="red-reason")))
    (card,) = compose(evaluation=heard(whole, "amber"))
    assert card["summary"] == "Title of red"
    assert heard(whole, "amber").not_evaluated == (whole.not_evaluated[1],)
    assert kept(whole, "amber") == []


def test_silent_gaps_stay_for_machines_and_for_the_record(compose: Compose) -> None:
    whole = Evaluation((met("red"),), (GAP,))
    left = heard(whole, COULD_NOT_CHECK)
    assert topics(compose(evaluation=left)) == ["red"]
    assert [gap.criterion for gap in left.not_evaluated] == ["amber-reason"]
    assert kept(whole, COULD_NOT_CHECK) == [(COULD_NOT_CHECK, "info", False)]


def test_a_silent_card_keeps_the_id_it_would_have_had(compose: Compose) -> None:
    whole = Evaluation((met("red"), met("amber")))
    shown = {
        topic: card["uuid"]
        for topic, card in zip(("red", "amber"), compose(evaluation=whole), strict=True)
    }
    hidden = silent(whole, heard(whole, "amber"), INSTANCE, SERVICE.id)
    assert [(card.card, card.uuid, card.criteria) for card in hidden] == [
        ("amber", shown["amber"], ("amber-reason",))
    ]
