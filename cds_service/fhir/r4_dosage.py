"""The typed members of R4 data types and of `Dosage` that we read; the rest is skipped while
decoding.

Shapes that vendors send besides the standard's (a lone object for a list, STU3 places) are unions
here, so that decoding does not fail over them. Numbers are exact: a JSON number or a plain number
in a string becomes a `Decimal`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, TypeVar

import msgspec

T = TypeVar("T")

# characters of a name or code; of a longer one the start is read, and it is named as unread
LONGEST = 2_000
Text = Annotated[str, msgspec.Meta(max_length=LONGEST)]

# Beyond these a number is not a dose, a count or a duration; exact fractions of it would exhaust
# memory.
_MOST_EXPONENT = 12
_MOST_DIGITS = 40


def plain_number(number: Decimal | None) -> Decimal | None:
    """The number, or None if it is absent, not finite or of an absurd size.

    >>> plain_number(Decimal("7.5")), plain_number(Decimal("NaN")), plain_number(Decimal("1e400"))
    (Decimal('7.5'), None, None)
    """
    if number is None or not number.is_finite():
        return None
    if abs(number.adjusted()) > _MOST_EXPONENT or len(str(number)) > _MOST_DIGITS:
        return None
    return number


def as_list(members: tuple[T, ...] | T | None) -> tuple[T, ...]:
    """A list member as sent: a list, a lone object, or absent."""
    if members is None:
        return ()
    return members if isinstance(members, tuple) else (members,)


class Element(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, rename="camel"
):
    """Any structure read from JSON: unknown members are skipped."""


class Coding(Element, frozen=True):
    """A code in a code system."""

    system: Text | None = None
    code: Text | None = None
    display: Text | None = None


class CodeableConcept(Element, frozen=True):
    """A concept by codes and text."""

    coding: tuple[Coding, ...] | Coding | None = None
    text: Text | None = None

    @property
    def codings(self) -> tuple[Coding, ...]:
        """Its codings, also where one was sent bare."""
        return as_list(self.coding)


class Quantity(Element, frozen=True):
    """A measured amount, also a SimpleQuantity, Duration or Age."""

    value: Decimal | None = None
    comparator: str | None = None
    unit: Text | None = None
    system: str | None = None
    code: Text | None = None

    @property
    def number(self) -> Decimal | None:
        """The value, None if it is no plain number."""
        return plain_number(self.value)

    @property
    def units(self) -> tuple[str, ...]:
        """The unit as code and as text, whichever were sent, the code first."""
        return tuple(text for text in (self.code, self.unit) if text)


class Range(Element, frozen=True):
    """A low and a high amount."""

    low: Quantity | None = None
    high: Quantity | None = None


class Ratio(Element, frozen=True):
    """One amount for another."""

    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Period(Element, frozen=True):
    """A start and an end, as texts."""

    start: str | None = None
    end: str | None = None


class Repeat(Element, frozen=True):
    """How often and for how long an instruction is followed."""

    bounds_duration: Quantity | None = None
    bounds_range: Range | None = None
    bounds_period: Period | None = None
    count: Decimal | None = None
    count_max: Decimal | None = None
    frequency: Decimal | None = None
    frequency_max: Decimal | None = None
    period: Decimal | None = None
    period_max: Decimal | None = None
    period_unit: str | None = None
    day_of_week: tuple[str, ...] | str | None = None
    time_of_day: tuple[str, ...] | str | None = None
    when: tuple[str, ...] | str | None = None


class Timing(Element, frozen=True):
    """When an instruction is followed: a rule, a code, or dates."""

    event: tuple[str, ...] | str | None = None
    repeat: Repeat | None = None
    code: CodeableConcept | str | None = None


class DoseAndRate(Element, frozen=True):
    """The amount of one dose, or a rate."""

    type: CodeableConcept | None = None
    dose_quantity: Quantity | None = None
    dose_range: Range | None = None
    rate_quantity: Quantity | None = None
    rate_range: Range | None = None
    rate_ratio: Ratio | None = None


class Dosage(Element, frozen=True):
    """One dosage instruction, of R4 or, with dose and rate at its own level, of STU3."""

    sequence: Decimal | None = None
    text: str | None = None
    patient_instruction: str | None = None
    additional_instruction: (
        tuple[CodeableConcept | str | None, ...] | CodeableConcept | str | None
    ) = None
    timing: Timing | None = None
    as_needed_boolean: bool | str | None = None
    as_needed_codeable_concept: CodeableConcept | None = None
    route: CodeableConcept | str | None = None
    dose_and_rate: tuple[DoseAndRate, ...] | DoseAndRate | None = None
    dose_quantity: Quantity | None = None
    dose_range: Range | None = None
    rate_quantity: Quantity | None = None
    rate_range: Range | None = None
    rate_ratio: Ratio | None = None
    max_dose_per_period: Ratio | tuple[Ratio, ...] | None = None
    max_dose_per_administration: Quantity | None = None

    @property
    def doses(self) -> tuple[DoseAndRate, ...]:
        """Doses and rates, R4 place first, else the STU3 place."""
        entries = as_list(self.dose_and_rate)
        if entries:
            return entries
        old = (
            self.dose_quantity,
            self.dose_range,
            self.rate_quantity,
            self.rate_range,
            self.rate_ratio,
        )
        if all(member is None for member in old):
            return ()
        return (
            DoseAndRate(
                dose_quantity=self.dose_quantity,
                dose_range=self.dose_range,
                rate_quantity=self.rate_quantity,
                rate_range=self.rate_range,
                rate_ratio=self.rate_ratio,
            ),
        )

    @property
    def as_needed(self) -> bool:
        """Whether it is taken as needed, said in either form."""
        flag = self.as_needed_boolean
        yes = flag.lower() == "true" if isinstance(flag, str) else bool(flag)
        return yes or self.as_needed_codeable_concept is not None
