"""Our own card and order files: they load, they can be said, and what they create is valid
FHIR R4.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.card_check import check
from cds_service.card_files import COULD_NOT_CHECK
from cds_service.card_suggestions import Occasion
from cds_service.card_words import KINDS
from cds_service.cards import CardLibrary
from cds_service.clinical.criteria import INFO, MET, WARNING, Criterion, Evaluation, Finding
from cds_service.clinical.facts import Condition, Facts, Need, Patient
from cds_service.clinical.rule import Rule
from cds_service.clinical.rules import load_rules
from cds_service.knowledge.codes import Code
from cds_service.knowledge.loader import load_knowledge
from cds_service.protocol.linter import lint
from cds_service.protocol.services import ORDER_SIGN, service
from tests.cards.our_words import DRAFT_REF, words
from tests.changes import replace

CARDS = Path(__file__).parents[2] / "cards"
AS_OF = date(2026, 3, 1)
DRAFT = {
    "resourceType": "MedicationRequest",
    "id": "draft",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/1"},
    "medicationCodeableConcept": {"text": "oxycodone hydrochloride 15 MG Oral Tablet"},
    "dosageInstruction": [{"timing": {"repeat": {"frequency": 4, "period": 1, "periodUnit": "d"}}}],
    "dispenseRequest": {"quantity": {"value": 120}},
}
LONG = (
    "12 HR oxycodone hydrochloride 80 MG / naltrexone hydrochloride 9.6 MG "
    "Extended Release Oral Capsule [X]"
)

OPIOID_CARDS = tuple(
    sorted(
        {
            card
            for cards in (service("opioid-safety") or pytest.fail()).cards.values()
            for card in cards
        }
    )
)
CRITERIA = tuple(words("", False))


@pytest.mark.parametrize("bound", [True, False])
def test_a_word_is_of_the_kind_its_templates_are_checked_by(bound: bool) -> None:
    kinds = {word: _single(kind) for word, kind in KINDS.items()}
    for said in words("tea", bound).values():
        for word, value in said.items():
            for each in value if isinstance(value, tuple) else (value,):
                if word in kinds:
                    assert isinstance(each, kinds[word] | str | None), word
                else:
                    assert not isinstance(each, tuple(kinds.values())), word


def _single(kind: Any) -> type:
    """What a word is, or what a `for` finds in it."""
    found: type = get_args(kind)[0] if get_args(kind) else kind
    return found


@cache
def our_rules() -> Mapping[str, Rule]:
    return {name: rule for name, rule in load_rules().items() if (CARDS / f"{name}.yaml").is_file()}


@cache
def our_library() -> CardLibrary:
    return CardLibrary.load(CARDS, load_knowledge(), our_rules())


def answer(*findings: Finding, hook: str = ORDER_SIGN) -> list[dict[str, Any]]:
    """The cards of the opioid service for these findings."""
    opioid_safety = service("opioid-safety")
    assert opioid_safety is not None
    pain = Condition("Condition/1", frozenset({Code("ICD10CM", "M5450")}), "Low back pain")
    facts = Facts(AS_OF, hook, Patient("Patient/1"), conditions=(pain,))
    drafts = {DRAFT_REF: DRAFT}
    occasion = Occasion(
        opioid_safety,
        hook,
        "instance",
        facts,
        drafts,
        encounter="e1",
        requester="Practitioner/1",
    )
    return our_library().compose(Evaluation(findings), occasion)


def found(
    name: str, label: str = "oxycodone hydrochloride 15 MG Oral Tablet", bound: bool = False
) -> Finding:
    card = next(rule.card for rule in our_rules().values() if name in rule.criteria)
    indicator = our_rules()[card].criteria[name].worst
    criterion = Criterion(
        name, MET, indicator, words(label, bound)[name], (DRAFT_REF, "Condition/1")
    )
    return Finding(card, indicator, (criterion,))


def test_every_opioid_card_has_its_rule_and_words() -> None:
    assert set(OPIOID_CARDS) <= our_rules().keys()
    for card in OPIOID_CARDS:
        for name, declared in our_rules()[card].criteria.items():
            assert set(declared.words) <= set(words("", False)[name]), (
                f"{name} promises words unknown here"
            )


def test_every_order_is_valid_and_suggested() -> None:
    assert [str(fault) for fault in check(our_library())] == []


@pytest.mark.parametrize("bound", [False, True], ids=["whole", "sparse"])
@pytest.mark.parametrize(
    "label", ["oxycodone hydrochloride 15 MG Oral Tablet", LONG, "<b>x</b> [y](z)\u202e"]
)
@pytest.mark.parametrize("name", CRITERIA)
def test_every_criterion_can_be_said(name: str, label: str, bound: bool) -> None:
    (card,) = answer(found(name, label, bound))
    bundle = {"resourceType": "Bundle", "entry": [{"resource": DRAFT}]}
    assert lint({"cards": [card]}, ORDER_SIGN, bundle) == []
    assert len(card["summary"]) < 140
    assert not card["summary"].endswith("…")
    assert card["extension"]["cds-service.reasons"][0]["criterion"] == name
    assert card["overrideReasons"]
    assert "Source: " in card["detail"]
    for suggestion in card.get("suggestions", ()):
        (action,) = suggestion["actions"]
        resource = action.get("resource")
        if resource is not None:
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_the_dose_card_shows_its_arithmetic() -> None:
    (card,) = answer(found("opioid-dose-threshold", bound=True))
    assert card["summary"] == (
        "Reassess benefit and risk: opioids would total at least 63.75 MME/day (caution from 50)"
    )
    assert card["indicator"] == "warning"
    assert (
        "- oxycodone hydrochloride 15 MG Oral Tablet (this order): 10 mg x 4/day x 1.5 = 63.75 MME/day; PRN\n"
        "  - oxycodone hydrochloride 15 MG Oral Tablet: not counted, the dose could not be read\n"
        "  - Possible duplicate of another order: oxycodone hydrochloride 15 MG Oral Tablet"
    ) in card["detail"]
    (whole,) = answer(found("opioid-dose-threshold"))
    assert "at least" not in whole["summary"] + whole["detail"]
    assert [s["actions"][0]["type"] for s in whole["suggestions"]] == ["update", "create"]


def test_a_pain_referral_carries_its_reason_and_due_date() -> None:
    dose, window = found("opioid-dose-for-consult"), found("consult-window-from-onset")
    both = Finding(
        dose.card, WARNING, (*dose.criteria, replace(window.criteria[0], indicator=INFO))
    )
    (card,) = answer(both)
    order = card["suggestions"][0]["actions"][0]["resource"]
    assert order["occurrencePeriod"] == {"end": "2026-03-20"}
    assert order["reasonCode"][0]["coding"][0]["code"] == "M54.50"
    assert order["performerType"]["coding"][0]["code"] == "208VP0000X"
    assert card["summary"].startswith("Consult a pain specialist: opioid dose 63.75 MME/day")


def test_a_busy_order_answers_with_four_cards_and_nothing_lost() -> None:
    findings: dict[str, Finding] = {}
    for name in CRITERIA:
        one = found(name)
        earlier = findings.get(one.card, Finding(one.card, None, ()))
        worst = max((one.indicator, earlier.indicator), key=lambda i: i.severity if i else -1)
        findings[one.card] = Finding(one.card, worst, (*earlier.criteria, *one.criteria))
    cards = answer(*findings.values())
    assert len(cards) == 4
    assert cards[0]["source"]["topic"]["code"] == "opioid-dose"
    assert cards[-1]["source"]["topic"]["code"] == "opioid-checklist"
    said = [
        reason["criterion"] for card in cards for reason in card["extension"]["cds-service.reasons"]
    ]
    assert sorted(said) == sorted(CRITERIA)
    labels = [suggestion["label"] for card in cards for suggestion in card["suggestions"]]
    assert labels.count("Order naloxone nasal spray") == 1


def test_every_need_has_a_name_at_the_bedside() -> None:
    assert our_library().cards[COULD_NOT_CHECK].needs.keys() == {need.value for need in Need}


def test_titles_fit_a_folding_summary() -> None:
    assert all(len(card.title) <= 32 for card in our_library().cards.values())
