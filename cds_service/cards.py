"""How we speak: findings and card files become the cards of one answer.

Warnings and criticals keep their own card; info findings fold into the service's folding card, and
so do the least severe past four cards an answer. What could not be checked is said when it could
have mattered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cds_service.card_answer import Spoken, cards_of, once, shared_out
from cds_service.card_buttons import Button
from cds_service.card_files import (
    COULD_NOT_CHECK,
    CardFile,
    OverrideReason,
    read_cards,
    read_orders,
    read_override_reasons,
)
from cds_service.card_orders import OrderTemplate
from cds_service.card_suggestions import Call, Occasion, buttons, partners
from cds_service.card_templates import line_of, lines_of, summary_of
from cds_service.card_text import LABEL_LIMIT, Rendered, clean, escaped
from cds_service.clinical.criteria import INFO, MET, Criterion, Evaluation, Finding
from cds_service.clinical.references import invented
from cds_service.clinical.rule import Rule
from cds_service.knowledge.directory import NOBODY, Directory
from cds_service.knowledge.model import Knowledge, Payer, Source

_NOT_AVAILABLE = "not available: "
Failed = Callable[[str, Exception], None]


def _unheard(card: str, error: Exception) -> None:
    """Nobody listens for cards that could not be written."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A check that could have warned and could not run; `why` in a clinician's words."""

    title: str
    why: str


@dataclass(frozen=True, slots=True)
class CardLibrary:
    """All card, order and override reason files, checked and compiled."""

    cards: Mapping[str, CardFile]
    orders: Mapping[str, OrderTemplate]
    override_reasons: Mapping[str, OverrideReason]
    knowledge: Knowledge = field(repr=False)
    directory: Directory = NOBODY  # without partners suggestions name the specialty only

    @classmethod
    def load(
        cls,
        folder: Path,
        knowledge: Knowledge,
        rules: Mapping[str, Rule],
        overlay: Path | None = None,
    ) -> CardLibrary:
        """Read `folder`; a file of `overlay` takes the place of its namesake. Raises
        KnowledgeError.
        """
        folders = (folder,) if overlay is None else (folder, overlay)
        orders, reasons = read_orders(folders, knowledge), read_override_reasons(folders)
        return cls(
            read_cards(folders, knowledge, rules, orders, reasons), orders, reasons, knowledge
        )

    def compose(
        self, evaluation: Evaluation, occasion: Occasion, about: str = "", failed: Failed = _unheard
    ) -> list[dict[str, Any]]:
        """The cards of one answer, the most severe first, at most four.

        `about` is the address under which cards explain themselves, and then their `source.url`;
        `failed` hears of a card that could not be written, which then counts as not checked.
        """
        service, call = (
            occasion.service,
            Call(occasion, self.knowledge, self.orders, self.directory),
        )
        place = {card: index for index, card in enumerate(service.cards.get(occasion.hook, ()))}
        findings = sorted(
            evaluation.findings, key=lambda finding: place.get(finding.card, len(place))
        )
        spoken, broken = self._spoken(findings, call, failed)
        quiet = [finding for finding in findings if not finding.speaks or finding in broken]
        gaps = self._gaps(evaluation, broken)
        own, folded, gaps_fold = shared_out(spoken, bool(gaps))
        shown = list(own)
        if folded or gaps_fold:
            shown.append(self._gathered(service.folding, folded, gaps if gaps_fold else (), quiet))
        if gaps and not gaps_fold:
            shown.append(self._gathered(COULD_NOT_CHECK, (), gaps, () if folded else quiet))
        shown.sort(key=lambda each: -each.indicator.severity)
        return cards_of(shown, call, about)

    def _spoken(
        self, findings: Sequence[Finding], call: Call, failed: Failed
    ) -> tuple[list[Spoken], list[Finding]]:
        """The findings in words, and those whose card could not be written."""
        spoken: list[Spoken] = []
        broken: list[Finding] = []
        several = sum(finding.indicator is INFO for finding in findings) > 1
        for finding in findings:
            if finding.speaks:
                try:
                    spoken.append(self._speak(finding, call, several))
                except Exception as error:  # one broken card never silences the others
                    failed(finding.card, error)
                    broken.append(finding)
        return spoken, broken

    def _speak(self, finding: Finding, call: Call, several: bool) -> Spoken:
        """In words; `several` info findings fold into one card, which has their lines alone."""
        file = self.cards[finding.card]
        criteria = tuple([criterion.followable() for criterion in finding.criteria])
        met = [c for c in criteria if c.status is MET]
        leading = met[0]
        if len(met) > 1:
            order = {name: index for index, name in enumerate(file.voices)}
            met.sort(key=lambda c: order[c.name])
            leading = max(met, key=lambda c: c.indicator.severity)  # the first of the most severe
        voices = [file.voices[c.name] for c in met]
        contacts = (*_contacts(file, call.occasion.payers), *_partners(file, met, call))
        more = [link for voice in voices for link in voice.links]
        more += [link for _, links in contacts for link in links]
        lines = (
            # Of two orders the same may be said.
            *[line for said in dict.fromkeys(_met_lines(file, met)) for line in said],
            *self._unknown_lines(file, finding),
            *[line for line, _ in contacts],
        )
        shown = Rendered("\n".join(lines))
        return Spoken(
            file=file,
            criteria=criteria,
            indicator=leading.indicator,
            summary=summary_of(file.voices[leading.name].summary, leading.words),
            lines=lines,
            detail=file.detail.render({**leading.words, "lines": shown})
            if file.detail and not (several and leading.indicator is INFO)
            else shown,
            source=file.voices[leading.name].source,
            sources=tuple(dict.fromkeys([voice.cited for voice in voices])),
            buttons=tuple([b for b in buttons(file, met, call) if _addressed(b, call)]),
            override_reasons=file.override_reasons,
            links=tuple(dict.fromkeys([*file.links, *more])),
        )

    def _unknown_lines(self, file: CardFile, finding: Finding) -> Iterator[str]:
        unknown = [c for c in finding.criteria if c.status is not MET]
        if not unknown:
            return
        for name in dict.fromkeys(c.name for c in unknown):
            yield f"- Not known: {file.voices[name].unknown}"
        missing = dict.fromkeys(need for criterion in unknown for need in criterion.missing)
        if missing:
            yield f"- Not available: {', '.join(self._need(need) for need in missing)}."

    def _need(self, name: str) -> str:
        return self.cards[COULD_NOT_CHECK].needs.get(name, name)

    def _gaps(self, evaluation: Evaluation, broken: Sequence[Finding]) -> tuple[Gap, ...]:
        """What could not be checked and could have warned, each card and reason once."""
        found = [(gap.card, self._why(gap.why)) for gap in evaluation.not_evaluated if gap.serious]
        found += [(finding.card, "internal error") for finding in broken]
        return tuple(Gap(self.cards[card].title, why) for card, why in dict.fromkeys(found))

    def _why(self, why: str) -> str:
        """The reason with each need in a clinician's words."""
        if not why.startswith(_NOT_AVAILABLE):
            return why
        needs = why.removeprefix(_NOT_AVAILABLE).split(", ")
        return _NOT_AVAILABLE + ", ".join(map(self._need, needs))

    def _gathered(
        self, card: str, folded: Sequence[Spoken], gaps: Sequence[Gap], quiet: Sequence[Finding]
    ) -> Spoken:
        """A card without a rule: the points and the buttons of each finding, most severe first,
        then the gaps.

        Its reasons are all of theirs, with those of the findings that have no card.
        """
        file = self.cards[card]
        assert file.summary is not None  # the reader demands it
        ranked = sorted(folded, key=lambda each: -each.indicator.severity)
        titles = self._titles(ranked, gaps)
        words = {
            "count": len(titles),
            "first": Rendered(ranked[0].summary if ranked else titles[0]),
            "points": ", ".join(titles),
        }
        shown = Rendered(self._points(ranked, gaps))
        severe = [each.indicator for each in ranked] + [f.indicator for f in quiet if f.indicator]
        return Spoken(
            file=file,
            criteria=(
                *(c for each in folded for c in each.criteria),
                *(c.followable() for f in quiet for c in f.criteria),
            ),
            indicator=max(severe, key=lambda i: i.severity, default=INFO),
            summary=summary_of(file.summary, words),
            lines=(),
            detail=file.detail.render({**words, "lines": shown}) if file.detail else shown,
            source=_shared_source(ranked) or file.source,
            sources=once(*(each.sources for each in ranked)) or ((file.source.title, file.at),),
            buttons=once(*(each.buttons for each in ranked)),
            override_reasons=once(
                file.override_reasons, *(each.override_reasons for each in ranked)
            ),
            links=once(file.links, *(each.links for each in ranked)),
        )

    def _points(self, ranked: Sequence[Spoken], gaps: Sequence[Gap]) -> str:
        """Each finding in its lines and each gap in one; a finding alone in all it has to say."""
        if len(ranked) == 1 and not gaps:
            return ranked[0].detail.strip()
        lines = [line for each in ranked for line in _titled(each)]
        return "\n".join([*lines, *(f"- {self._gap_line(gap)}" for gap in gaps)])

    def _titles(self, ranked: Sequence[Spoken], gaps: Sequence[Gap]) -> list[str]:
        """What a gathering card names: its findings and that there are gaps, else the gaps."""
        if not ranked:
            return list(dict.fromkeys(gap.title for gap in gaps))
        titles = [each.file.title for each in ranked]
        return [*titles, self.cards[COULD_NOT_CHECK].title] if gaps else titles

    def _gap_line(self, gap: Gap) -> str:
        line = self.cards[COULD_NOT_CHECK].line
        assert line is not None  # the reader demands it
        return line_of(line, {"title": gap.title, "why": gap.why})


def _addressed(button: Button, call: Call) -> bool:
    """Whether the caller can tell which draft a button changes or takes back: of several without an
    id none.
    """
    done, drafts = button.key[0], call.occasion.drafts
    if done == "update" and not drafts[str(button.key[1])].get("id"):
        return sum(not draft.get("id") for draft in drafts.values()) == 1
    return done != "delete" or not invented(str(button.key[1]))


def _shared_source(folded: Sequence[Spoken]) -> Source | None:
    """The document that all findings come from, where it is a single one."""
    documents = once(*((each.source,) for each in folded))
    return documents[0] if len(documents) == 1 else None


def _met_lines(file: CardFile, met: Sequence[Criterion]) -> Iterator[tuple[str, ...]]:
    for criterion in met:
        voice = file.voices[criterion.name]
        more = () if voice.more is None else lines_of(voice.more, criterion.words)
        yield f"- {line_of(voice.line, criterion.words)}", *(f"  {line}" for line in more)


def _contacts(
    file: CardFile, payers: tuple[Payer, ...]
) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """For each payer in force and contact the card asks for: a line, and a link where there
    is an address.
    """
    for payer in payers:
        for name in file.contacts:
            contact = payer.contacts.get(name)
            if contact is not None:
                label = f"{payer.name}: {contact.label}"
                told = f"{label}, {contact.phone}" if contact.phone else label
                links = ((label, contact.url),) if contact.url else ()
                yield f"- {told}. {contact.note}" if contact.note else f"- {told}", links


def _partners(
    file: CardFile, met: Sequence[Criterion], call: Call
) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """For each partner that an order would go to: a line, and its handouts and pages as links."""
    for label, partner in partners(file, met, call):
        shown = ", ".join(
            escaped(clean(part, LABEL_LIMIT)) for part in (partner.name, partner.phone) if part
        )
        yield f"- Preferred for {label}: {shown}", partner.links


def _titled(spoken: Spoken) -> Iterator[str]:
    """The lines of a folded finding: the first with its title, the others beneath it."""
    first, *rest = spoken.lines
    yield f"- **{spoken.file.title}**: {first.removeprefix('- ')}"
    beneath = ""
    for line in rest:
        beneath = "  " if line.startswith("- ") else beneath
        yield beneath + line
