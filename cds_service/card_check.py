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


# What FHIR requires an intent to be, as far as a button may propose it.
INTENTS = ("proposal", "plan", "order")


def check(library: CardLibrary, overlay: Path | None = None) -> list[KnowledgeError]:
    """Every order file that is not valid R4 when filled, and every one that no card suggests; those
    of a site's `overlay` are called by their path.
    """
    suggested = {s.create for card in library.cards.values() for s in card.suggestions.values()}
    found = [
        KnowledgeError(_file(template.name, overlay), None, line, allowed)
        for template in library.orders.values()
        for line, allowed in _faults(template)
    ]
    found += [
        KnowledgeError(_file(name, overlay), None, "no card suggests this order")
        for name in library.orders
        if name not in suggested
    ]
    return found


def _faults(template: OrderTemplate) -> Iterator[tuple[str, str | None]]:
    """What is wrong with an order, and what is allowed."""
    intent = template.resource.get("intent", "order")
    if intent not in INTENTS:
        yield f"the intent {intent}", ", ".join(INTENTS)
    lines: set[str] = set()
    who = {"reference": "PractitionerRole/1"}
    several = template.kind == "ServiceRequest"
    for values in (LEAST, {**MOST, "$performer": [who] if several else who}):
        try:
            get_fhir_model_class(template.kind).model_validate(filled(template, values))
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                where = ".".join(str(step) for step in detail["loc"])
                lines.add(f"not valid R4: {where}: {detail['msg']}")
    yield from ((line, None) for line in sorted(lines))


def _file(name: str, overlay: Path | None) -> str:
    own = overlay / "orders" / f"{name}.yaml" if overlay else None
    return str(own) if own and own.is_file() else f"cards/orders/{name}.yaml"
