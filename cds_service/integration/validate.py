"""Check one message, resource or card file: against CDS Hooks, the JSON Schemas and FHIR R4."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cds_service.cases.validity import faults_of as resource_faults
from cds_service.cases.validity import invalid
from cds_service.errors import BadRequest, CdsError, KnowledgeError
from cds_service.integration.remote import Reply
from cds_service.protocol.feedback import read_feedback
from cds_service.protocol.linter import lint, lint_discovery
from cds_service.protocol.messages import read_request
from cds_service.protocol.services import SERVICES

Json = dict[str, Any]
_NOW = datetime(2000, 1, 1, tzinfo=UTC)  # stands for a time that was not sent


class NotReadable(CdsError):
    """A file that is neither JSON nor a card."""


class Kind(StrEnum):
    """What a file can be."""

    REQUEST = "request"
    RESPONSE = "response"
    DISCOVERY = "discovery"
    FEEDBACK = "feedback"
    RESOURCE = "resource"
    CARD = "card"


def validate(file: Path, request: Path | None = None) -> tuple[Kind, list[str]]:
    """What a file is, and everything wrong with it; `request` is the call that a response answers.

    Raises NotReadable.
    """
    if file.suffix in (".yaml", ".yml"):
        return Kind.CARD, card_faults(file)
    message = _object(file)
    try:
        kind = kind_of(message)
    except NotReadable as fault:
        raise NotReadable(f"{file.name}: {fault}") from None
    match kind:
        case Kind.REQUEST:
            return kind, request_faults(message)
        case Kind.RESPONSE:
            return kind, response_faults(message, _object(request) if request else None)
        case Kind.DISCOVERY:
            return kind, lint_discovery(message)
        case Kind.FEEDBACK:
            return kind, feedback_faults(message)
        case _:
            return kind, resource_faults(message)


def kind_of(message: Mapping[str, Any]) -> Kind:
    """What a message is, by the member that only its kind has. Raises NotReadable."""
    for member, kind in (
        ("resourceType", Kind.RESOURCE),
        ("hook", Kind.REQUEST),
        ("context", Kind.REQUEST),
        ("cards", Kind.RESPONSE),
        ("systemActions", Kind.RESPONSE),
        ("services", Kind.DISCOVERY),
        ("feedback", Kind.FEEDBACK),
    ):
        if member in message:
            return kind
    raise NotReadable(
        "neither a request, a response, a discovery document, feedback nor a FHIR resource"
    )


def request_faults(message: Json) -> list[str]:
    """What is wrong with a request, and with each resource in its context and prefetch."""
    try:
        read = read_request(json.dumps(message).encode())
    except BadRequest as fault:
        return str(fault).split("; ")
    found = list(read.notes)
    if read.hook not in {hook for offer in SERVICES for hook in offer.hooks}:
        found.append(f"hook: no service answers {read.hook}")
    if read.stripped:
        found.append("context.draftOrders: is missing on an order hook")
    for where, resource in _resources(message):
        found += [f"{where}: {fault}" for fault in resource_faults(resource)]
    return found


def response_faults(message: Json, request: Json | None = None) -> list[str]:
    """What is wrong with an answer; without its request, drafts that it changes are taken
    to exist.
    """
    hook, drafts = SERVICES[0].hooks[0], _presumed(message)
    if request is not None:
        hook, drafts = (
            str(request.get("hook")),
            (request.get("context") or {}).get("draftOrders") or {},
        )
    return [*lint(message, hook, drafts), *invalid(message)]


def feedback_faults(message: Json) -> list[str]:
    """What is wrong with a batch of feedback."""
    try:
        batch = read_feedback(json.dumps(message).encode(), _NOW)
    except BadRequest as fault:
        return str(fault).split("; ")
    return [
        f"{number} items {what}"
        for number, what in (
            (batch.malformed, "could not be read"),
            (batch.undated, "have an outcomeTimestamp that is not RFC 3339"),
        )
        if number
    ]


def card_faults(file: Path) -> list[str]:
    """What is wrong with a card or order file, put in the place of its namesake."""
    from cds_service.card_check import check
    from cds_service.cards import CardLibrary
    from cds_service.clinical.rules import load_rules
    from cds_service.knowledge.loader import load_knowledge
    from cds_service.shipped import shipped

    with TemporaryDirectory() as name:
        overlay = Path(name)
        is_order = (
            shipped("cards") / "orders" / file.name
        ).is_file() or file.parent.name == "orders"
        place = overlay / "orders" if is_order else overlay
        place.mkdir(exist_ok=True)
        (place / file.name).write_bytes(file.read_bytes())
        try:
            found = check(
                CardLibrary.load(shipped("cards"), load_knowledge(), load_rules(), overlay)
            )
        except KnowledgeError as fault:
            found = [fault]
    return [str(fault).replace(f"{overlay}/", "") for fault in found]


def _object(file: Path) -> Json:
    try:
        read = Reply(200, {}, file.read_bytes(), 0.0).json()
    except OSError as error:
        raise NotReadable(f"{file.name}: {error.strerror}") from None
    except ValueError as error:
        raise NotReadable(f"{file.name}: not strict JSON: {error}") from None
    if not isinstance(read, dict):
        raise NotReadable(f"{file.name}: not a JSON object")
    return read


def _resources(message: Json) -> Iterator[tuple[str, Json]]:
    """Every resource of a request and where it stands; those of a bundle one by one."""
    context, prefetch = message.get("context") or {}, message.get("prefetch") or {}
    held = [("context.draftOrders", context.get("draftOrders"))]
    held += [(f"prefetch.{key}", value) for key, value in prefetch.items()]
    for where, value in held:
        if not isinstance(value, dict):
            continue
        if value.get("resourceType") != "Bundle":
            yield where, value
            continue
        for index, entry in enumerate(value.get("entry") or ()):
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(resource, dict):
                yield f"{where}.entry.{index}", resource


def _presumed(message: Json) -> Json:
    """The draft orders that an answer updates or deletes, as a bundle."""
    drafts: list[Json] = []
    for card in message.get("cards") or ():
        for suggestion in card.get("suggestions") or () if isinstance(card, dict) else ():
            for action in suggestion.get("actions") or () if isinstance(suggestion, dict) else ():
                if action.get("type") == "update" and isinstance(action.get("resource"), dict):
                    drafts.append(action["resource"])
                elif action.get("type") == "delete" and "/" in str(action.get("resourceId")):
                    kind, _, identity = action["resourceId"].partition("/")
                    drafts.append({"resourceType": kind, "id": identity})
    return {"resourceType": "Bundle", "entry": [{"resource": draft} for draft in drafts]}
