"""Amounts and whole numbers as FHIR sends them."""

from __future__ import annotations

from decimal import Decimal

from cds_service.clinical.facts import Quantity
from cds_service.fhir import r4_dosage
from cds_service.fhir.r4_dosage import plain_number


def quantity(amount: r4_dosage.Quantity | None) -> Quantity | None:
    """An amount with its UCUM code, else its unit text; None without a plain number."""
    if amount is None:
        return None
    number = plain_number(amount.value)
    unit = amount.code or amount.unit or ""
    return None if number is None else Quantity(number, unit, amount.comparator or "")


def whole(number: Decimal | None) -> int | None:
    """A plain number that is an integer, as one."""
    if number is None:
        return None
    found = plain_number(number)
    return int(found) if found is not None and found == found.to_integral_value() else None
