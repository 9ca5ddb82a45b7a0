"""A rule is three files of one name, published and worked through; and nothing a source
asks for is lost.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.cases import Case, load_cases
from cds_service.catalogue import gather, page
from cds_service.clinical.criteria import Status
from cds_service.clinical.rules import load_rules
from cds_service.knowledge.loader import load_knowledge
from cds_service.protocol.services import SERVICES
from cds_service.shipped import shipped

CASES = Path(__file__).parents[1] / "cases"
RULES = load_rules()
KNOWLEDGE = load_knowledge()


def _cases(card: str) -> tuple[Case, ...]:
    return load_cases(CASES / f"{card.replace('-', '_')}.yaml", KNOWLEDGE.system_urls)


@pytest.mark.parametrize("card", sorted(RULES))
def test_a_rule_has_a_card_and_cases_of_its_name(card: str) -> None:
    assert (shipped("cards") / f"{card}.yaml").is_file()
    assert (CASES / f"{card.replace('-', '_')}.yaml").is_file()


@pytest.mark.parametrize("card", sorted(RULES))
def test_a_rule_is_published_with_its_source(card: str) -> None:
    assert "Source:" in RULES[card].doc


@pytest.mark.parametrize("card", sorted(RULES))
def test_a_rule_speaks_on_the_hooks_it_declares(card: str) -> None:
    spoken = {
        hook for service in SERVICES for hook, cards in service.cards.items() if card in cards
    }
    assert spoken >= set(RULES[card].hooks)


@pytest.mark.parametrize("card", sorted(RULES))
def test_a_rule_has_cases_that_fire_that_are_silent_and_that_lack_data(card: str) -> None:
    cases = _cases(card)
    met = {one.criterion for case in cases for one in case.then if one.status is Status.MET}
    assert met == set(RULES[card].criteria)
    assert any(not case.then for case in cases), "no case is silent"
    assert any(case.withheld for case in cases), "no case lacks data"


def test_every_card_of_a_service_has_a_rule() -> None:
    spoken = {card for service in SERVICES for cards in service.cards.values() for card in cards}
    assert spoken == set(RULES)


def test_the_catalogue_is_current() -> None:
    committed = (shipped("cards") / "CATALOGUE.md").read_text(encoding="utf-8")
    assert committed == page(gather(CASES)), "run cds-service docs"


def test_every_statement_leads_to_a_criterion_with_a_case() -> None:
    shelf = gather(CASES)
    named = {name for statement in shelf.statements for name in statement.criteria}
    assert {name for name in named if not shelf.cases_of(name)} == set()
