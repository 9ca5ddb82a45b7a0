"""The shape of one answer: who keeps a card and who folds, and the cards as CDS Hooks sends
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from cds_service.card_buttons import Button
from cds_service.card_files import CardFile, OverrideReason
from cds_service.card_suggestions import Call
from cds_service.clinical.criteria import INFO, Criterion, Indicator
from cds_service.frozen import Frozen
from cds_service.knowledge.model import Source

MOST_CARDS = 4
TOPIC_SYSTEM = "urn:cds-service:card"
REASONS = "cds-service.reasons"
T = TypeVar("T")


class Spoken(Frozen):
    """One finding in words: bullet lines of Markdown, and the card's text around them."""

    file: CardFile
    criteria: tuple[Criterion, ...]
    indicator: Indicator
    summary: str
    lines: tuple[str, ...]
    detail: str
    source: Source
    sources: tuple[tuple[str, str], ...]
    buttons: tuple[Button, ...] = ()
    override_reasons: tuple[OverrideReason, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


def once(*runs: tuple[T, ...]) -> tuple[T, ...]:
    """The items of all runs in order, equal ones once."""
    found: list[T] = []
    for run in runs:
        for item in run:
            if item not in found:
                found.append(item)
    return tuple(found)


def shared_out(spoken: Sequence[Spoken], gaps: bool) -> tuple[list[Spoken], list[Spoken], bool]:
    """Who keeps a card, who folds, and whether the gaps fold too: past four cards the least
    severe fold.
    """
    folds = [each.indicator is INFO for each in spoken]
    gaps_fold = gaps and folds.count(False) + any(folds) + 1 > MOST_CARDS

    def cards() -> int:
        return folds.count(False) + (any(folds) or gaps_fold) + (gaps and not gaps_fold)

    while cards() > MOST_CARDS:
        standing = [index for index, fold in enumerate(folds) if not fold]
        least = min(reversed(standing), key=lambda index: spoken[index].indicator.severity)
        folds[least] = True
    own = [each for each, fold in zip(spoken, folds, strict=True) if not fold]
    return own, [each for each, fold in zip(spoken, folds, strict=True) if fold], gaps_fold


def cards_of(shown: Sequence[Spoken], call: Call, about: str) -> list[dict[str, Any]]:
    """As CDS Hooks sends them; what an earlier card's button does, a later card does not
    offer again.
    """
    offered: set[tuple[object, ...]] = set()
    cards = []
    for spoken in shown:
        fresh = [button for button in spoken.buttons if button.key not in offered]
        offered.update(button.key for button in fresh)
        cards.append(_card(spoken, fresh, call, about))
    return cards


def _cited(sources: Sequence[tuple[str, str]]) -> str:
    """The documents by title, each once with all its places.

    >>> _cited([("A guide", "step 1"), ("A review", "page 2"), ("A guide", "step 3")])
    'Sources: A guide, step 1, step 3; A review, page 2.'
    """
    places: dict[str, list[str]] = {}
    for title, at in sources:
        places.setdefault(title, []).append(at)
    named = "; ".join(", ".join((title, *found)) for title, found in places.items())
    return f"Source{'s' if len(places) > 1 else ''}: {named}."


def _card(spoken: Spoken, buttons: Sequence[Button], call: Call, about: str) -> dict[str, Any]:
    file = spoken.file
    cite = spoken.source
    source: dict[str, Any] = {"label": f"{cite.title} ({cite.publisher})"}
    if about or cite.url:
        source["url"] = f"{about}/{file.id}" if about else cite.url
    source["topic"] = {"system": TOPIC_SYSTEM, "code": file.id}
    card: dict[str, Any] = {
        "uuid": call.uuid(file.id, 0),
        "summary": spoken.summary,
        "indicator": str(spoken.indicator),
        "detail": f"{spoken.detail.strip()}\n\n{_cited(spoken.sources)}",
        "source": source,
    }
    if buttons:
        leading = next((button for button in buttons if button.recommended), None)
        card["suggestions"] = [
            button.suggestion(call.uuid(file.id, ordinal), button is leading)
            for ordinal, button in enumerate(buttons, start=1)
        ]
        card["selectionBehavior"] = file.selection
    if spoken.override_reasons:
        card["overrideReasons"] = [reason.coding for reason in spoken.override_reasons]
    links = _links(spoken, about)
    if links:
        card["links"] = [{"label": label, "url": url, "type": "absolute"} for label, url in links]
    if spoken.criteria:
        card["extension"] = {REASONS: [_reason(criterion) for criterion in spoken.criteria]}
    return card


def _links(spoken: Spoken, about: str) -> list[tuple[str, str]]:
    """The card's links; what it cites joins them when `source.url` leads to the page about it."""
    source = spoken.source
    cited = about and source.url and source.url not in [url for _, url in spoken.links]
    return [*([(source.title, source.url)] if cited else []), *spoken.links]


def _reason(criterion: Criterion) -> dict[str, Any]:
    reason: dict[str, Any] = {
        "criterion": criterion.name,
        "status": str(criterion.status),
        "indicator": str(criterion.indicator),
    }
    if criterion.because:
        reason["because"] = list(criterion.because)
    return reason
