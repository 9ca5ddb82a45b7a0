"""How findings become the cards of one answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from cds_service.cards import CardLibrary
from cds_service.clinical.criteria import UNKNOWN, WARNING, Criterion, Finding, NotEvaluated
from cds_service.clinical.facts import Need
from cds_service.knowledge.model import Contact, Payer
from cds_service.protocol.linter import lint
from tests.cards.conftest import CARDS, met
from tests.changes import replace

Compose = Callable[..., list[dict[str, Any]]]
TEA = {
    "resourceType": "ServiceRequest",
    "status": "draft",
    "intent": "order",
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "1001"}]},
    "subject": {"reference": "Patient/1"},
    "encounter": {"reference": "Encounter/1"},
    "authoredOn": "2026-03-01",
    "requester": {"reference": "Practitioner/1"},
    "reasonReference": [{"reference": "Observation/1"}],
}


def topics(cards: list[dict[str, Any]]) -> list[str]:
    return [card["source"]["topic"]["code"] for card in cards]


def reasons(card: dict[str, Any]) -> list[str]:
    return [reason["criterion"] for reason in card["extension"]["cds-service.reasons"]]


def test_no_findings_no_cards(compose: Compose) -> None:
    assert compose() == []


def test_a_warning_card_whole(compose: Compose) -> None:
    (card,) = compose(met("amber", because=("Observation/1",)))
    suggestion = card["suggestions"][0]
    assert card == {
        "uuid": card["uuid"],
        "summary": "Act: 5 for tea",
        "indicator": "warning",
        "detail": "- tea gives 5.\n\nOption for tea.\n\nSource: The book, page 1.",
        "source": {
            "label": "The book (Press)",
            "url": "https://example.org/book",
            "topic": {"system": "urn:cds-service:card", "code": "amber"},
        },
        "suggestions": [
            {
                "label": "Order tea",
                "uuid": suggestion["uuid"],
                "isRecommended": True,
                "actions": [{"type": "create", "description": "Order tea", "resource": TEA}],
            }
        ],
        "selectionBehavior": "any",
        "overrideReasons": [
            {"code": "because", "system": "urn:cds-service:override-reason", "display": "Because"}
        ],
        "links": [{"label": "Book", "url": "https://example.org/book", "type": "absolute"}],
        "extension": {
            "cds-service.reasons": [
                {
                    "criterion": "amber-reason",
                    "status": "met",
                    "indicator": "warning",
                    "because": ["Observation/1"],
                }
            ]
        },
    }
    assert lint({"cards": [card]}, "order-sign") == []


def test_ids_are_the_same_for_the_same_call_and_differ_else(compose: Compose) -> None:
    def ids(**said: Any) -> list[str]:
        cards = compose(met("red"), met("amber"), met("note"), **said)
        return [i for c in cards for i in (c["uuid"], *(s["uuid"] for s in c["suggestions"]))]

    assert ids() == ids()
    assert len({*ids(), *ids(hook_instance="another")}) == 12
    assert {UUID(i).version for i in ids()} == {5}


def test_the_most_severe_comes_first_then_the_order_of_the_service(compose: Compose) -> None:
    assert topics(compose(met("amber-two"), met("amber"), met("red"))) == [
        "red",
        "amber",
        "amber-two",
    ]


def test_info_findings_fold_and_nothing_is_lost(compose: Compose) -> None:
    (card,) = compose(met("note", because=("A/1",)), met("note-two", amount=7))
    assert topics([card]) == ["opioid-checklist"]
    assert card["indicator"] == "info"
    assert card["summary"] == "2 points: Title of note, Title of note-two"
    assert "- **Title of note**: tea gives 5." in card["detail"]
    assert "- **Title of note-two**: tea gives 7." in card["detail"]
    assert "Option for tea" not in card["detail"]
    assert len(card["suggestions"]) == 2
    assert reasons(card) == ["note-reason", "note-two-reason"]
    assert card["overrideReasons"][0]["code"] == "because"
    assert lint({"cards": [card]}, "order-sign") == []


def test_every_line_of_a_folded_finding_stands_beneath_its_title(compose: Compose) -> None:
    unknown = Criterion("note-reason", UNKNOWN, WARNING)
    note = replace(met("note"), criteria=(*met("note").criteria, unknown))
    (card,) = compose(note, met("note-two"))
    assert "tea gives 5.\n  - Not known: the amount.\n- **Title of note-two" in card["detail"]


def test_a_single_info_finding_folds_and_lends_summary_and_detail(compose: Compose) -> None:
    (card,) = compose(met("note"))
    assert topics([card]) == ["opioid-checklist"]
    assert card["summary"] == "Act: 5 for tea"
    assert card["detail"] == (
        "- tea gives 5.\n\nOption for tea.\n\nOnly options.\n\nSource: The book, page 1."
    )


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        (
            ("red", "amber", "amber-two", "amber-three"),
            ["red", "amber", "amber-two", "amber-three"],
        ),
        (("red", "amber", "amber-two", "note"), ["red", "amber", "amber-two", "opioid-checklist"]),
        (
            ("red", "amber", "amber-two", "amber-three", "note"),
            ["red", "amber", "amber-two", "opioid-checklist"],
        ),
        (tuple(CARDS), ["red", "amber", "amber-two", "opioid-checklist"]),
    ],
)
def test_at_most_four_cards(
    compose: Compose, findings: tuple[str, ...], expected: list[str]
) -> None:
    cards = compose(*(met(card) for card in findings))
    assert topics(cards) == expected
    assert {r for c in cards for r in reasons(c)} == {f"{card}-reason" for card in findings}
    assert sum(len(c["suggestions"]) for c in cards) == len(findings)


def test_a_folding_card_takes_the_indicator_of_its_most_severe_reason(compose: Compose) -> None:
    cards = compose(*(met(card) for card in CARDS))
    assert cards[-1]["indicator"] == "warning"
    folded = cards[-1]["extension"]["cds-service.reasons"]
    assert [(r["criterion"], r["indicator"]) for r in folded] == [
        ("amber-three-reason", "warning"),
        ("amber-four-reason", "warning"),
        ("note-reason", "info"),
        ("note-two-reason", "info"),
    ]


def test_unknown_alone_makes_no_card(compose: Compose) -> None:
    assert compose(Finding("amber", None, (Criterion("amber-reason", UNKNOWN, WARNING),))) == []


def test_unknown_is_listed_where_a_folding_card_stands(compose: Compose) -> None:
    unknown = Finding("amber", None, (Criterion("amber-reason", UNKNOWN, WARNING),))
    (card,) = compose(met("note"), unknown)
    assert card["indicator"] == "info"
    assert card["extension"]["cds-service.reasons"][1] == {
        "criterion": "amber-reason",
        "status": "unknown",
        "indicator": "warning",
    }


def test_unknown_beside_met_is_said_in_the_detail(compose: Compose) -> None:
    finding = met("amber")
    unknown = Criterion("amber-reason", UNKNOWN, WARNING, missing=(Need.CONDITIONS, Need.GOALS))
    (card,) = compose(replace(finding, criteria=(*finding.criteria, unknown)))
    assert "- Not known: the amount.\n- Not available: the problem list, goals." in card["detail"]
    assert [r["status"] for r in card["extension"]["cds-service.reasons"]] == ["met", "unknown"]


GAP = NotEvaluated("amber-reason", "amber", "not available: conditions", serious=True)


def test_what_could_not_be_checked_is_said(compose: Compose) -> None:
    (card,) = compose(
        not_evaluated=(GAP, replace(GAP, criterion="other"), replace(GAP, card="red", why="odd"))
    )
    assert topics([card]) == ["could-not-check"]
    assert card["indicator"] == "info"
    assert card["summary"] == "2 points: Title of amber, Title of red"
    assert card["detail"].startswith(
        "- Not checked: Title of amber (not available: the problem list).\n- Not checked: Title of red (odd)."
    )
    assert "suggestions" not in card and "selectionBehavior" not in card and "extension" not in card
    assert lint({"cards": [card]}, "order-sign") == []


def test_a_gap_that_could_not_have_warned_is_silent(compose: Compose) -> None:
    assert compose(not_evaluated=(replace(GAP, serious=False),)) == []


def test_unknowns_stand_with_the_gaps_when_nothing_folds(compose: Compose) -> None:
    unknown = Finding(
        "amber", None, (Criterion("amber-reason", UNKNOWN, WARNING, missing=(Need.CONDITIONS,)),)
    )
    (card,) = compose(unknown, not_evaluated=(GAP,))
    assert reasons(card) == ["amber-reason"]


def test_the_gaps_fold_when_there_are_four_cards_already(compose: Compose) -> None:
    four = [met(card) for card in ("red", "amber", "amber-two", "amber-three")]
    cards = compose(*four, not_evaluated=(GAP,))
    assert topics(cards) == ["red", "amber", "amber-two", "opioid-checklist"]
    assert "- Not checked: Title of amber" in cards[-1]["detail"]
    three = compose(*four[:3], not_evaluated=(GAP,))
    assert topics(three) == ["red", "amber", "amber-two", "could-not-check"]
    with_note = compose(*four[:3], met("note"), not_evaluated=(GAP,))
    assert topics(with_note) == ["red", "amber", "amber-two", "opioid-checklist"]
    assert with_note[-1]["summary"] == "2 points: Title of note, could-not-check"


def test_a_card_that_cannot_be_written_is_a_gap_not_a_silence(compose: Compose) -> None:
    heard: list[tuple[str, str]] = []
    broken = met("red", amount=object())
    cards = compose(
        broken, met("amber"), failed=lambda card, error: heard.append((card, type(error).__name__))
    )
    assert heard == [("red", "TypeError")]
    assert topics(cards) == ["could-not-check", "amber"]
    assert cards[0]["indicator"] == "critical"
    assert reasons(cards[0]) == ["red-reason"]
    assert compose(met("red", amount=None))[0]["indicator"] == "critical"


def test_the_same_order_is_offered_once_an_answer(library: CardLibrary, compose: Compose) -> None:
    same = replace(library.orders["thing-note"], codes=library.orders["thing-amber"].codes)
    shared = replace(library, orders={**library.orders, "thing-note": same})
    findings = (met("amber"), met("note"))
    assert [len(c["suggestions"]) for c in compose(*findings)] == [1, 1]
    assert [len(c.get("suggestions", ())) for c in compose(*findings, library=shared)] == [1, 0]


def test_contacts_of_the_payers_in_force(library: CardLibrary, compose: Compose) -> None:
    asking = replace(library.cards["amber"], contacts=("authorization",))
    helped = replace(library, cards={**library.cards, "amber": asking})
    plan = Payer(
        "plan", "Plan", contacts={"authorization": Contact("Line", "555", "https://plan.example")}
    )
    (card,) = compose(met("amber"), library=helped, payers=(Payer("other", "Other"), plan))
    assert "- Plan: Line, 555" in card["detail"]
    assert {"label": "Plan: Line", "url": "https://plan.example", "type": "absolute"} in card[
        "links"
    ]


def test_a_card_explains_itself_where_the_address_is_known(compose: Compose) -> None:
    (card,) = compose(met("amber"), about="https://cds.example.org/about")
    assert card["source"]["url"] == "https://cds.example.org/about/amber"
    assert [link["url"] for link in card["links"]] == ["https://example.org/book"]


def test_the_cited_document_stays_reachable_beside_the_page_about_the_card(
    library: CardLibrary, compose: Compose
) -> None:
    bare = replace(library.cards["amber"], links=())
    (card,) = compose(
        met("amber"),
        about="https://cds.example.org/about",
        library=replace(library, cards={**library.cards, "amber": bare}),
    )
    assert card["links"] == [
        {"label": "The book", "url": "https://example.org/book", "type": "absolute"}
    ]


def test_a_source_without_an_address_and_a_card_without_a_detail(
    library: CardLibrary, compose: Compose
) -> None:
    plain = library.cards["amber"]
    source = replace(plain.source, url="")
    voices = {name: replace(voice, source=source) for name, voice in plain.voices.items()}
    bare = replace(plain, detail=None, voices=voices, override_reasons=(), links=())
    (card,) = compose(
        met("amber"), library=replace(library, cards={**library.cards, "amber": bare})
    )
    assert card["source"].keys() == {"label", "topic"}
    assert card["detail"] == "- tea gives 5.\n\nSource: The book, page 1."
    assert "overrideReasons" not in card and "links" not in card
