"""A small house of cards: two warnings, two notes and a critical, with made-up words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds_service.card_suggestions import Occasion
from cds_service.cards import CardLibrary
from cds_service.clinical.criteria import (
    CRITICAL,
    INFO,
    MET,
    WARNING,
    Criterion,
    Evaluation,
    Finding,
    Indicator,
)
from cds_service.clinical.facts import Facts, Patient
from cds_service.clinical.rule import Declared, Rule
from cds_service.knowledge.model import FactorTable, Knowledge, Source
from cds_service.protocol.services import SERVICES, Service

AS_OF = date(2026, 3, 1)
GATHERING = """\
id: {id}
for: everyone
title: {id}
source: {{cite: book, at: all of it}}
summary: >-
  {{% if count == 1 %}}{{{{ first }}}}
  {{% else %}}{{{{ count }}}} points: {{{{ points }}}}{{% endif %}}
detail: |
  {{{{ lines }}}}

  Only options.
"""
GAPS = """\
line: "Not checked: {{ title }} ({{ why }})."
needs: {conditions: the problem list}
"""
CARD = """\
id: {id}
for: a prescriber
title: Title of {id}
source: {{cite: book, at: page 1}}
criteria:
  {id}-reason:
    summary: "Act: {{{{ amount }}}} for {{{{ label }}}}"
    line: "{{{{ label }}}} gives {{{{ amount }}}}."
    unknown: the amount.
    suggest: [order-it]
detail: |
  {{{{ lines }}}}

  Option for {{{{ label }}}}.
suggestions:
  order-it: {{label: "Order {{{{ label }}}}", create: [thing-{id}], recommended: true}}
overrideReasons: [because]
links: [{{label: Book, url: "https://example.org/book"}}]
"""
ORDER = """\
resourceType: ServiceRequest
status: draft
intent: order
code:
  coding: [{{system: "http://snomed.info/sct", code: "{code}"}}]
subject: $subject
encounter: $encounter
authoredOn: $as_of
requester: $requester
reasonCode: $reasons
reasonReference: $results
occurrencePeriod: {{end: $due}}
"""
REASONS = """\
because:
  system: urn:cds-service:override-reason
  code: because
  display: Because
  snooze: 30
"""
CARDS: Mapping[str, Indicator] = {
    "red": CRITICAL,
    "amber": WARNING,
    "amber-two": WARNING,
    "amber-three": WARNING,
    "amber-four": WARNING,
    "note": INFO,
    "note-two": INFO,
}
SERVICE = Service(
    "opioid-safety", "Test", "Test", "Test", "opioid-checklist", {"order-sign": tuple(CARDS)}
)


def rule(
    card: str, worst: Indicator, words: tuple[str, ...] = ("amount", "label"), name: str = ""
) -> Rule:
    """A rule that is never run."""
    declared = Declared(name or f"{card}-reason", worst, words)
    return Rule(
        card=card,
        function=lambda *_: iter(()),
        hooks=("order-sign",),
        applies=lambda *_: True,
        needs=frozenset(),
        wants=frozenset(),
        uses=(),
        numbers=frozenset(),
        codes=frozenset(),
        criteria={declared.name: declared},
        doc="",
    )


RULES = {card: rule(card, worst) for card, worst in CARDS.items()}


@pytest.fixture
def knowledge() -> Knowledge:
    systems = {
        "http://snomed.info/sct": "SNOMED",
        "http://hl7.org/fhir/sid/icd-10-cm": "ICD10CM",
        "http://www.nlm.nih.gov/research/umls/rxnorm": "RXNORM",
    }
    return Knowledge(
        parameters={},
        valuesets={},
        sources={"book": Source("book", "The book", "Press", "2022", "https://example.org/book")},
        payers=(),
        factors=FactorTable("none", "none", "book"),
        system_names=systems,
        system_urls={short: url for url, short in systems.items()},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of CARDS, one order each, and what every library needs."""
    root = tmp_path / "cards"
    (root / "orders").mkdir(parents=True)
    for service in SERVICES:
        (root / f"{service.folding}.yaml").write_text(GATHERING.format(id=service.folding))
    (root / "could-not-check.yaml").write_text(GATHERING.format(id="could-not-check") + GAPS)
    (root / "override-reasons.yaml").write_text(REASONS)
    for number, card in enumerate(CARDS):
        (root / f"{card}.yaml").write_text(CARD.format(id=card))
        (root / "orders" / f"thing-{card}.yaml").write_text(ORDER.format(code=f"100{number}"))
    return root


@pytest.fixture
def library(folder: Path, knowledge: Knowledge) -> CardLibrary:
    return CardLibrary.load(folder, knowledge, RULES)


def met(card: str, amount: Any = 5, label: Any = "tea", **more: Any) -> Finding:
    """A finding with its one criterion met."""
    criterion = Criterion(
        f"{card}-reason", MET, CARDS[card], {"amount": amount, "label": label}, **more
    )
    return Finding(card, CARDS[card], (criterion,))


@pytest.fixture
def compose(library: CardLibrary) -> Callable[..., list[dict[str, Any]]]:
    """The cards for findings, the rest as in an ordinary call unless said otherwise."""

    def cards(*findings: Finding, **said: Any) -> list[dict[str, Any]]:
        given: dict[str, Any] = {
            "service": SERVICE,
            "hook": "order-sign",
            "hook_instance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "facts": Facts(AS_OF, "order-sign", Patient("Patient/1")),
            "drafts": {},
            "encounter": "Encounter/1",
            "requester": "Practitioner/1",
        }
        evaluation = said.pop("evaluation", Evaluation(findings, said.pop("not_evaluated", ())))
        writer = said.pop("library", library)
        told = {name: said.pop(name) for name in ("about", "failed") if name in said}
        return writer.compose(evaluation, Occasion(**{**given, **said}), **told)

    return cards
