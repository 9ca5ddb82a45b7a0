"""How one call went: enough to explain an answer, with names and numbers but nothing of the
patient. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from cds_service.clinical.criteria import RuleTrace
from cds_service.clinical.facts import Need
from cds_service.fhir.prefetch import Came
from cds_service.frozen import Frozen, field
from cds_service.reads import Read


class CardTrace(Frozen):
    """A card of the answer; `criteria` are those met; one that is not `shown` is recorded only."""

    card: str
    uuid: str
    indicator: str
    criteria: tuple[str, ...]
    shown: bool = True


class Trace(Frozen):
    """`needs` says how each kind of data came: prefetch, fetched, empty, or missing and why."""

    service: str
    hook: str
    as_of: date
    knowledge: str
    factors: str
    payers: tuple[str, ...] = ()
    needs: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[RuleTrace, ...] = ()
    cards: tuple[CardTrace, ...] = ()
    snoozed: tuple[CardTrace, ...] = ()  # would have been cards, but the user had set them aside
    reads: tuple[Read, ...] = ()  # what was asked of the FHIR server
    notes: tuple[str, ...] = ()
    microseconds: Mapping[str, int] = field(default_factory=dict)


def ways(came: Mapping[Need, Came]) -> dict[str, str]:
    """How each need came, in words."""
    return {
        str(need): f"{way.how}: {way.why}" if way.why else way.how for need, way in came.items()
    }


def card_id(card: Mapping[str, Any]) -> str:
    """Which card file a card was made from."""
    return str(card["source"]["topic"]["code"])


def issued(cards: Iterable[Mapping[str, Any]]) -> tuple[CardTrace, ...]:
    """The cards of an answer by name, with the criteria they are met by."""
    return tuple(
        CardTrace(
            card=card_id(card),
            uuid=card["uuid"],
            indicator=card["indicator"],
            criteria=tuple(
                reason["criterion"]
                for reason in card.get("extension", {}).get("cds-service.reasons", ())
                if reason["status"] == "met"
            ),
        )
        for card in cards
    )
