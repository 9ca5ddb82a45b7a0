"""The card files: read, checked against the rules and compiled once at start."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cds_service.card_orders import OrderTemplate, order_template
from cds_service.card_shapes import OWN_DRAFT, CardFile, OverrideReason, SuggestionFile, Voice
from cds_service.card_templates import WordFault, Words, compiled, uses
from cds_service.card_words import kinds_of
from cds_service.clinical.facts import Need
from cds_service.clinical.rule import Rule
from cds_service.errors import KnowledgeError
from cds_service.knowledge.files import expect_directory, files_under, is_yaml
from cds_service.knowledge.model import Knowledge, Source
from cds_service.knowledge.schema import faults
from cds_service.knowledge.strict_yaml import Loaded, Route, load
from cds_service.protocol.services import SERVICES

__all__ = [
    "COULD_NOT_CHECK",
    "FOLDING",
    "GAP_WORDS",
    "GATHERED_WORDS",
    "OWN_DRAFT",
    "CardFile",
    "OverrideReason",
    "SuggestionFile",
    "Voice",
    "read_cards",
    "read_orders",
    "read_override_reasons",
]

COULD_NOT_CHECK = "could-not-check"
FOLDING = frozenset(service.folding for service in SERVICES)
GATHERED_WORDS = (
    "count",
    "first",
    "points",
)  # what a card without a rule may say of the findings it gathers
GAP_WORDS = ("title", "why")  # what `line` of could-not-check may say of one gap
_REASONS_FILE = "override-reasons.yaml"


def _conform(loaded: Loaded, kind: str) -> None:
    for fault in faults(loaded, kind):
        raise fault


def _name(folders: Sequence[Path], path: Path) -> str:
    """What faults call a file: a site's own by its whole path."""
    ours = folders[0]
    return f"{ours.name}/{path.relative_to(ours).as_posix()}" if ours in path.parents else str(path)


def read_override_reasons(folders: Sequence[Path]) -> dict[str, OverrideReason]:
    """The override reasons by id, from the last folder that has the file. Raises KnowledgeError."""
    found = [folder for folder in folders if (folder / _REASONS_FILE).is_file()]
    if not found:
        raise KnowledgeError(_REASONS_FILE, None, "the file is missing")
    path = found[-1] / _REASONS_FILE
    loaded = load(path, _name(folders, path))
    _conform(loaded, "override-reasons")
    named: dict[tuple[str, str], str] = {}
    for name, item in loaded.data.items():
        first = named.setdefault((item["system"], item["code"]), name)
        if first != name:
            raise loaded.fault((name, "code"), f"{name} has the code of {first}", "a code once")
    return {
        name: OverrideReason(name, item["system"], item["code"], item["display"], item["snooze"])
        for name, item in loaded.data.items()
    }


def _refuse_strays(folders: Sequence[Path], folder: Path) -> None:
    """Advice that a site believes to have changed must not stay as it was for a slip in a name."""
    expect_directory(folder)
    known = {*folder.glob("*.yaml"), *folder.glob("orders/*.yaml")}
    for path in files_under(folder):
        if is_yaml(path) and path not in known:
            name = _name(folders, path)
            raise KnowledgeError(name, None, "nothing reads this file", "*.yaml, orders/*.yaml")


def read_orders(folders: Sequence[Path], knowledge: Knowledge) -> dict[str, OrderTemplate]:
    """The order files by name. Raises KnowledgeError, also for a folder or file nobody reads."""
    for folder in folders:
        _refuse_strays(folders, folder)
    paths = {
        path.stem: path for folder in folders for path in sorted((folder / "orders").glob("*.yaml"))
    }
    return {
        name: order_template(name, load(path, _name(folders, path)), knowledge)
        for name, path in paths.items()
    }


def read_cards(
    folders: Sequence[Path],
    knowledge: Knowledge,
    rules: Mapping[str, Rule],
    orders: Mapping[str, OrderTemplate],
    reasons: Mapping[str, OverrideReason],
) -> dict[str, CardFile]:
    """Every card by id, each rule with exactly one. Raises KnowledgeError."""
    paths = {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}
    paths.pop(Path(_REASONS_FILE).stem, None)
    read = {name: load(path, _name(folders, path)) for name, path in paths.items()}
    cards = {
        name: _Reader(name, loaded, knowledge, rules.get(name), orders, reasons).card()
        for name, loaded in read.items()
    }
    for name in (*rules, *sorted(FOLDING), COULD_NOT_CHECK):
        if name not in cards:
            raise KnowledgeError(f"cards/{name}.yaml", None, "the card file is missing")
    return cards


def _links(data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((link["label"], link["url"]) for link in data.get("links", ()))


@dataclass(frozen=True, slots=True)
class _Reader:
    """One card file on its way to a CardFile, with all it is checked against."""

    name: str
    loaded: Loaded
    knowledge: Knowledge
    rule: Rule | None
    orders: Mapping[str, OrderTemplate]
    reasons: Mapping[str, OverrideReason]

    def card(self) -> CardFile:
        _conform(self.loaded, "card")
        data = self.loaded.data
        if data["id"] != self.name:
            raise self.loaded.fault(("id",), f"the id {data['id']} in {self.name}.yaml", self.name)
        source, at = self._cited((), data)
        reasons = [
            self._known(("overrideReasons", index), name, self.reasons, "override reason")
            for index, name in enumerate(data.get("overrideReasons", ()))
        ]
        self._sections()
        voices = self._voices()
        return CardFile(
            id=self.name,
            title=data.get("title", self.name.replace("-", " ")),
            audience=data["for"],
            source=source,
            at=at,
            detail=self._detail(),
            voices=voices,
            summary=self._template(("summary",), GATHERED_WORDS, summary=True)
            if not voices
            else None,
            line=self._template(("line",), GAP_WORDS) if "line" in data else None,
            suggestions={name: self._suggestion(name) for name in data.get("suggestions", {})},
            selection=data.get("selectionBehavior", "any"),
            override_reasons=tuple(self.reasons[name] for name in reasons),
            links=_links(data),
            contacts=tuple(data.get("contacts", ())),
            needs=self._needs(),
            said=data,
        )

    def _sections(self) -> None:
        """A card has a rule and criteria, or is one of those without and has a summary."""
        data, gathers = self.loaded.data, self.name in FOLDING or self.name == COULD_NOT_CHECK
        if not gathers and self.rule is None:
            raise self.loaded.fault((), f"no rule is called {self.name}")
        wanted = {"summary"} if gathers else {"criteria", "overrideReasons"}
        wanted |= {"line", "needs"} if self.name == COULD_NOT_CHECK else set()
        optional = {"summary", "line", "needs", "criteria", "suggestions", "contacts"} - wanted
        optional -= set() if gathers else {"suggestions", "contacts"}
        for missing in sorted(wanted - data.keys()):
            raise self.loaded.fault((), f"{missing} is missing")
        for surplus in sorted(optional & data.keys()):
            raise self.loaded.fault((surplus,), f"{surplus} has no place in this card")

    def _voices(self) -> dict[str, Voice]:
        if self.rule is None:
            return {}
        said, declared = self.loaded.data["criteria"], self.rule.criteria
        for name in said:
            self._known(("criteria", name), name, declared, "criterion")
        for name in declared:
            if name not in said:
                raise self.loaded.fault(
                    ("criteria",), f"the criterion {name} is missing", ", ".join(declared)
                )
        return {name: self._voice(name, declared[name].words) for name in said}

    def _voice(self, name: str, words: Collection[str]) -> Voice:
        data, route = self.loaded.data["criteria"][name], ("criteria", name)
        known = self.loaded.data.get("suggestions", {})
        for index, suggestion in enumerate(data.get("suggest", ())):
            self._known((*route, "suggest", index), suggestion, known, "suggestion")
        self._template((*route, "unknown"), ())  # what is not known can quote no word
        own = "source" in data
        source, at = self._cited(route if own else (), data if own else self.loaded.data)
        return Voice(
            summary=self._template((*route, "summary"), words, summary=True),
            line=self._template((*route, "line"), words),
            unknown=" ".join(data["unknown"].split()),
            more=self._template((*route, "more"), words) if "more" in data else None,
            suggest=tuple(data.get("suggest", ())),
            source=source,
            at=at,
            cited=(source.title, at),
            links=_links(data),
        )

    def _cited(self, route: Route, data: Mapping[str, Any]) -> tuple[Source, str]:
        said, known = data["source"], self.knowledge.sources
        cited = self._known((*route, "source", "cite"), said["cite"], known, "source")
        return known[cited], said["at"]

    def _detail(self) -> Words | None:
        """The text around `lines`: the words common to all criteria, since any of them may lead."""
        source = self.loaded.data.get("detail")
        if source is None:
            return None
        words: set[str] = set(GATHERED_WORDS)
        if self.rule is not None:
            words = set.intersection(*(set(c.words) for c in self.rule.criteria.values()))
        template = self._template(("detail",), words | {"lines"})
        if not uses(source, "lines"):
            raise self.loaded.fault(
                ("detail",), "the detail leaves out what was found", "{{ lines }} somewhere"
            )
        return template

    def _suggestion(self, name: str) -> SuggestionFile:
        data, route = self.loaded.data["suggestions"][name], ("suggestions", name)
        assert self.rule is not None  # _sections lets only a card with a rule suggest
        asking = [
            c for c, said in self.loaded.data["criteria"].items() if name in said.get("suggest", ())
        ]
        if not asking:
            raise self.loaded.fault(route, "no criterion suggests it")
        words = set.intersection(*(set(self.rule.criteria[c].words) for c in asking))
        for member in ("update", "delete"):
            if member in data and not (member == "delete" and data[member] == OWN_DRAFT):
                self._known((*route, member), data[member], words, "word")
        for member in ("when", "start", "answers", "coverage"):
            if member in data:
                self._known((*route, member), data[member], words, "word")
        if "due" in data:
            every = set().union(*(c.words for c in self.rule.criteria.values()))
            self._known((*route, "due"), data["due"], every, "word")
        for index, order in enumerate(data.get("create", ())):
            self._known((*route, "create", index), order, self.orders, "order")
        label = self._template((*route, "label"), words, summary=True)
        described = "description" in data
        return SuggestionFile(
            id=name,
            label=label,
            description=self._template((*route, "description"), words, summary=True)
            if described
            else label,
            create=data.get("create", [""])[0],
            update=data.get("update", ""),
            delete=data.get("delete", ""),
            start=data.get("start", ""),
            due=data.get("due", ""),
            when=data.get("when", ""),
            answers=data.get("answers", ""),
            coverage=data.get("coverage", ""),
            recommended=data.get("recommended", False),
        )

    def _needs(self) -> Mapping[str, str]:
        needs: dict[str, str] = self.loaded.data.get("needs", {})
        for name in needs:
            self._known(("needs", name), name, [need.value for need in Need], "need")
        return needs

    def _known(self, route: Route, name: Any, known: Collection[str], kind: str) -> str:
        if name not in known:
            raise self.loaded.fault(
                route, f"unknown {kind} {name}", ", ".join(sorted(known)) or "none"
            )
        return str(name)

    def _template(self, route: Route, words: Collection[str], *, summary: bool = False) -> Words:
        source = self.loaded.data
        for step in route:
            source = source[step]
        try:
            return compiled(source, words, summary=summary, kinds=kinds_of(self.rule))
        except WordFault as fault:
            raise self.loaded.fault(route, fault.what, fault.allowed) from None
