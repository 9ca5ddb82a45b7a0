"""A number in force: value, unit, boundary and where it comes from. Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
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

    @property
    def is_upper(self) -> bool:
        """Whether more than the value meets the limit."""
        return self in (Boundary.AT_OR_ABOVE, Boundary.ABOVE)


_MET: dict[Boundary, Callable[[Any, Any], Any]] = {
    Boundary.AT_OR_ABOVE: operator.ge,
    Boundary.ABOVE: operator.gt,
    Boundary.AT_OR_BELOW: operator.le,
    Boundary.BELOW: operator.lt,
}


_COMPARATORS = ("<", "<=", ">", ">=")


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
    # As it is compared: whole numbers and decimals with each other as they are, a Fraction asks for
    # one.
    _limit: int | Decimal = field(init=False, compare=False, repr=False)
    _exact: Fraction = field(init=False, compare=False, repr=False)
    days: int = field(init=False, compare=False, repr=False)  # whole days, for spans and windows
    _meets: Callable[[Any, Any], Any] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        whole = int(self.value)
        object.__setattr__(self, "_limit", whole if whole == self.value else self.value)
        object.__setattr__(self, "_exact", Fraction(self.value))
        object.__setattr__(self, "days", whole)
        object.__setattr__(self, "_meets", _MET[self.boundary])

    def met_by(self, measured: Decimal | Fraction | int) -> bool:
        """Whether `measured` (same unit) lies on the far side of the boundary, compared exactly.

        >>> n = Number("x", Decimal("50"), "MME/day", Boundary.AT_OR_ABOVE, "s", "r", date(2022, 1, 1))
        >>> n.met_by(Decimal("49.95")), n.met_by(Fraction(50)), n.met_by(51)
        (False, True, True)
        """
        return bool(
            self._meets(measured, self._exact if type(measured) is Fraction else self._limit)
        )

    def met_by_bound(self, measured: Decimal | Fraction | int, comparator: str) -> bool | None:
        """Whether an amount that lies `comparator` (`<`, `<=`, `>`, `>=`; empty: at) `measured` meets
        the limit; None where it may or may not, or the comparator is none of these.

        >>> n = Number("x", Decimal("50"), "MME/day", Boundary.AT_OR_ABOVE, "s", "r", date(2022, 1, 1))
        >>> n.met_by_bound(50, ">"), n.met_by_bound(50, "<"), n.met_by_bound(60, "<")
        (True, False, None)
        """
        if not comparator:
            return self.met_by(measured)
        if comparator not in _COMPARATORS:
            return None
        rising = self.boundary.is_upper
        # Amounts reach from `measured` (itself, or just beyond it) as far as there are any.
        if len(comparator) > 1:
            nearest = self.met_by(measured)
        else:
            past, limit = Fraction(measured), self._exact
            nearest = (past >= limit if comparator == ">" else past > limit) is rising
        farthest = (comparator[0] == ">") is rising
        return farthest if nearest is farthest else None

    def __str__(self) -> str:
        return f"{self.value.normalize():f}"
