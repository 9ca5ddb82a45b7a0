"""Dosage instructions for tests, and four products they are for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cds_service.clinical.facts import Dose, Sig
from cds_service.fhir.dosage import read_sig
from cds_service.fhir.r4_dosage import Dosage, Quantity
from cds_service.knowledge.drugs.model import Component, Drug, Route
from tests.clinical.prescriptions import decoded

TABLET = Drug(
    "1",
    "oxycodone 10 MG Oral Tablet",
    "SCD",
    (Component("oxycodone", "2", Decimal(10), "mg"),),
    "Oral Tablet",
    Route.ORAL,
)
LIQUID = Drug(
    "1",
    "oxycodone 1 MG/ML",
    "SCD",
    (Component("oxycodone", "2", Decimal(1), "mg/mL"),),
    "Oral Solution",
    Route.ORAL,
)
PATCH = Drug(
    "1",
    "72 HR fentanyl 0.025 MG/HR",
    "SCD",
    (Component("fentanyl", "2", Decimal("0.025"), "mg/h"),),
    "",
    Route.TRANSDERMAL,
)
INGREDIENT = Drug("2", "oxycodone", "IN", (Component("oxycodone", "2"),))


def sig(
    *dosages: dict[str, Any],
    drug: Drug | None = TABLET,
    quantity: Any = None,
    days: int | None = None,
) -> Sig:
    """What these instructions say."""
    filled = decoded(quantity, Quantity) if quantity else None
    return read_sig(tuple(decoded(d, Dosage) for d in dosages), drug, filled, days)


def only(found: Sig) -> Dose:
    """The one dose read."""
    assert found.unread is None, found.unread
    ((dose,),) = found.steps
    return dose


def tablets(value: Any = 1, **repeat: Any) -> dict[str, Any]:
    """So many tablets by a timing rule."""
    return {
        "timing": {"repeat": repeat},
        "doseAndRate": [{"doseQuantity": {"value": value, "unit": "tablet"}}],
    }
