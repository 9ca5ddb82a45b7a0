"""What `cds-service check` asks of the card files beyond loading them: that every order is valid
FHIR R4.

Stands apart because a serving worker imports no fhir.resources.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from cds_service.card_orders import OrderTemplate, filled
from cds_service.cards import CardLibrary
from cds_service.errors import KnowledgeError
from cds_service.knowledge.strict_yaml import Route, load
from cds_service.shipped import shipped

LEAST: dict[str, Any] = {
    "$subject": {"reference": "Patient/1"},
    "$as_of": "2026-11-20",
    "$start": "2026-11-20",
    "$coverage": {"reference": "Coverage/1"},
    "$provider": {"reference": "Practitioner/1"},
}
MOST: dict[str, Any] = {
    **LEAST,
    "$encounter": {"reference": "Encounter/1"},
    "$requester": {"reference": "Practitioner/1"},
    "$reasons": [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.50"}]}],
    "$reason": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.50"}]},
    "$results": [{"reference": "Observation/1"}],
    "$due": "2026-12-20",
    "$diagnoses": [{"sequence": 1, "diagnosisCodeableConcept": {"text": "Low back pain"}}],
    "$answers": [{"linkId": "result", "answer": [{"valueString": "criteria met"}]}],
}


Fault = tuple[Route, str, str | None]

# What FHIR requires an intent to be, as far as a button may propose it.
INTENTS = ("proposal", "plan", "order")


def check(
    library: CardLibrary, overlay: Path | None = None, ours: Path | None = None
) -> list[KnowledgeError]:
    """Every order file that is not valid R4 when filled, and every one that no card suggests; those
    of a site's `overlay` are called by their path. `ours` is where the others are.
    """
    suggested = {s.create for card in library.cards.values() for s in card.suggestions.values()}
    found: list[KnowledgeError] = []
    for template in library.orders.values():
        if faults := list(_faults(template)):
            path, name = _file(template.name, overlay, ours or shipped("cards"))
            loaded = load(path, name)  # again, for its lines
            found += [loaded.fault(*fault) for fault in faults]
    found += [
        KnowledgeError(_file(name, overlay, Path())[1], None, "no card suggests this order")
        for name in library.orders
        if name not in suggested
    ]
    return found


def _faults(template: OrderTemplate) -> Iterator[Fault]:
    """What is wrong with an order, where, and what is allowed."""
    intent = template.resource.get("intent", "order")
    if intent not in INTENTS:
        yield ("intent",), f"the intent {intent}", ", ".join(INTENTS)
    found: dict[str, Route] = {}
    who = {"reference": "PractitionerRole/1"}
    several = template.kind == "ServiceRequest"
    for values in (LEAST, {**MOST, "$performer": [who] if several else who}):
        try:
            get_fhir_model_class(template.kind).model_validate(filled(template, values))
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                where = ".".join(str(step) for step in detail["loc"])
                found[f"not valid R4: {where}: {detail['msg']}"] = detail["loc"]
    yield from ((found[what], what, None) for what in sorted(found))


def _file(name: str, overlay: Path | None, ours: Path) -> tuple[Path, str]:
    """Where an order file lies, and what faults call it."""
    own = overlay / "orders" / f"{name}.yaml" if overlay else None
    if own and own.is_file():
        return own, str(own)
    return ours / "orders" / f"{name}.yaml", f"cards/orders/{name}.yaml"
