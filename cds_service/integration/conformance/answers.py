"""The answer itself: its frame, its cards, their suggestions, actions and links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cds_service.integration.conformance.check import Json, Level, Skip, Subject, check
from cds_service.integration.remote import Reply, objects

_MAY_BE_EMPTY = frozenset({"services", "cards"})
_LONGEST_SUMMARY = 139  # characters, fewer than 140


def _spoken(subject: Subject) -> Iterator[tuple[str, Reply]]:
    yield "discovery", subject.remote.discover()
    for entry, reply in subject.replies():
        yield f"{entry['id']} on {entry['hook']}", reply


@check("JSON-1", "Every answer is strict JSON and says so")
def strict(subject: Subject) -> Iterator[str]:
    for name, reply in _spoken(subject):
        if not reply.headers.get("content-type", "").startswith("application/json"):
            yield f"{name}: Content-Type is not application/json"
        try:
            reply.json()
        except ValueError as error:
            yield f"{name}: {error}"


@check("JSON-3", "Nothing is null or empty that could be left out")
def no_empties(subject: Subject) -> Iterator[str]:
    for name, reply in _spoken(subject):
        yield from (f"{name}: {where}" for where in _empties(reply.object, "", top=True))


def _empties(value: Any, where: str, *, top: bool = False) -> Iterator[str]:
    if isinstance(value, dict):
        for member, held in value.items():
            path = f"{where}.{member}".lstrip(".")
            if held in (None, "", [], {}) and not isinstance(held, bool | int):
                if not (top and member in _MAY_BE_EMPTY):
                    yield path
            else:
                yield from _empties(held, path)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _empties(each, f"{where}.{index}")


@check("RES-1", "A whole request is answered 200 with a list of cards")
def frame(subject: Subject) -> Iterator[str]:
    for entry, reply in subject.replies():
        name = f"{entry['id']} on {entry['hook']}"
        if reply.status != 200:
            yield f"{name}: status {reply.status}"
        elif not isinstance(reply.object.get("cards"), list):
            yield f"{name}: cards is not a list"
        elif not all(isinstance(card, dict) for card in reply.object["cards"]):
            yield f"{name}: a card is no object"


@check("CARD-1", "Cards and suggestions have ids of their own", Level.SHOULD)
def own_ids(subject: Subject) -> Iterator[str]:
    seen: set[str] = set()
    for where, each in _named(subject):
        identity = each.get("uuid")
        if not isinstance(identity, str) or not identity:
            yield f"{where}: no uuid"
        elif identity in seen:
            yield f"{where}: its uuid stands elsewhere too"
        else:
            seen.add(identity)


def _named(subject: Subject) -> Iterator[tuple[str, Json]]:
    for entry, reply in subject.replies():
        for index, card in enumerate(objects(reply.object.get("cards"))):
            where = f"{entry['id']} on {entry['hook']}: card {index}"
            yield where, card
            yield from ((where, each) for each in objects(card.get("suggestions")))


@check("CARD-2", "A summary has fewer than 140 characters")
def summaries(subject: Subject) -> Iterator[str]:
    for where, card in subject.cards():
        summary = card.get("summary")
        if not isinstance(summary, str) or not 1 <= len(summary) <= _LONGEST_SUMMARY:
            yield where


@check("CARD-4", "An indicator is info, warning or critical")
def indicators(subject: Subject) -> Iterator[str]:
    for where, card in subject.cards():
        if card.get("indicator") not in ("info", "warning", "critical"):
            yield where


@check("CARD-5", "A source has a label, and its addresses are absolute")
def sources(subject: Subject) -> Iterator[str]:
    for where, card in subject.cards():
        source = card.get("source")
        if not isinstance(source, dict) or not source.get("label"):
            yield f"{where}: no label"
            continue
        for member in ("url", "icon"):
            if member in source and "://" not in str(source[member]):
                yield f"{where}: {member} is not absolute"


@check("CARD-6", "A source has a topic with system and code", Level.SHOULD)
def topics(subject: Subject) -> Iterator[str]:
    for where, card in subject.cards():
        source = card.get("source")
        topic = source.get("topic") if isinstance(source, dict) else None
        if not isinstance(topic, dict) or not topic.get("system") or not topic.get("code"):
            yield where


@check("CARD-8", "A selection behaviour stands exactly when there are suggestions")
def choices(subject: Subject) -> Iterator[str]:
    for where, card in subject.cards():
        behavior = card.get("selectionBehavior")
        if bool(card.get("suggestions")) != (behavior is not None):
            yield where
        elif behavior not in (None, "any", "at-most-one"):
            yield f"{where}: {behavior}"


@check("CARD-9", "Override reasons have code, system and display")
def override_reasons(subject: Subject) -> Iterator[str]:
    for where, card in subject.cards():
        for reason in objects(card.get("overrideReasons")):
            if not all(reason.get(member) for member in ("code", "system", "display")):
                yield where


def _suggestions(subject: Subject) -> Iterator[tuple[str, Json, Json]]:
    found = [
        (where, card, each)
        for where, card in subject.cards()
        for each in objects(card.get("suggestions"))
    ]
    if not found:
        raise Skip("no card has suggestions")
    yield from found


@check("SUG-1", "A suggestion has a label")
def labels(subject: Subject) -> Iterator[str]:
    for where, _card, suggestion in _suggestions(subject):
        if not suggestion.get("label"):
            yield where


@check("SUG-3", "At most one suggestion is recommended where one can be chosen")
def recommended(subject: Subject) -> Iterator[str]:
    for where, card, _ in _suggestions(subject):
        many = sum(bool(each.get("isRecommended")) for each in objects(card["suggestions"]))
        if card.get("selectionBehavior") == "at-most-one" and many > 1:
            yield where


def _actions(subject: Subject) -> Iterator[tuple[str, Json]]:
    found = [
        (where, action)
        for where, _, each in _suggestions(subject)
        for action in objects(each.get("actions"))
    ]
    if not found:
        raise Skip("no suggestion has actions")
    yield from found


@check("ACT-1", "An action creates, updates or deletes")
def action_types(subject: Subject) -> Iterator[str]:
    for where, action in _actions(subject):
        if action.get("type") not in ("create", "update", "delete"):
            yield where


@check("ACT-2", "An action has a description")
def described(subject: Subject) -> Iterator[str]:
    for where, action in _actions(subject):
        if not action.get("description"):
            yield where


@check("ACT-3", "An action that creates or updates holds the whole resource")
def whole_resources(subject: Subject) -> Iterator[str]:
    for where, action in _actions(subject):
        resource = action.get("resource")
        if action.get("type") in ("create", "update") and (
            not isinstance(resource, dict) or not resource.get("resourceType")
        ):
            yield where


@check("ACT-5", "An action that deletes names the resource", Level.SHOULD)
def deletes(subject: Subject) -> Iterator[str]:
    for where, action in _actions(subject):
        if action.get("type") == "delete" and ("resourceId" not in action or "resource" in action):
            yield where


@check("LNK-1", "A link has a label, an absolute address and a type")
def links(subject: Subject) -> Iterator[str]:
    for where, card in subject.cards():
        for link in objects(card.get("links")):
            if not link.get("label") or "://" not in str(link.get("url")):
                yield where
            if link.get("type") not in ("absolute", "smart"):
                yield f"{where}: type {link.get('type')}"


@check("LNK-2", "Only a link to a SMART app hands context over")
def app_context(subject: Subject) -> Iterator[str]:
    for where, card in subject.cards():
        for link in objects(card.get("links")):
            if "appContext" in link and link.get("type") != "smart":
                yield where


@check("SYS-2", "A system action has a description", Level.SHOULD)
def system_actions(subject: Subject) -> Iterator[str]:
    found = [
        a for _, reply in subject.replies() for a in objects(reply.object.get("systemActions"))
    ]
    if not found:
        raise Skip("no system actions")
    yield from ("a system action" for action in found if not action.get("description"))
