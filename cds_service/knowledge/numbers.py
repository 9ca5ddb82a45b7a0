"""A number in force: value, unit, boundary and where it comes from. Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any


class Boundary(StrEnum):
    """On which side of the value a measured quantity meets the limit."""

    AT_OR_ABOVE = "at or above"
    ABOVE = "above"
    AT_OR_BELOW = "at or below"
    BELOW = "below"


_MET: dict[Boundary, Callable[[Any, Any], Any]] = {
    Boundary.AT_OR_ABOVE: operator.ge,
    Boundary.ABOVE: operator.gt,
    Boundary.AT_OR_BELOW: operator.le,
    Boundary.BELOW: operator.lt,
}


@dataclass(frozen=True, slots=True)
class Number:
    """One parameter as it stands on the as-of date for the payers in force."""

    name: str
    value: Decimal
    unit: str
    boundary: Boundary
    source: str
    at: str
    since: date

    def met_by(self, measured: Decimal | Fraction | int) -> bool:
        """Whether `measured` (same unit) lies on the far side of the boundary, compared exactly.

        >>> n = Number("x", Decimal("50"), "MME/day", Boundary.AT_OR_ABOVE, "s", "r", date(2022, 1, 1))
        >>> n.met_by(Decimal("49.95")), n.met_by(Fraction(50)), n.met_by(51)
        (False, True, True)
        """
        # Decimals and whole numbers compare exactly as they are; a Fraction asks for one.
        limit = Fraction(self.value) if type(measured) is Fraction else self.value
        return bool(_MET[self.boundary](measured, limit))

    @property
    def days(self) -> int:
        """The value as whole days, for spans and windows."""
        return int(self.value)

    def __str__(self) -> str:
        return f"{self.value.normalize():f}"
