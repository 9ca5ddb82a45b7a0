"""Amounts and whole numbers as FHIR sends them."""

from __future__ import annotations

import re
from decimal import Decimal

from cds_service.clinical.facts import Quantity
from cds_service.clinical.measures import number_of
from cds_service.fhir import r4_dosage
from cds_service.fhir.r4_dosage import plain_number

_COMPARED = re.compile(r"\s*(<=|>=|<|>|)")


def quantity(amount: r4_dosage.Quantity | None) -> Quantity | None:
    """An amount with its UCUM code, else its unit text; None without a plain number."""
    if amount is None:
        return None
    number = plain_number(amount.value)
    unit = amount.code or amount.unit or ""
    return None if number is None else Quantity(number, unit, amount.comparator or "")


def written(text: str) -> Quantity | None:
    """An amount that was sent as text, of no unit; None for a text that is more than a number.

    >>> written("2.4") == Quantity(Decimal("2.4")), written(">= 8") == Quantity(Decimal(8), "", ">=")
    (True, True)
    >>> written("12 of 27") is None
    True
    """
    comparator = _COMPARED.match(text)
    assert comparator is not None  # it may be empty
    number = number_of(text[comparator.end() :])
    return None if number is None else Quantity(number, "", comparator[1])


def whole(number: Decimal | None) -> int | None:
    """A plain number that is an integer, as one."""
    if number is None:
        return None
    found = plain_number(number)
    return int(found) if found is not None and found == found.to_integral_value() else None
