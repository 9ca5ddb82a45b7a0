"""What a card file says once it is read: a card, its voices, its suggestions and override reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cds_service.card_templates import Words
from cds_service.frozen import Frozen
from cds_service.knowledge.model import Source

OWN_DRAFT = "draft"  # in `delete`: the draft order the criterion rests on


class OverrideReason(Frozen, dict=True, eq=False):
    """Why a card may be set aside; the same advice then stays quiet for `snooze_days`. There is one
    of each id.
    """

    id: str
    system: str
    code: str
    display: str
    snooze_days: int

    @cached_property
    def coding(self) -> dict[str, str]:
        """As CDS Hooks sends it: the same in every answer, not to be changed."""
        return {"code": self.code, "system": self.system, "display": self.display}


@dataclass(frozen=True, slots=True)
class Voice:
    """What a card says of one criterion: met, a summary, a line and more lines; else what
    is not known. `source` and `at` are the card's where it has none of its own, `cited` its title
    and place as a card names them; `links` are those it has besides the card's.
    """

    summary: Words
    line: Words
    unknown: str
    source: Source
    at: str
    cited: tuple[str, str]
    more: Words | None = None
    suggest: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SuggestionFile:
    """One button: it creates an order, updates a draft by the word `update`, or deletes a draft."""

    id: str
    label: Words
    description: Words
    create: str = ""
    update: str = ""
    delete: str = ""
    start: str = ""  # the word that gives an appointment its first day; without it that is today
    due: str = ""  # the word that gives the order its due date
    when: str = ""  # the word without which there is no button
    answers: str = ""  # the word that gives a questionnaire its answers
    coverage: str = ""  # the word that names the cover a claim is made on
    recommended: bool = False


@dataclass(frozen=True, slots=True)
class CardFile:
    """One card's words. A folding card and could-not-check have no voices but a summary of
    their own.
    """

    id: str
    title: str
    audience: str
    source: Source
    at: str
    detail: Words | None = None
    voices: Mapping[str, Voice] = field(default_factory=dict)
    summary: Words | None = None
    line: Words | None = None
    suggestions: Mapping[str, SuggestionFile] = field(default_factory=dict)
    selection: str = "any"
    override_reasons: tuple[OverrideReason, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    contacts: tuple[str, ...] = ()
    needs: Mapping[str, str] = field(
        default_factory=dict
    )  # could-not-check: a need in a clinician's words
    said: Mapping[str, Any] = field(
        default_factory=dict, repr=False
    )  # the file as read, for pages about it

    @property
    def all_cited(self) -> tuple[tuple[Source, str], ...]:
        """Every document the card comes from: its own, then those of single criteria."""
        own = [(voice.source, voice.at) for voice in self.voices.values()]
        return tuple(dict.fromkeys([(self.source, self.at), *own]))

    @property
    def all_links(self) -> tuple[tuple[str, str], ...]:
        """Every link the card may show of itself."""
        return (*self.links, *(link for voice in self.voices.values() for link in voice.links))
