"""The FHIR requests that suggestions create."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.card_drafts import as_json, codings
from cds_service.card_text import clean
from cds_service.clinical.facts import Condition, Facts
from cds_service.knowledge.codes import Code
from cds_service.knowledge.model import Knowledge
from cds_service.knowledge.strict_yaml import Loaded, Route

PLACEHOLDERS = (
    "$subject",
    "$encounter",
    "$requester",
    "$as_of",
    "$reasons",
    "$reason",
    "$results",
    "$basis",
    "$conditions",
    "$start",
    "$due",
    "$performer",
    "$answers",
    "$coverage",
    "$provider",
    "$diagnoses",
)
DEMANDED = frozenset({"$subject", "$coverage", "$provider"})  # FHIR requires what they stand for
STATUSES: Mapping[str, tuple[str, ...]] = {
    "MedicationRequest": ("draft",),
    "ServiceRequest": ("draft",),
    "DeviceRequest": ("draft",),
    "CommunicationRequest": ("draft",),
    "Task": ("draft",),
    "CarePlan": ("draft",),
    "Appointment": ("proposed",),
    "Claim": ("draft",),
    "QuestionnaireResponse": ("completed", "in-progress"),
}
MOST_REASONS = 5
REASON_TEXT_LIMIT = 200
_NO_BASIS = frozenset({"Condition", "Patient", "Coverage"})
_CODE = re.compile(r"\S+( \S+)*")  # what FHIR takes for a code
Fill = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class OrderTemplate:
    """An R4 resource with placeholders; `codes` say what is ordered, `kind` is its resource type.

    `asks`: its placeholders, `demands` those (patient, cover, provider) without which it is not valid,
    and not offered. `known_by`: the codes by which two orders are the same; the code of a task names a kind
    of work that many tasks share, so a task is known by its words.
    """

    name: str
    resource: Mapping[str, Any]
    codes: frozenset[Code]
    asks: frozenset[str]
    # Makes the order; parts of `resource` without a placeholder are shared, not copied.
    fill: Fill = field(init=False, compare=False, repr=False)
    kind: str = field(init=False, compare=False, repr=False)
    known_by: frozenset[Code] = field(init=False, compare=False, repr=False)
    demands: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        resource = self.resource
        kind = str(resource["resourceType"])
        object.__setattr__(self, "fill", _filling(resource) or (lambda _: dict(resource)))
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "demands", DEMANDED & self.asks)
        object.__setattr__(self, "known_by", frozenset() if kind == "Task" else self.codes)

    @property
    def label(self) -> str:
        """What is ordered, in words."""
        said: Any = self.resource.get("code") or {}
        return str(said.get("text") or self.name.replace("-", " "))


def order_template(name: str, loaded: Loaded, knowledge: Knowledge) -> OrderTemplate:
    """Check an order file. Raises KnowledgeError."""
    resource = loaded.data
    if not isinstance(resource, dict) or resource.get("resourceType") not in STATUSES:
        raise loaded.fault(
            ("resourceType",), "not a request that a suggestion creates", ", ".join(STATUSES)
        )
    allowed = STATUSES[resource["resourceType"]]
    if resource.get("status") not in allowed:
        raise loaded.fault(("status",), "the status of an order file", " or ".join(allowed))
    if "id" in resource:
        raise loaded.fault(("id",), "an id in an order file", "none: the EHR gives it")
    texts = tuple(_strings(resource, ()))
    for route, text in texts:
        if text.startswith("$") and text not in PLACEHOLDERS:
            raise loaded.fault(route, f"unknown placeholder {text}", ", ".join(PLACEHOLDERS))
    codes = frozenset(knowledge.code(system, code) for system, code in codings(resource))
    asks = frozenset(text for _, text in texts if text in PLACEHOLDERS)
    return OrderTemplate(name, as_json(resource), codes, asks)


def _strings(value: Any, route: Route) -> Iterator[tuple[Route, str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _strings(member, (*route, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*route, index))
    elif isinstance(value, str):
        yield route, value


def filled(template: OrderTemplate, values: Mapping[str, Any]) -> dict[str, Any]:
    """The resource with each placeholder replaced by its whole value, or left out when there is
    none.

    Members without a placeholder are the template's own, not copies: whoever changes an answer
    copies it.
    """
    resource: dict[str, Any] = template.fill(values)
    return resource


def _filling(value: Any) -> Fill | None:
    """What replaces the placeholders in a part of a template, empty where nothing is left of it;
    None where it holds none.
    """
    if not isinstance(value, dict | list):
        return None
    keys = value if isinstance(value, dict) else range(len(value))
    named = tuple((key, value[key]) for key in keys if _is_placeholder(value[key]))
    deeper = tuple((key, fill) for key in keys if (fill := _filling(value[key])) is not None)
    if not named and not deeper:
        return None

    def fill_object(values: Mapping[str, Any]) -> Any:
        made = value.copy()
        for key, name in named:
            if not (part := values.get(name)):
                del made[key]
            else:
                made[key] = part
        for key, fill in deeper:
            if not (part := fill(values)):
                del made[key]
            else:
                made[key] = part
        return made

    def fill_list(values: Mapping[str, Any]) -> Any:
        made = value.copy()
        for index, name in named:
            made[index] = values.get(name) or None
        for index, fill in deeper:
            made[index] = fill(values) or None
        return [item for item in made if item is not None]

    return fill_object if isinstance(value, dict) else fill_list


def _is_placeholder(value: Any) -> bool:
    return isinstance(value, str) and value in PLACEHOLDERS


def asked(template: OrderTemplate, knowledge: Knowledge) -> frozenset[Code]:
    """What is ordered, and the specialty that is to do it."""
    said: Any = template.resource.get("performerType") or ()
    specialties = (said,) if isinstance(said, Mapping) else said  # a task may name several
    codings = (coding for each in specialties for coding in each.get("coding") or ())
    return template.codes | {knowledge.code(each["system"], each["code"]) for each in codings}


def reasons_of(
    references: Iterable[str], facts: Facts, knowledge: Knowledge
) -> list[dict[str, Any]]:
    """Why the order is made: the conditions of `references`, else the reasons of their orders."""
    wanted = tuple(references)
    conditions = facts.conditions_by_ref()
    found = [_concept(conditions[ref], knowledge) for ref in wanted if ref in conditions]
    if not found:
        asked = frozenset(wanted)
        for fact in (fact for fact in facts.explained() if fact.ref in asked):
            found += [
                _concept(conditions[ref], knowledge)
                for ref in fact.reason_refs
                if ref in conditions
            ]
            codes = (code for code in sorted(fact.reasons) if _CODE.fullmatch(code.code))
            found += [{"coding": [coding(code, knowledge)]} for code in codes]
    kept = [reason for index, reason in enumerate(found) if reason and reason not in found[:index]]
    return kept[:MOST_REASONS]


def reference_to(kind: str, text: str) -> dict[str, str] | None:
    """A reference from what may be a bare id; None from nothing."""
    if not text:
        return None
    return {"reference": text if "/" in text else f"{kind}/{text}"}


def results_of(references: Iterable[str]) -> list[dict[str, str]]:
    """The results among `references`, as the reasons of an order that no condition explains."""
    results = [ref for ref in references if ref.partition("/")[0] == "Observation"]
    return [{"reference": ref} for ref in results[:MOST_REASONS]]


def basis_of(references: Iterable[str], drafts: Container[str]) -> dict[str, str] | None:
    """The record that a task is about: the first that is neither a condition nor a draft, whose id may
    change; the patient and the cover are everybody's.
    """
    for ref in references:
        if ref not in drafts and ref.partition("/")[0] not in _NO_BASIS:
            return {"reference": ref}
    return None


def conditions_of(references: Iterable[str]) -> list[dict[str, str]]:
    """The conditions among `references`, as what a plan of care addresses."""
    return [{"reference": ref} for ref in references if ref.partition("/")[0] == "Condition"]


def _concept(condition: Condition, knowledge: Knowledge) -> dict[str, Any]:
    concept: dict[str, Any] = {}
    codings = [
        coding(code, knowledge) for code in sorted(condition.codes) if _CODE.fullmatch(code.code)
    ]
    if codings:
        concept["coding"] = codings
    text = clean(condition.text, REASON_TEXT_LIMIT)
    if text:
        concept["text"] = text
    return concept


def coding(code: Code, knowledge: Knowledge) -> dict[str, str]:
    """A code as FHIR writes it; ICD-10-CM gets its dot back."""
    text = code.code
    if code.system == "ICD10CM" and len(text) > 3:
        text = f"{text[:3]}.{text[3:]}"
    system = knowledge.system_urls.get(code.system, code.system)
    return {"system": system, "code": text} if ":" in system else {"code": text}
