"""One neutral answer and one discovery document, shaped for the client that asked. Pure.

The neutral form is what CDS Hooks 2.0 asks for. A profile only leaves out, renames or repeats what
is in it; advice that a client cannot draw as a button is kept as a line of the detail, so nothing
is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from cds_service.protocol.crd import crd_card, crd_chosen, crd_options
from cds_service.protocol.preference_list import (
    ORDERED,
    EntryOf,
    in_words,
    no_entry,
    with_entry,
)

Json = dict[str, Any]

_EPIC_CREATES = frozenset({"Condition"})  # besides orders that have an entry
_EPIC_DELETES = frozenset(ORDERED)
_EPIC_ANNOTATES = (
    "ServiceRequest"  # the one resource whose unsigned order a system action may update
)
_LONGEST_TOPIC = 100  # characters of a topic code that drives Epic's lock-out
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~&])")


class Profile(StrEnum):
    """How a client differs from the neutral form."""

    STRICT = "2.0"
    NEXT = "3.0"
    EPIC = "epic"
    ORACLE = "oracle"
    SANDBOX = "sandbox"
    CRD = "crd"


def shape(
    answer: Json,
    profile: Profile,
    *,
    drafts: Collection[str] = (),
    configuration: Mapping[str, bool | int] | None = None,
    entry_of: EntryOf = no_entry,
) -> Json:
    """The answer as a client of that profile reads it; `answer` itself is left as it is.

    `drafts` are the references of the draft orders; `configuration` is what the request asked for;
    `entry_of` gives a created order its entry in the site's preference list.
    """
    match profile:
        case Profile.STRICT | Profile.NEXT:
            return answer
        case Profile.EPIC:
            return _epic(answer, entry_of)
        case Profile.ORACLE:
            return {
                "cards": [_oracle_card(card) for card in answer["cards"]],
                **_rest(answer, "cards"),
            }
        case Profile.SANDBOX:
            return _sandbox(answer)
        case Profile.CRD:
            cards = [crd_card(card, drafts) for card in answer["cards"]]
            return {"cards": crd_chosen(cards, configuration or {}), **_rest(answer, "cards")}


def shape_discovery(document: Json, profile: Profile) -> Json:
    """The discovery document as a client of that profile reads it."""
    entries: list[Json] = document["services"]
    match profile:
        case Profile.NEXT:
            return {**document, "services": [{**entry, "version": "3.0.0"} for entry in entries]}
        case Profile.ORACLE:  # of CDS Hooks 1.0, and of its hooks the opening of a chart only
            old = [
                _rest(e, "version", "hookVersion") for e in entries if e["hook"] == "patient-view"
            ]
            return {**document, "services": old}
        case Profile.CRD:
            shaped = [{**e, "extension": crd_options(e["id"], e["hook"])} for e in entries]
            return {**document, "services": shaped}
        case _:
            return document


def topic_code(code: str) -> str:
    """A topic code of letters and digits only.

    >>> topic_code("opioid-use-disorder-treatment")
    'opioidUseDisorderTreatment'
    """
    first, *others = re.split(r"[^0-9A-Za-z]+", code)
    return "".join([first, *(word[:1].upper() + word[1:] for word in others)])[:_LONGEST_TOPIC]


def _epic(answer: Json, entry_of: EntryOf) -> Json:
    cards = [_epic_card(card, entry_of) for card in answer["cards"]]
    shaped = {"cards": cards, **_rest(answer, "cards", "systemActions")}
    notes = [action for action in answer.get("systemActions", ()) if _annotates(action)]
    return {**shaped, "systemActions": notes} if notes else shaped


def _epic_card(card: Json, entry_of: EntryOf) -> Json:
    """Any of the suggestions, one action each, of the kinds Epic performs; a topic that can
    lock out.
    """
    source = {**card["source"]}
    if "topic" in source:
        source["topic"] = {**source["topic"], "code": topic_code(source["topic"]["code"])}

    def performed(action: Json) -> Json | None:
        return _epic_action(action, entry_of)

    return _with_buttons({**card, "source": source}, performed, "any")


def _epic_action(action: Json, entry_of: EntryOf) -> Json | None:
    """The action as Epic performs it, or None; an order it creates is its entry and nothing
    else.
    """
    if action["type"] == "delete":
        return action if action["resourceId"].partition("/")[0] in _EPIC_DELETES else None
    if action["type"] != "create":
        return None
    resource = action["resource"]
    entry = entry_of(resource) if resource["resourceType"] in ORDERED else ""
    if entry:
        return {**action, "resource": with_entry(resource, entry)}
    return action if resource["resourceType"] in _EPIC_CREATES else None


def _annotates(action: Json) -> bool:
    return bool(
        action["type"] == "update" and action["resource"]["resourceType"] == _EPIC_ANNOTATES
    )


def _oracle_card(card: Json) -> Json:
    """CDS Hooks 1.0: one choice, new resources only, and links that hand no context over."""
    shaped = _with_buttons(card, _oracle_action, "at-most-one")
    shaped = _rest(shaped, "overrideReasons")
    if "suggestions" in shaped:
        shaped["suggestions"] = [_rest(each, "isRecommended") for each in shaped["suggestions"]]
    if "links" in shaped:
        shaped["links"] = [_rest(link, "appContext", "autolaunchable") for link in shaped["links"]]
    return shaped


def _oracle_action(action: Json) -> Json | None:
    return action if action["type"] == "create" else None


def _sandbox(answer: Json) -> Json:
    """The sandbox looks for system actions in the extension."""
    if "systemActions" not in answer:
        return answer
    extension = {**answer.get("extension", {}), "systemActions": answer["systemActions"]}
    return {**answer, "extension": extension}


def _with_buttons(card: Json, performed: Callable[[Json], Json | None], behavior: str) -> Json:
    """A card whose suggestions have one action each, as the client performs it; what it
    cannot perform becomes text.
    """
    if "suggestions" not in card:
        return card
    kept, by_hand = [], []
    for suggestion in card["suggestions"]:
        for each in _single(suggestion):
            actions = [performed(action) for action in each.get("actions", ())]
            if None in actions:
                by_hand.append(_words(each))
            else:
                kept.append({**each, "actions": actions} if actions else each)
    shaped = _rest(card, "suggestions", "selectionBehavior")
    if kept:
        shaped |= {"suggestions": kept, "selectionBehavior": behavior}
    if by_hand:
        listed = "\n".join(f"- {_plain(line)}" for line in dict.fromkeys(by_hand))
        shaped["detail"] = f"{card.get('detail', '')}\n\nTo do by hand:\n\n{listed}".strip()
    return shaped


def _single(suggestion: Json) -> Iterator[Json]:
    """A suggestion of several actions as one suggestion each; the first keeps the id."""
    actions = suggestion.get("actions", [])
    if len(actions) < 2:
        yield suggestion
        return
    for at, action in enumerate(actions):
        identity = suggestion["uuid"] if at == 0 else str(uuid5(UUID(suggestion["uuid"]), str(at)))
        label = action.get("description", suggestion["label"])
        yield {**suggestion, "uuid": identity, "label": label, "actions": [action]}


def _words(suggestion: Json) -> str:
    """What a button would have done, and of what it would have ordered whatever is not yet said."""
    actions = suggestion.get("actions", ())
    described = next(filter(None, (action.get("description") for action in actions)), "")
    said = str(described or suggestion["label"])
    created = (action["resource"] for action in actions if action["type"] == "create")
    parts = [part for resource in created for part in in_words(resource)]
    more = ", ".join(part for part in parts if part.casefold() not in said.casefold())
    return f"{said}: {more}" if more else said


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _MARKUP.sub(r"\\\1", text)


def _rest(members: Json, *names: str) -> Json:
    return {name: value for name, value in members.items() if name not in names}
