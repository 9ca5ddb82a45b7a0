"""Cards as the page shows them: words for the indicator, Markdown made safe, actions ready
to be posted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from cds_service.web.demo.calls import Exchange

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_TEXT_TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "a", "code"}
_TABLE_TAGS = {"table", "thead", "tbody", "tr", "th", "td"}
_SEVERITY = {"critical": 0, "warning": 1, "info": 2}
_LABELS = {"critical": "Critical", "warning": "Warning", "info": "Info"}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A button; `sent` is the suggestion as received, to be posted back when it is taken."""

    uuid: str
    label: str
    recommended: bool
    sent: str


@dataclass(frozen=True, slots=True)
class Card:
    """One card; `reasons` are the codings of the override reasons with their display."""

    service: str
    uuid: str
    topic: str
    indicator: str
    summary: str
    detail: Markup
    source: str
    source_url: str
    suggestions: tuple[Suggestion, ...]
    reasons: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]

    @property
    def label(self) -> str:
        """The indicator in words, for those who do not see its colour."""
        return _LABELS.get(self.indicator, "Info")


def cards_of(exchanges: Iterable[Exchange]) -> tuple[Card, ...]:
    """All cards of several answers, the most severe first."""
    cards = [_card(exchange.service, card) for exchange in exchanges for card in exchange.cards]
    return tuple(sorted(cards, key=lambda card: _SEVERITY.get(card.indicator, len(_SEVERITY))))


def spoken(cards: Iterable[Card]) -> str:
    """How many cards of each kind there are, for those who hear that they came.

    >>> spoken([])
    'nothing to add'
    """
    found = Counter(card.label.lower() for card in cards)
    named = (f"{number} {kind} card{'s' if number > 1 else ''}" for kind, number in found.items())
    return ", ".join(named) or "nothing to add"


def rendered(markdown: str) -> Markup:
    """Markdown as HTML in which nothing can run and links leave no trace."""
    html = _MARKDOWN.render(markdown)
    safe = nh3.clean(
        html,
        tags=_TEXT_TAGS | _TABLE_TAGS,
        attributes={"a": {"href", "target"}},
        url_schemes={"https"},
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return Markup(safe)


def _card(service: str, card: Mapping[str, Any]) -> Card:
    source = card["source"]
    links = (
        (link["label"], link["url"]) for link in card.get("links", ()) if link["type"] == "absolute"
    )
    return Card(
        service=service,
        uuid=str(card["uuid"]),
        topic=str(source.get("topic", {}).get("code", "")),
        indicator=str(card["indicator"]),
        summary=str(card["summary"]),
        detail=rendered(card.get("detail", "")),
        source=str(source["label"]),
        source_url=_safe(source.get("url", "")),
        suggestions=tuple(_suggestion(each) for each in card.get("suggestions", ())),
        reasons=tuple(
            (json.dumps(each), str(each["display"])) for each in card.get("overrideReasons", ())
        ),
        links=tuple((label, url) for label, url in links if _safe(url)),
    )


def _suggestion(sent: Mapping[str, Any]) -> Suggestion:
    uuid, recommended = str(sent.get("uuid", "")), bool(sent.get("isRecommended"))
    return Suggestion(uuid, str(sent["label"]), recommended, json.dumps(sent))


def _safe(url: str) -> str:
    """The address if it is one to follow, else nothing."""
    return url if url.startswith("https://") else ""
