"""The draft orders of a call: what they and the open orders of two weeks order already, and a draft as a
suggestion changes it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from cds_service.clinical.facts import MERE_INTENT, Facts, Order, Request
from cds_service.knowledge.codes import Code
from cds_service.knowledge.model import Knowledge

# What tells orders of one type apart where no code does; the first that is there.
_SAID = ("code", "type", "questionnaire", "title", "description")
_CODED = ("code", "medicationCodeableConcept", "codeCodeableConcept")
_STANDS = timedelta(days=14)  # after that an open request may well be forgotten
_URGENCY = {"routine": 0, "urgent": 1, "asap": 2, "stat": 3}
Urgency = Mapping[Code, int]


@dataclass(frozen=True, slots=True)
class Drafted:
    """What the drafts of a call order, by resource type: their codes, each with the most urgent
    request for it, and what each says it is for, as written.
    """

    codes: Mapping[str, Urgency]
    written: Mapping[str, tuple[Any, ...]]

    def has(self, resource: Mapping[str, Any], codes: frozenset[Code]) -> bool:
        """Whether what a resource of these codes orders is among the drafts: same resource type and
        one code in common, or the same words (of a claim, the same type; of a form, the same
        questionnaire) where there is no code. What is less urgent is not the same.
        """
        kind = resource["resourceType"]
        if codes:
            found, least = self.codes.get(kind, {}), _urgency(resource.get("priority"))
            shared = codes.intersection(found)
            return bool(shared) and max(found[code] for code in shared) >= least
        return _written(resource) in self.written.get(kind, ())


def drafted_in(facts: Facts, drafts: Iterable[Mapping[str, Any]], knowledge: Knowledge) -> Drafted:
    """What is drafted in a chart, requested lately and still open, and in the draft orders as received."""
    codes: dict[str, dict[Code, int]] = {}
    written: dict[str, tuple[Any, ...]] = {}
    for raw in drafts:
        kind = str(raw.get("resourceType"))
        found = (knowledge.code(system, code) for system, code in codings(raw))
        _enter(codes.setdefault(kind, {}), found, _urgency(raw.get("priority")))
        written[kind] = (*written.get(kind, ()), _written(raw))
    unsigned = [order for order in facts.orders if order.draft or order.status == "draft"]
    known: tuple[Order | Request, ...] = (*unsigned, *facts.requests, *facts.devices)
    for fact in known:
        if fact.draft or _stands(fact, facts.as_of):
            urgency = _urgency(fact.priority) if isinstance(fact, Request) else 0
            _enter(codes.setdefault(fact.ref.partition("/")[0], {}), fact.codes, urgency)
    return Drafted(codes, written)


def _enter(known: dict[Code, int], codes: Iterable[Code], urgency: int) -> None:
    for code in codes:
        known[code] = max(urgency, known.get(code, urgency))


def _urgency(priority: Any) -> int:
    """A priority as a rank; one that is not said, or is none of FHIR's, is routine."""
    return _URGENCY.get(priority, 0) if isinstance(priority, str) else 0


def _stands(fact: Order | Request, as_of: date) -> bool:
    """Whether it is an open request, or an unsigned prescription, of the last days: what an accepted
    suggestion has become, and what would be ordered twice. Rules see to prescriptions that are signed.
    """
    waits = fact.open if isinstance(fact, Request) else fact.status == "draft"
    if not waits or fact.when is None:
        return False
    if fact.intent in MERE_INTENT:
        return False
    return as_of - _STANDS < fact.when.first and fact.when.last <= as_of


def _written(resource: Mapping[str, Any]) -> Any:
    """What a request without a known code says it is for."""
    return next(filter(None, map(resource.get, _SAID)), None)


def codings(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """System and code of what a request orders, whatever else is malformed."""
    for name in _CODED:
        concept = resource.get(name)
        codings = concept.get("coding") if isinstance(concept, dict) else None
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, dict):
                system, code = coding.get("system"), coding.get("code")
                if isinstance(system, str) and isinstance(code, str):
                    yield system, code


def changed(raw: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any] | None:
    """A draft as it was received with `changes` made at their member paths; None if a path leads
    nowhere.

    A number in a path is the place in a list. `None` as the new value takes the member out. What no
    path leads through is the draft's own, not a copy.

    >>> changed({"a": [{"b": 1, "c": 2}]}, {"a.0.b": 3, "a.0.c": None, "d.e": 4})
    {'a': [{'b': 3}], 'd': {'e': 4}}
    """
    resource = dict(raw)
    copied: dict[str, Any] = {"": resource}
    for path, new in changes.items():
        way, _, last = path.rpartition(".")
        place = _copied(copied, way)
        if copied.pop(path, None) is not None:  # what this change replaces, and all below it
            copied = {"": resource}
        if isinstance(place, list) and last.isdigit() and int(last) < len(place):
            place[int(last)] = as_json(new)
        elif not isinstance(place, dict):
            return None
        elif new is None:
            place.pop(last, None)
        else:
            place[last] = as_json(new)
    return resource


def _copied(copied: dict[str, Any], way: str) -> Any:
    """The copy at the end of a way; each place on it is copied once."""
    if way not in copied:
        before, _, step = way.rpartition(".")
        copied[way] = _down(_copied(copied, before), step)
    return copied[way]


def _down(place: Any, step: str) -> Any:
    """A copy, put into `place`, of its member or item `step`; an absent member of an object is
    made.
    """
    if isinstance(place, dict) and not step.isdigit():
        place[step] = copy.copy(place.get(step, {}))
        return place[step]
    if isinstance(place, list) and step.isdigit() and int(step) < len(place):
        place[int(step)] = copy.copy(place[int(step)])
        return place[int(step)]
    return None


def as_json(value: Any) -> Any:
    """The value as JSON knows it."""
    match value:
        case Mapping():
            return {str(name): as_json(member) for name, member in value.items()}
        case list() | tuple():
            return [as_json(item) for item in value]
        case Decimal() | Fraction():
            return int(value) if value == int(value) else float(value)
        case date():
            return value.isoformat()
        case _:
            return value
