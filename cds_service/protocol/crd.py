"""What payers' clients expect of coverage requirements discovery: card types, references, options.
Pure.

We are no payer's contractor: cards carry clinical guidance, never a statement about coverage, so
there is no coverage-information action.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from cds_service.protocol.services import service

Json = dict[str, Any]

CARD_TYPES = "http://terminology.hl7.org/CodeSystem/cdshooks-card-type"
VERSIONS = ["2.0"]
CARD = "cds-service.card"  # keeps our own name of a card whose topic is its type
_ASSOCIATED = "davinci-crd.associated-resource"
_REASONS = "cds-service.reasons"
_MOST_CARDS, _USUAL_MOST = "max-cards", 4
_GUIDELINE = "guideline"
_TYPES = {
    "opioid-with-sedative": "contraindication",
    "opioid-nonopioid-first": "therapy-alternatives-opt",
    "opioid-long-acting-start": "therapy-alternatives-opt",
    "lumbar-imaging": "off-guideline",
    "spine-emergency": "clinical-reminder",
    "suicide-risk": "clinical-reminder",
    "screening-due": "clinical-reminder",
    "pdmp-review": "clinical-reminder",
    "toxicology-test": "clinical-reminder",
    "opioid-follow-up": "clinical-reminder",
    "could-not-check": "clinical-reminder",
}
_NAMES = {
    _GUIDELINE: ("Guidelines", "Says when care differs from a published guideline, and why."),
    "off-guideline": ("Off guideline", "Says when an order does not fit the guideline for it."),
    "contraindication": ("Contraindications", "Says when an order is risky together with others."),
    "therapy-alternatives-opt": ("Alternatives", "Names treatments that may be tried first."),
    "clinical-reminder": ("Reminders", "Names assessments and follow-up that are due."),
}


def card_type(card: str) -> str:
    """The type of a card; guidance by a guideline unless it is known to be something else."""
    return _TYPES.get(card, _GUIDELINE)


def crd_card(card: Json, drafts: Collection[str]) -> Json:
    """A card whose topic is its type, naming the draft orders it is about."""
    source, extension = card["source"], dict(card.get("extension", {}))
    name = source["topic"]["code"]
    about = [
        reference
        for reference in dict.fromkeys(
            ref for reason in extension.get(_REASONS, ()) for ref in reason.get("because", ())
        )
        if reference in drafts
    ]
    if about:
        extension[_ASSOCIATED] = about
    extension[CARD] = name
    topic = {"system": CARD_TYPES, "code": card_type(name)}
    return {**card, "source": {**source, "topic": topic}, "extension": extension}


def crd_chosen(cards: list[Json], configuration: Mapping[str, bool | int]) -> list[Json]:
    """The cards that a request's configuration leaves, the most severe first; unknown
    options are ignored.
    """
    wanted = [
        card for card in cards if configuration.get(card["source"]["topic"]["code"]) is not False
    ]
    most = configuration.get(_MOST_CARDS)
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:
        return wanted
    return wanted[:most]


def crd_options(service_id: str, hook: str) -> Json:
    """The extension of a discovery entry: our version, and a switch for each type of card
    it can give.
    """
    offer = service(service_id)
    cards = (*offer.cards.get(hook, ()), offer.folding, "could-not-check") if offer else ()
    types = dict.fromkeys(card_type(card) for card in cards)
    options: list[Json] = [
        {"code": code, "type": "boolean", "name": name, "description": description, "default": True}
        for code in types
        for name, description in (_NAMES[code],)
    ]
    options.append(
        {
            "code": _MOST_CARDS,
            "type": "integer",
            "name": "Most cards",
            "description": "The most cards of one answer; the least severe are left out.",
            "default": _USUAL_MOST,
        }
    )
    return {"davinci-crd.version": VERSIONS, "davinci-crd.configuration-options": options}
