"""Results held against limits, their units read in the spellings that charts have. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from cds_service.clinical.evidence import Evidence, measured
from cds_service.clinical.facts import Observation, Quantity
from cds_service.knowledge.numbers import Number

_PLAIN = re.compile(r"[+-]?\d{1,6}(?:\.\d{1,6})?", re.ASCII)
_SPELLINGS = (
    ("μ", "u"),
    ("µ", "u"),
    ("mcg", "ug"),
    ("mcl", "ul"),
    ("³", "3"),
    ("⁹", "9"),
    ("×", "x"),
    ("cumm", "mm3"),
)


def unit_of(value: Quantity) -> str:
    """The unit in lower case without spaces or a last dot, micro as `u`, powers in plain digits.

    >>> from decimal import Decimal
    >>> unit_of(Quantity(Decimal(1), "x10³/mcL")), unit_of(Quantity(Decimal(1), "deg F"))
    ('x103/ul', 'degf')
    """
    unit = "".join(value.unit.lower().split()).rstrip(".")
    for written, plain in _SPELLINGS:
        unit = unit.replace(written, plain)
    return unit


def number_of(said: object) -> Decimal | None:
    """A number, given as one or as its text in digits, as older interfaces send scores and results.

    >>> number_of("14 "), number_of("14/27"), number_of(Decimal("1e9999"))
    (Decimal('14'), None, None)
    """
    text = str(said.value if isinstance(said, Quantity) else said).strip()
    return Decimal(text) if _PLAIN.fullmatch(text) else None


def says_something(result: Observation) -> bool:
    """Whether it has a value, be it one that cannot be read."""
    return result.value is not None or bool(result.value_text)


def held_against(
    limit: Number, readings: Iterable[tuple[Observation, Fraction | None]]
) -> tuple[list[Evidence], list[Evidence]]:
    """The results that meet the limit, and those of which it cannot be told: no amount could be read,
    or it is only known to lie on a side of the one given (`<20`), and the limit does too.
    """
    met: list[Evidence] = []
    unsure: list[Evidence] = []
    for result, amount in readings:
        comparator = result.value.comparator if result.value is not None else ""
        meets = None if amount is None else limit.met_by_bound(amount, comparator)
        if meets is not False:
            (met if meets else unsure).append(measured(result))
    return met, unsure
