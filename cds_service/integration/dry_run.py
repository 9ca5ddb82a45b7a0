"""A dry run: which prefetch queries a FHIR server can answer, how soon, and what could be
evaluated.

Counts only; nothing of the patient is shown or kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from cds_service.clinical.evaluate import needs_of
from cds_service.clinical.facts import Need
from cds_service.clinical.rule import Rule
from cds_service.fhir.queries import TYPES, expand, template
from cds_service.integration.server import Capability, FhirServer
from cds_service.protocol.services import SERVICES

_COMMON = frozenset({"_count", "_sort", "_id", "_lastUpdated"})


@dataclass(frozen=True, slots=True)
class Query:
    """One prefetch query: what the server says it can, and what it did."""

    need: Need
    url: str
    refused: str  # why its CapabilityStatement does not allow the query; empty if it does
    resources: int = 0
    pages: int = 0
    milliseconds: float = 0.0
    fault: str = ""

    @property
    def usable(self) -> bool:
        """Whether the data came whole, from a server that claims to have them: else empty
        proves nothing.
        """
        return not self.fault and not self.refused


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the criteria of one card would get: `lacks` are the needs that did not come."""

    service: str
    hook: str
    card: str
    criteria: int
    state: str  # whole, in part, or not at all
    lacks: tuple[str, ...]


def queries(server: FhirServer, patient: str) -> Iterator[Query]:
    """Every query of our rules, asked one after the other. Raises BadServer."""
    able = server.capabilities()
    for need in sorted(_wanted(), key=list(Need).index):
        url = expand(template(need), patient_id=patient.removeprefix("Patient/"))
        assert url is not None  # templates name the patient only
        asked = server.ask(url)
        yield Query(
            need,
            url,
            refusal(able, TYPES[need], url),
            len(asked.resources),
            asked.pages,
            asked.milliseconds,
            asked.fault or asked.cut,
        )


def refusal(able: Mapping[str, Capability], kind: str, url: str) -> str:
    """Why a CapabilityStatement does not allow a query; empty if it does.

    >>> refusal({"Goal": Capability(frozenset({"read"}), frozenset())}, "Goal", "Goal?patient=1")
    'no search'
    """
    capability = able.get(kind)
    if capability is None:
        return "no such resource"
    _, question, search = url.partition("?")
    if not question:
        return "" if "read" in capability.interactions else "no read"
    if "search-type" not in capability.interactions:
        return "no search"
    names = {name.partition(":")[0] for name, _ in parse_qsl(search)} - _COMMON
    missing = sorted(names - capability.parameters)
    return f"no search by {', '.join(missing)}" if missing else ""


def reach(rules: Mapping[str, Rule], came: Iterable[Query]) -> Iterator[Reach]:
    """What could be evaluated with the data that came, card by card."""
    have = {query.need for query in came if query.usable}
    for offer in SERVICES:
        for hook in offer.hooks:
            for card in offer.cards[hook]:
                rule = rules.get(card)
                if rule is not None and hook in rule.hooks:
                    needed, asked = rule.all_needs - have, needs_of(rule) - have
                    state = "not at all" if needed else "in part" if asked else "whole"
                    lacks = tuple(sorted(need.value for need in asked))
                    yield Reach(offer.id, hook, card, len(rule.criteria), state, lacks)


def _wanted() -> frozenset[Need]:
    from cds_service.clinical.rules import load_rules

    rules = load_rules()
    cards = {card for offer in SERVICES for cards in offer.cards.values() for card in cards}
    return frozenset(need for card in cards if card in rules for need in needs_of(rules[card]))
