"""What a card's page tells: grounds, inputs, numbers, and what it does when it does not
know. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cds_service.cards import CardLibrary
from cds_service.clinical.rule import Rule
from cds_service.knowledge.model import Knowledge, Source


@dataclass(frozen=True, slots=True)
class WorkedCase:
    """One worked case: what is shown, by what arithmetic or quotation, and what the card
    says of it.
    """

    name: str
    why: str
    says: str


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made this, who paid, and whom to ask; `site` says that a site's own files are
    laid over ours.
    """

    version: str
    developer: str
    funding: str
    contact: str = ""
    site: bool = False


@dataclass(frozen=True, slots=True)
class Grounds:
    """Everything the pages are made from; numbers are shown as they stand on `as_of`."""

    knowledge: Knowledge
    rules: Mapping[str, Rule]
    library: CardLibrary
    cases: Mapping[str, tuple[WorkedCase, ...]]
    as_of: date
    maker: Maker


@dataclass(frozen=True, slots=True)
class Attribute:
    """One source attribute of 45 CFR 170.315(b)(11)(iv)(A), by its place in the list of
    thirteen.
    """

    number: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A document the advice rests on, and the places of it that are used."""

    source: Source
    at: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """A kind of data: its prefetch key, in plain words, and whether the card can do without it."""

    key: str
    words: str
    required: bool


@dataclass(frozen=True, slots=True)
class PayerValue:
    """What a payer puts in the place of a number."""

    payer: str
    value: str
    since: date
    source: str
    at: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number as it stands: `shared` if it belongs to reasoning that several cards use."""

    name: str
    says: str
    boundary: str
    value: str
    unit: str
    since: date
    source: str
    at: str
    basis: str
    reviewed: date | None
    again: date | None
    shared: bool
    earlier: tuple[tuple[date, str], ...] = ()
    payers: tuple[PayerValue, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeSet:
    """A value set: how many codes and code prefixes it names, and how many it leaves out."""

    name: str
    says: str
    source: str
    codes: int
    prefixes: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Reason:
    """One criterion: how urgent at worst, what the card says with its words unfilled, when
    it is quiet.
    """

    name: str
    worst: str
    summary: str
    line: str
    unknown: str
    buttons: tuple[str, ...]
    routine: bool
    payers: tuple[str, ...]
    gated: bool


@dataclass(frozen=True, slots=True)
class SetAside:
    """An override reason and for how many days the same advice then stays quiet."""

    display: str
    system: str
    code: str
    snooze_days: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """A service that speaks the card, and on which hooks."""

    service: str
    title: str
    hooks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of reasoning that several cards share."""

    name: str
    says: str


@dataclass(frozen=True, slots=True)
class About:
    """Everything that can be told about one card."""

    card: str
    title: str
    audience: str
    purpose: str
    reasoning: str
    version: str
    knowledge: str
    as_of: date
    source: Cited
    services: tuple[Spoken, ...]
    attributes: tuple[Attribute, ...]
    citations: tuple[Cited, ...]
    inputs: tuple[Input, ...]
    thresholds: tuple[Threshold, ...]
    factors: str
    value_sets: tuple[CodeSet, ...]
    steps: tuple[Step, ...]
    exclusions: tuple[str, ...]
    unknown: tuple[str, ...]
    criteria: tuple[Reason, ...]
    gathers: tuple[str, ...]
    override_reasons: tuple[SetAside, ...]
    links: tuple[tuple[str, str], ...]
    cases: tuple[WorkedCase, ...]
    limits: tuple[str, ...]
    contact: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A card on the index."""

    card: str
    title: str
    audience: str
    worst: str
    services: tuple[str, ...]
    cases: int
