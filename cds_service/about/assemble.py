"""A card's page made from its rule, its words, the numbers and codes it uses and its worked
cases. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cds_service.about.attributes import attributes
from cds_service.about.model import (
    About,
    Cited,
    CodeSet,
    Grounds,
    Input,
    Listed,
    Reason,
    SetAside,
    Spoken,
    Step,
)
from cds_service.about.numbers import thresholds
from cds_service.about.words import Doc, doc_of, readable
from cds_service.card_files import COULD_NOT_CHECK, CardFile
from cds_service.clinical.evaluate import needs_of
from cds_service.clinical.exclusions import Exclusions, exclusions
from cds_service.clinical.facts import Need
from cds_service.clinical.mme import daily_mme
from cds_service.clinical.red_flags import emergency
from cds_service.clinical.rule import Rule, all_reasoning, reasoning_of
from cds_service.knowledge.codes import ValueSet
from cds_service.protocol.services import SERVICES

ALWAYS = (
    "Data that could not be obtained count as unknown, never as absent: the reason is shown as not known, "
    "and a check that could have warned is named on the card “Checks not run”.",
    "What could not be read, or belongs to another patient, is left out, counted and reported.",
)
LIMITS = (
    "For health professionals. It supports their judgement and does not replace it: options, never commands.",
    "Fixed logic from published guidance and payer documents. No trained model, no learning from patients.",
    "It sees coded data and structured orders; notes, images and what was never recorded are not seen.",
)
_EMERGENCY = "Routine advice is silent while the chart shows an emergency red flag."


def index(grounds: Grounds) -> tuple[Listed, ...]:
    """Every card, in the order services speak them, then those that gather others."""
    return tuple(_listed(grounds, card) for card in card_order(grounds.library.cards))


def card_order(cards: Iterable[str]) -> tuple[str, ...]:
    """Card ids in the order services speak them, the others after them."""
    known = tuple(cards)
    spoken = dict.fromkeys(
        c for service in SERVICES for cards in service.cards.values() for c in cards
    )
    return (*(c for c in spoken if c in known), *sorted(c for c in known if c not in spoken))


def about(card: str, grounds: Grounds) -> About:
    """Everything that can be told about a card. Raises KeyError for one that does not exist."""
    file, rule = grounds.library.cards[card], grounds.rules.get(card)
    doc = doc_of(rule.doc) if rule else Doc(_gathering(card), (), "")
    numbers = thresholds(rule, grounds)
    sets = _sets(rule, grounds)
    cited = _cited(file, doc, [(n.source, n.at) for n in numbers], grounds)
    factors = grounds.knowledge.factors
    return About(
        card=card,
        title=file.title,
        audience=file.audience,
        purpose=doc.purpose,
        reasoning="\n\n".join(doc.body),
        version=grounds.maker.version,
        knowledge=grounds.knowledge.version,
        as_of=grounds.as_of,
        source=Cited(file.source, (file.at,)),
        services=_spoken(card, rule),
        attributes=attributes(rule, grounds.maker, cited, numbers, sets),
        citations=cited,
        inputs=_inputs(rule, grounds),
        thresholds=numbers,
        factors=f"{factors.label} ({factors.id})" if rule and _reasons(rule, daily_mme) else "",
        value_sets=tuple(_code_set(values) for values in sets),
        steps=tuple(_steps(rule)),
        exclusions=_exclusions(rule, doc, grounds) if rule else (),
        unknown=(*doc.unknown(), *ALWAYS),
        criteria=tuple(_criterion(name, file, rule, grounds) for name in rule.criteria)
        if rule
        else (),
        gathers=_gathers(card),
        override_reasons=tuple(
            SetAside(r.display, r.system, r.code, r.snooze_days) for r in file.override_reasons
        ),
        links=file.all_links,
        cases=grounds.cases.get(card, ()),
        limits=LIMITS,
        contact=grounds.maker.contact,
    )


def _listed(grounds: Grounds, card: str) -> Listed:
    file, rule = grounds.library.cards[card], grounds.rules.get(card)
    services = tuple(spoken.service for spoken in _spoken(card, rule))
    worst = rule.worst.value if rule else ""
    return Listed(
        card, file.title, file.audience, worst, services, len(grounds.cases.get(card, ()))
    )


def _spoken(card: str, rule: Rule | None) -> tuple[Spoken, ...]:
    """The services and hooks on which a card can appear."""
    found = []
    for service in SERVICES:
        if rule is None:
            hooks = service.hooks if card in (service.folding, COULD_NOT_CHECK) else ()
        else:
            hooks = tuple(
                h for h, cards in service.cards.items() if card in cards and h in rule.hooks
            )
        if hooks:
            found.append(Spoken(service.id, service.title, hooks))
    return tuple(found)


def _gathering(card: str) -> str:
    if card == COULD_NOT_CHECK:
        return "Names checks that could have warned but could not be run, so that silence is no all-clear."
    return "Gathers points that need no card of their own, so that visits meet few cards; nothing is lost."


def _gathers(card: str) -> tuple[str, ...]:
    """The cards whose points a card without a rule may carry."""
    return tuple(
        dict.fromkeys(
            c
            for service in SERVICES
            if card in (service.folding, COULD_NOT_CHECK)
            for cards in service.cards.values()
            for c in cards
        )
    )


def _cited(
    file: CardFile, doc: Doc, places: Iterable[tuple[str, str]], grounds: Grounds
) -> tuple[Cited, ...]:
    """The card's sources first, then those of its reasoning and of its numbers."""
    sources = grounds.knowledge.sources
    found: dict[str, list[str]] = {}
    for source, at in file.all_cited:
        found.setdefault(source.id, []).append(at)
    for part in doc.source.split("; "):
        name = re.split(r"[,\s]", part.strip(), maxsplit=1)[0]
        if name in sources:
            found.setdefault(name, []).append(part.strip()[len(name) :].strip(" ,"))
    for name, at in places:
        found.setdefault(name, []).append(at)
    return tuple(
        Cited(sources[name], tuple(dict.fromkeys(a for a in at if a))) for name, at in found.items()
    )


def _inputs(rule: Rule | None, grounds: Grounds) -> tuple[Input, ...]:
    if rule is None:
        return ()
    words, needed = grounds.library.cards[COULD_NOT_CHECK].needs, rule.all_needs
    drafts = (
        ()
        if rule.hooks == ("patient-view",)
        else (Input("context.draftOrders", "orders being signed", True),)
    )
    read = needs_of(rule)
    return (
        *drafts,
        *(
            Input(need.value, words.get(need.value, need.value), need in needed)
            for need in Need
            if need in read
        ),
    )


def _sets(rule: Rule | None, grounds: Grounds) -> tuple[ValueSet, ...]:
    names = sorted(rule.all_codes) if rule else ()
    return tuple(grounds.knowledge.valueset(name) for name in names)


def _code_set(values: ValueSet) -> CodeSet:
    left_out = len(values.without) + len(values.without_prefixes)
    return CodeSet(
        values.name, values.says, values.source, len(values.exact), len(values.prefixes), left_out
    )


def _steps(rule: Rule | None) -> Iterable[Step]:
    """What shared reasoning says of itself, by name."""
    found = {r.function.__name__: r.function for r in all_reasoning(rule.uses)} if rule else {}
    for name in sorted(found):
        doc = doc_of(found[name].__doc__ or "")
        yield Step(name.replace("_", " "), " ".join((doc.purpose, *doc.body)))


def _reasons(rule: Rule, function: Callable[..., Any]) -> bool:
    return any(each.function is function for each in all_reasoning(rule.uses))


def _exclusions(rule: Rule, doc: Doc, grounds: Grounds) -> tuple[str, ...]:
    """When the card is silent: what its rule says, the opioid exclusions, emergencies, payers."""
    found = list(doc.silent())
    if _reasons(rule, exclusions):
        found.append(" ".join((Exclusions.care.__doc__ or "").split()))
        sets = [grounds.knowledge.valueset(name) for name in sorted(reasoning_of(exclusions).codes)]
        left_out = [values for values in sets if values.name.endswith("-exclude")]
        found.append(f"Looked for in the chart: {_says(v for v in sets if v not in left_out)}.")
        found.append(f"Not counted as such: {_says(left_out)}.")
    if rule.routine and not _reasons(rule, emergency):
        found.append(_EMERGENCY)
    for names, payers in _gates(rule, grounds).items():
        who = " or ".join(payers) or "no payer on file"
        found.append(f"Only for members of {who}: {', '.join(names)}.")
    return tuple(found)


def _says(sets: Iterable[ValueSet]) -> str:
    """What value sets are, in one sentence."""
    return "; ".join(
        says[:1].lower() + says[1:].rstrip(".") for says in (values.says for values in sets) if says
    )


def _gates(rule: Rule, grounds: Grounds) -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """Gated criteria, those of the same payers together."""
    by_payers: dict[tuple[str, ...], list[str]] = {}
    for name, declared in rule.criteria.items():
        if declared.gated:
            by_payers.setdefault(_turned_on(name, grounds), []).append(name)
    return {tuple(names): payers for payers, names in by_payers.items()}


def _turned_on(criterion: str, grounds: Grounds) -> tuple[str, ...]:
    return tuple(payer.name for payer in grounds.knowledge.payers if criterion in payer.turns_on)


def _criterion(name: str, file: CardFile, rule: Rule, grounds: Grounds) -> Reason:
    said = file.said.get("criteria", {}).get(name, {})
    buttons = file.said.get("suggestions", {})
    declared = rule.criteria[name]
    return Reason(
        name=name,
        worst=declared.worst.value,
        summary=readable(said.get("summary", "")),
        line=readable(said.get("line", "")),
        unknown=" ".join(str(said.get("unknown", "")).split()),
        buttons=tuple(readable(buttons[button]["label"]) for button in said.get("suggest", ())),
        routine=declared.routine,
        payers=_turned_on(name, grounds),
        gated=declared.gated,
    )
