"""The FHIR requests that suggestions create, and the changes they make to a draft order."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from cds_service.card_text import clean
from cds_service.clinical.facts import Condition, Facts, Order, Request
from cds_service.knowledge.codes import Code
from cds_service.knowledge.model import Knowledge
from cds_service.knowledge.strict_yaml import Loaded, Route

PLACEHOLDERS = ("$subject", "$encounter", "$requester", "$as_of", "$reasons", "$due", "$performer")
STATUSES: Mapping[str, tuple[str, ...]] = {
    "MedicationRequest": ("draft",),
    "ServiceRequest": ("draft",),
    "DeviceRequest": ("draft",),
    "CommunicationRequest": ("draft",),
    "Task": ("draft",),
    "CarePlan": ("draft",),
    "QuestionnaireResponse": ("completed", "in-progress"),
}
MOST_REASONS = 5
REASON_TEXT_LIMIT = 200
_CODED = ("code", "medicationCodeableConcept", "codeCodeableConcept")
_CODE = re.compile(r"\S+( \S+)*")  # what FHIR takes for a code
_GONE: Any = object()


@dataclass(frozen=True, slots=True)
class OrderTemplate:
    """An R4 resource with placeholders; `codes` say what is ordered."""

    name: str
    resource: Mapping[str, Any]
    codes: frozenset[Code]

    @property
    def kind(self) -> str:
        """The resource type."""
        return str(self.resource["resourceType"])

    @property
    def needs_subject(self) -> bool:
        """Whether the order names the patient; without one it cannot be offered."""
        return "$subject" in _texts(self.resource)


def order_template(name: str, loaded: Loaded, knowledge: Knowledge) -> OrderTemplate:
    """Check an order file. Raises KnowledgeError."""
    resource = loaded.data
    if not isinstance(resource, dict) or resource.get("resourceType") not in STATUSES:
        raise loaded.fault(("resourceType",), "not a request that a suggestion creates", ", ".join(STATUSES))
    allowed = STATUSES[resource["resourceType"]]
    if resource.get("status") not in allowed:
        raise loaded.fault(("status",), "the status of an order file", " or ".join(allowed))
    if "id" in resource:
        raise loaded.fault(("id",), "an id in an order file", "none: the EHR gives it")
    for route, text in _strings(resource, ()):
        if text.startswith("$") and text not in PLACEHOLDERS:
            raise loaded.fault(route, f"unknown placeholder {text}", ", ".join(PLACEHOLDERS))
    codes = frozenset(knowledge.code(system, code) for system, code in _codings(resource))
    return OrderTemplate(name, _json(resource), codes)


def _strings(value: Any, route: Route) -> Iterator[tuple[Route, str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _strings(member, (*route, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*route, index))
    elif isinstance(value, str):
        yield route, value


def _texts(value: Any) -> frozenset[str]:
    return frozenset(text for _, text in _strings(value, ()))


def _json(value: Any) -> Any:
    """The value as JSON knows it."""
    match value:
        case Mapping():
            return {str(name): _json(member) for name, member in value.items()}
        case list() | tuple():
            return [_json(item) for item in value]
        case Decimal() | Fraction():
            return int(value) if value == int(value) else float(value)
        case date():
            return value.isoformat()
        case _:
            return value


def filled(template: OrderTemplate, values: Mapping[str, Any]) -> dict[str, Any]:
    """The resource with each placeholder replaced by its whole value, or left out when there is none."""
    resource: dict[str, Any] = _filled(template.resource, values)
    return resource


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        if not value.startswith("$"):
            return value
        found = values.get(value)
        return copy.deepcopy(found) if found else _GONE
    if isinstance(value, dict):
        members = {name: _filled(member, values) for name, member in value.items()}
        return {name: member for name, member in members.items() if member is not _GONE} or _GONE
    if isinstance(value, list):
        items = [_filled(item, values) for item in value]
        return [item for item in items if item is not _GONE] or _GONE
    return value


def changed(raw: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any] | None:
    """A draft as it was received with `changes` made at their member paths; None if a path leads nowhere.

    A number in a path is the place in a list. `None` as the new value takes the member out.

    >>> changed({"a": [{"b": 1, "c": 2}]}, {"a.0.b": 3, "a.0.c": None, "d.e": 4})
    {'a': [{'b': 3}], 'd': {'e': 4}}
    """
    resource: dict[str, Any] = copy.deepcopy(dict(raw))
    for path, new in changes.items():
        *way, last = path.split(".")
        place: Any = resource
        for step in way:
            place = _down(place, step)
        if isinstance(place, list) and last.isdigit() and int(last) < len(place):
            place[int(last)] = _json(new)
        elif not isinstance(place, dict):
            return None
        elif new is None:
            place.pop(last, None)
        else:
            place[last] = _json(new)
    return resource


def _down(place: Any, step: str) -> Any:
    """The member or item `step` of `place`; an absent member of an object is made."""
    if isinstance(place, dict):
        return place.setdefault(step, {})
    if isinstance(place, list) and step.isdigit() and int(step) < len(place):
        return place[int(step)]
    return None


def already_drafted(
    template: OrderTemplate, facts: Facts, drafts: Mapping[str, Mapping[str, Any]], knowledge: Knowledge
) -> bool:
    """Whether the same thing is among the drafts: same resource type and one code in common."""
    for raw in drafts.values():
        if raw.get("resourceType") == template.kind and any(
            knowledge.code(system, code) in template.codes for system, code in _codings(raw)
        ):
            return True
    known: tuple[Order | Request, ...] = (*facts.drafts, *facts.requests, *facts.devices)
    return any(
        fact.draft and fact.ref.startswith(template.kind + "/") and not template.codes.isdisjoint(fact.codes)
        for fact in known
    )


def _codings(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """System and code of what a request orders, whatever else is malformed."""
    for name in _CODED:
        concept = resource.get(name)
        codings = concept.get("coding") if isinstance(concept, dict) else None
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, dict):
                system, code = coding.get("system"), coding.get("code")
                if isinstance(system, str) and isinstance(code, str):
                    yield system, code


def reasons_of(references: Iterable[str], facts: Facts, knowledge: Knowledge) -> list[dict[str, Any]]:
    """Why the order is made, as CodeableConcepts: the conditions of `references`, else the reasons of their orders."""
    wanted = tuple(references)
    conditions = {condition.ref: condition for condition in facts.conditions}
    found = [_concept(conditions[ref], knowledge) for ref in wanted if ref in conditions]
    if not found:
        ordered: tuple[Order | Request, ...] = (*facts.orders, *facts.requests)
        for fact in ordered:
            if fact.ref in wanted:
                found += [_concept(conditions[ref], knowledge) for ref in fact.reason_refs if ref in conditions]
                codes = (code for code in sorted(fact.reasons) if _CODE.fullmatch(code.code))
                found += [{"coding": [_coding(code, knowledge)]} for code in codes]
    kept = [reason for index, reason in enumerate(found) if reason and reason not in found[:index]]
    return kept[:MOST_REASONS]


def _concept(condition: Condition, knowledge: Knowledge) -> dict[str, Any]:
    concept: dict[str, Any] = {}
    codings = [_coding(code, knowledge) for code in sorted(condition.codes) if _CODE.fullmatch(code.code)]
    if codings:
        concept["coding"] = codings
    text = clean(condition.text, REASON_TEXT_LIMIT)
    if text:
        concept["text"] = text
    return concept


def _coding(code: Code, knowledge: Knowledge) -> dict[str, str]:
    """A code as FHIR writes it; ICD-10-CM gets its dot back."""
    text = code.code
    if code.system == "ICD10CM" and len(text) > 3:
        text = f"{text[:3]}.{text[3:]}"
    system = knowledge.system_urls.get(code.system, code.system)
    return {"system": system, "code": text} if ":" in system else {"code": text}
