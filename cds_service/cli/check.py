"""`cds-service check`: every data file and every card, before a patient meets them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

import click

from cds_service.clinical.rule import Rule
from cds_service.errors import KnowledgeError
from cds_service.knowledge.checks import Asked, KnowledgeWarning, check_all
from cds_service.knowledge.reading import nearest
from cds_service.settings import Mode, Settings, load_settings, strangers


@click.command("check")
def command() -> None:
    """Check all knowledge, rules and cards; say file, line, what is wrong and what is allowed."""
    found = findings(load_settings(mode=Mode.TEST))
    found += [KnowledgeWarning("the environment", None, f"{n} is no setting") for n in strangers()]
    warnings = [each for each in found if isinstance(each, KnowledgeWarning)]
    for each in found:
        click.echo(f"warning: {each}" if isinstance(each, KnowledgeWarning) else str(each))
    faults = len(found) - len(warnings)
    click.echo(f"{faults} faults, {len(warnings)} warnings")
    sys.exit(1 if faults else 0)


def findings(settings: Settings) -> list[KnowledgeError | KnowledgeWarning]:
    """Everything wrong with knowledge, rules and cards, and what is due for review today.

    Raises KnowledgeError for a directory of the site that is not there.
    """
    from cds_service.clinical.rules import load_rules
    from cds_service.knowledge.files import expect_directory

    if settings.cards is not None:
        expect_directory(settings.cards)
    rules = load_rules()
    found = check_all(
        overlay=settings.knowledge,
        factors=settings.mme_factors.value,
        as_of=settings.clock(),
        asked=_asked(rules),
    )
    found.extend(_unspoken(rules))
    if any(isinstance(each, KnowledgeError) for each in found):
        return found
    return found + _cards(settings, rules)


def _asked(rules: Mapping[str, Rule]) -> Asked:
    """What the rules declare."""
    every = rules.values()
    return Asked(
        numbers=frozenset[str]().union(*(rule.all_numbers for rule in every)),
        codes=frozenset[str]().union(*(rule.all_codes for rule in every)),
        gated=frozenset(c.name for rule in every for c in rule.criteria.values() if c.gated),
    )


def _unspoken(rules: Mapping[str, Rule]) -> Iterator[KnowledgeError]:
    """Rules that no service speaks on a hook of theirs, and cards of a service without a rule: nobody
    would hear of either.
    """
    from cds_service.protocol.services import SERVICES

    spoken = {
        (card, hook) for offer in SERVICES for hook in offer.hooks for card in offer.cards[hook]
    }
    place = "cds_service/protocol/services.py"
    for name, rule in rules.items():
        for hook in rule.hooks:
            if (name, hook) not in spoken:
                allowed = ", ".join(offer.id for offer in SERVICES if hook in offer.hooks)
                yield KnowledgeError(place, None, f"no service speaks {name} on {hook}", allowed)
    for card, hook in sorted(spoken):
        if card not in rules:
            allowed = nearest(card, rules)
            yield KnowledgeError(place, None, f"no rule is called {card} on {hook}", allowed)


def _cards(
    settings: Settings, rules: Mapping[str, Rule]
) -> list[KnowledgeError | KnowledgeWarning]:
    """What is wrong with directory, card and order files; a fault that stops loading hides
    the others.
    """
    from cds_service.card_check import check
    from cds_service.cards import CardLibrary
    from cds_service.knowledge.directory_files import read_directory
    from cds_service.knowledge.loader import load_knowledge
    from cds_service.shipped import shipped

    knowledge = load_knowledge(overlay=settings.knowledge, factors=settings.mme_factors.value)
    try:
        if settings.directory is not None:
            read_directory(settings.directory, knowledge)
        library = CardLibrary.load(shipped("cards"), knowledge, rules, settings.cards)
        return list(check(library, settings.cards))
    except KnowledgeError as fault:
        return [fault]
