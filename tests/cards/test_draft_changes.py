"""The changes that suggestions make to drafts, and when there is a button for them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from cds_service.card_changes import as_written
from cds_service.card_drafts import changed
from cds_service.cards import CardLibrary
from cds_service.clinical.criteria import MET, WARNING, Criterion, Finding, OrderChange
from cds_service.clinical.references import placed
from cds_service.knowledge.model import Knowledge
from tests.changes import replace

FOR_A_WEEK = {
    "dosageInstruction.0.timing.repeat.boundsDuration": {
        "value": 7,
        "unit": "days",
        "system": "http://unitsofmeasure.org",
        "code": "d",
    }
}
BOUNDS = "dosageInstruction.0.timing.repeat.boundsPeriod"
Compose = Callable[..., list[dict[str, Any]]]
DRAFT: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "id": "d1",
    "extension": [{"url": "urn:x", "valueString": "kept"}],
    "dosageInstruction": [{"text": "one", "timing": {"repeat": {"frequency": 4}}}],
    "dispenseRequest": {"quantity": {"value": 60}},
    "unheardOf": {"kept": [1.5]},
}


def test_a_change_touches_its_members_and_nothing_else() -> None:
    before = copy.deepcopy(DRAFT)
    after = changed(
        DRAFT,
        {
            "dosageInstruction.0.timing.repeat.frequency": 3,
            "dosageInstruction.0.text": None,
            "dispenseRequest.quantity.value": Fraction(45),
            "dispenseRequest.expectedSupplyDuration": {
                "value": Decimal("7.5"),
                "on": [date(2026, 3, 1)],
            },
            "extension.0": {"url": "urn:y"},
        },
    )
    assert before == DRAFT
    assert after == {
        **DRAFT,
        "extension": [{"url": "urn:y"}],
        "dosageInstruction": [{"timing": {"repeat": {"frequency": 3}}}],
        "dispenseRequest": {
            "quantity": {"value": 45},
            "expectedSupplyDuration": {"value": 7.5, "on": ["2026-03-01"]},
        },
    }


def test_changes_may_follow_one_another_into_what_they_wrote() -> None:
    raw, value = {"x": {"a": [0]}, "y": {"b": 1}}, {"c": [1]}
    changes = {"x.a.0": 1, "x": value, "x.c.0": 2, "x.d": 3, "y.b": 4, "y.e.f": 5, "y.e.g": 6}
    assert changed(raw, changes) == {"x": {"c": [2], "d": 3}, "y": {"b": 4, "e": {"f": 5, "g": 6}}}
    assert (raw, value) == ({"x": {"a": [0]}, "y": {"b": 1}}, {"c": [1]})


@pytest.mark.parametrize(
    "path", ["dosageInstruction.1.text", "id.x", "dosageInstruction.x", "id.x.y", "extension.3"]
)
def test_a_path_that_leads_nowhere_changes_nothing(path: str) -> None:
    assert changed(DRAFT, {path: 1}) is None


def changing(library: CardLibrary, **how: str) -> CardLibrary:
    card = library.cards["amber"]
    suggestion = replace(card.suggestions["order-it"], create="", **how)
    return replace(
        library,
        cards={**library.cards, "amber": replace(card, suggestions={"order-it": suggestion})},
    )


def finding(change: Any, *because: str) -> Finding:
    words = {"amount": 5, "label": "tea", "change": change}
    return Finding("amber", WARNING, (Criterion("amber-reason", MET, WARNING, words, because),))


def test_an_update_echoes_the_draft(library: CardLibrary, compose: Compose) -> None:
    change = OrderChange("MedicationRequest/d1", {"dispenseRequest.quantity.value": 20})
    (card,) = compose(
        finding(change),
        library=changing(library, update="change"),
        drafts={"MedicationRequest/d1": DRAFT},
    )
    (action,) = card["suggestions"][0]["actions"]
    assert action["type"] == "update" and "resourceId" not in action
    assert action["resource"] == {**DRAFT, "dispenseRequest": {"quantity": {"value": 20}}}


@pytest.mark.parametrize(
    "change",
    [
        None,
        OrderChange("MedicationRequest/other", {"a": 1}),
        OrderChange("MedicationRequest/d1", {"id.x": 1}),
        OrderChange("MedicationRequest/d1", {"dispenseRequest.quantity.value": 60}),
    ],
)
def test_no_button_where_there_is_nothing_to_change(
    library: CardLibrary, compose: Compose, change: OrderChange | None
) -> None:
    (card,) = compose(
        finding(change),
        library=changing(library, update="change"),
        drafts={"MedicationRequest/d1": DRAFT},
    )
    assert "suggestions" not in card


@pytest.mark.parametrize(("word", "change"), [("draft", None), ("change", "MedicationRequest/d1")])
def test_a_delete_names_the_draft(
    library: CardLibrary, compose: Compose, word: str, change: Any
) -> None:
    deleting = changing(library, delete=word)
    drafts = {"MedicationRequest/d1": DRAFT}
    (card,) = compose(
        finding(change, "Condition/1", "MedicationRequest/d1"), library=deleting, drafts=drafts
    )
    assert card["suggestions"][0]["actions"] == [
        {"type": "delete", "description": "Order tea", "resourceId": "MedicationRequest/d1"}
    ]
    (card,) = compose(
        finding("MedicationRequest/x", "Condition/1"), library=deleting, drafts=drafts
    )
    assert "suggestions" not in card


NAMELESS = {name: value for name, value in DRAFT.items() if name != "id"}


@pytest.mark.parametrize(("others", "offered"), [((DRAFT,), True), ((DRAFT, NAMELESS), False)])
def test_a_draft_without_an_id_is_changed_only_where_no_other_can_be_meant(
    library: CardLibrary, compose: Compose, others: tuple[dict[str, Any], ...], offered: bool
) -> None:
    ref = placed("MedicationRequest", 0)
    change = OrderChange(ref, {"dispenseRequest.quantity.value": 20})
    drafts = {ref: NAMELESS} | {f"MedicationRequest/{n}": each for n, each in enumerate(others)}
    (card,) = compose(
        finding(change, ref, "Condition/1"),
        library=changing(library, update="change"),
        drafts=drafts,
    )
    assert ("suggestions" in card) is offered
    (reason,) = card["extension"]["cds-service.reasons"]
    assert reason["because"] == ["Condition/1"]


def test_a_draft_without_an_id_cannot_be_taken_back(library: CardLibrary, compose: Compose) -> None:
    ref = placed("MedicationRequest", 0)
    for word in ("draft", "change"):
        deleting = changing(library, delete=word)
        (card,) = compose(finding(ref, ref), library=deleting, drafts={ref: NAMELESS})
        assert "suggestions" not in card


def test_each_draft_gets_its_own_button(library: CardLibrary, compose: Compose) -> None:
    drafts = {f"MedicationRequest/{n}": {**DRAFT, "id": str(n)} for n in (1, 2)}
    criteria = tuple(
        finding(OrderChange(ref, {"dispenseRequest.quantity.value": 1})).criteria[0]
        for ref in drafts
    )
    both = Finding("amber", WARNING, criteria)
    (card,) = compose(both, library=changing(library, update="change"), drafts=drafts)
    assert [s["actions"][0]["resource"]["id"] for s in card["suggestions"]] == ["1", "2"]
    assert len(compose(both)[0]["suggestions"]) == 1  # a creation stands once for all of them


@pytest.mark.parametrize(("value", "offered"), [(True, True), (False, False), ((), False)])
def test_a_button_may_depend_on_a_word(
    library: CardLibrary, compose: Compose, value: object, offered: bool
) -> None:
    card = library.cards["amber"]
    waiting = replace(
        card, suggestions={"order-it": replace(card.suggestions["order-it"], when="change")}
    )
    (made,) = compose(
        finding(value), library=replace(library, cards={**library.cards, "amber": waiting})
    )
    assert ("suggestions" in made) is offered


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ({}, {"occurrencePeriod": {"start": date(2026, 3, 8)}}),
        ({"occurrenceDateTime": "2026-03-01"}, {"occurrenceDateTime": date(2026, 3, 8)}),
        (
            {"occurrencePeriod": {"end": "2026-03-01"}},
            {"occurrencePeriod": {"start": date(2026, 3, 8)}},
        ),
        ({"occurrenceTiming": {}}, None),
    ],
)
def test_an_order_is_put_off_as_it_says_its_day(
    knowledge: Knowledge, sent: dict[str, Any], written: dict[str, Any] | None
) -> None:
    assert as_written(sent, {"occurrence": date(2026, 3, 8)}, knowledge) == written


def test_fewer_visits_are_written_as_a_number_of_them(knowledge: Knowledge) -> None:
    fewer = {"quantity": Decimal(8)}
    assert as_written({}, fewer, knowledge) == {"quantityQuantity.value": Decimal(8)}
    assert as_written({"quantityRange": {"high": {"value": 12}}}, fewer, knowledge) is None


@pytest.mark.parametrize(
    ("bounds", "written"),
    [
        ({"start": "2026-03-02"}, {BOUNDS: {"start": "2026-03-02", "end": "2026-03-08"}}),
        ({"end": "2026-03-15"}, FOR_A_WEEK | {BOUNDS: None}),
        ({"start": "2026-03", "end": "2026-04"}, FOR_A_WEEK | {BOUNDS: None}),
        ({"start": "soon"}, FOR_A_WEEK | {BOUNDS: None}),
    ],
)
def test_a_period_without_its_first_day_becomes_a_length(
    knowledge: Knowledge, bounds: dict[str, Any], written: dict[str, Any]
) -> None:
    sent = {"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": bounds}}}]}
    assert as_written(sent, {"followed": 7}, knowledge) == written
