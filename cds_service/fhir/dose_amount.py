"""How much one dose is, from the structured part of an instruction. The high end of a range
counts.
"""

from __future__ import annotations

from fractions import Fraction

from cds_service.fhir.r4_dosage import (
    CodeableConcept,
    Dosage,
    DoseAndRate,
    Quantity,
    Range,
    Ratio,
    as_list,
)
from cds_service.fhir.units import (
    COUNT,
    MCG,
    MCG_PER_HOUR,
    MG,
    ML,
    Unit,
    first_days,
    first_unit,
    rate_of,
    unit_of,
)
from cds_service.frozen import Frozen
from cds_service.knowledge.drugs.model import Component, Drug

# More than this at once is a fault of the record, not a dose.
MOST_AT_ONCE: dict[str, int] = {
    MG: 10_000,
    MCG: 10_000_000,
    ML: 5_000,
    COUNT: 100,
    MCG_PER_HOUR: 100_000,
}
# More of a product at once is not written without its unit.
_MOST_BARE = 3


class Unreadable(Exception):
    """A dose that is said but cannot be one: negative, zero, absurd, no number."""


class Amount(Frozen):
    """A dose in `unit` (mg, mcg, mL, unit, mcg/h); a rate of volume or count fixes
    `per_day` as well.
    """

    value: Fraction
    unit: str
    word: str = ""
    per_day: Fraction | None = None


class Stated(Frozen):
    """The dose an instruction states, or why none could be taken from it."""

    amount: Amount | None = None
    why: str = "the instruction names no dose"


def checked(amount: Amount) -> Amount:
    """The amount, if it can be a dose. Raises Unreadable."""
    if amount.value <= 0:
        raise Unreadable("the dose is zero or negative")
    if amount.value > MOST_AT_ONCE[amount.unit]:
        raise Unreadable("the dose is not believable")
    return amount


def stated_dose(dosage: Dosage, drug: Drug | None) -> Stated:
    """The ordered dose, else the untyped, else the calculated one. Raises Unreadable.

    Of several entries in one unit the greatest counts; in different units they say the same dose
    twice. Without a known strength a rate says more than a count of patches. A number without a unit
    counts the product where it cannot be milligrams.
    """
    why = Stated().why
    for entries in _by_type(dosage.doses):
        stated = [_entry(entry, drug) for entry in entries]
        amounts = [s.amount for s in stated if s.amount is not None]
        if amounts:
            alike = [a for a in amounts if a.unit == amounts[0].unit]
            greatest = max(alike, key=lambda a: a.value)
            return Stated(_limited(greatest, dosage.max_dose_per_administration), "")
        why = next((s.why for s in stated if s.why), why)
    return Stated(None, why)


def _by_type(entries: tuple[DoseAndRate, ...]) -> tuple[tuple[DoseAndRate, ...], ...]:
    groups: dict[str, list[DoseAndRate]] = {"ordered": [], "": [], "calculated": []}
    for entry in entries:
        groups[_type(entry.type)].append(entry)
    return tuple(tuple(group) for group in groups.values())


def _type(concept: CodeableConcept | None) -> str:
    if concept is None:
        return ""
    words = {(text or "").strip().lower() for c in concept.codings for text in (c.code, c.display)}
    words.add((concept.text or "").strip().lower())
    return next((kind for kind in ("ordered", "calculated") if kind in words), "")


def strength_known(drug: Drug | None) -> bool:
    """Whether each opioid of a product, or each of its parts, has a strength."""
    return drug is not None and all(c.strength is not None for c in drug.opioids or drug.components)


def _entry(entry: DoseAndRate, drug: Drug | None) -> Stated:
    dose = _dose(entry.dose_quantity, entry.dose_range, drug)
    rate = _rate(entry)
    counted = dose.amount is not None and dose.amount.unit == COUNT
    if rate.amount is not None and (dose.amount is None or (counted and not strength_known(drug))):
        return rate
    return dose if dose.amount is not None or dose.why else rate


def _dose(quantity: Quantity | None, span: Range | None, drug: Drug | None) -> Stated:
    if quantity is None and span is not None:
        if span.high is None and span.low is not None:
            return Stated(None, "the dose range has no upper end")
        quantity = span.high and _greater(span.high, span.low)
    if quantity is None:
        return Stated(None, "")
    return _quantity(quantity) if quantity.units else _bare(quantity, drug)


def _greater(high: Quantity, low: Quantity | None) -> Quantity:
    """The end of a range that is more, whichever it is called; the unit may stand at the other one."""
    if low is None:
        return high
    if not high.units:
        high = Quantity(value=high.value, unit=low.unit, code=low.code)
    alike = first_unit(low.units) == first_unit(high.units)
    exchanged = low.number is not None and high.number is not None and low.number > high.number
    return low if alike and exchanged else high


def _bare(quantity: Quantity, drug: Drug | None) -> Stated:
    """A dose without a unit: `1` of a 5 mg tablet counts tablets, as nobody takes a fifth of one; `5` of
    a 10 mg tablet could be half of one, or five.
    """
    number, parts = quantity.number, () if drug is None else drug.opioids or drug.components
    if number is None or not 0 < number <= _MOST_BARE or quantity.comparator or not parts:
        return _quantity(quantity)
    if any(_may_be_mg(Fraction(number), part) for part in parts):
        return _quantity(quantity)
    return Stated(Amount(Fraction(number), COUNT), "")


def _may_be_mg(number: Fraction, part: Component) -> bool:
    """Whether so many milligrams are whole quarters of what is counted; a patch holds none."""
    if part.unit == "mg/h":
        return False
    return part.unit != "mg" or not part.strength or not number * 4 % Fraction(part.strength)


def _quantity(quantity: Quantity) -> Stated:
    if quantity.value is None:
        return Stated(None, "the dose has no number")
    if quantity.number is None:
        raise Unreadable("the dose is not a plain number")
    if quantity.comparator in (">", ">="):
        return Stated(None, "the dose has no upper end")
    value = Fraction(quantity.number)
    rate = rate_of(quantity.units)
    if rate is not None:
        return _per_time(value, *rate)
    unit = first_unit(quantity.units)
    if unit is None:
        return Stated(None, _no_unit(quantity.units))
    return Stated(checked(Amount(value * unit.scale, unit.kind, unit.word)), "")


def _no_unit(units: tuple[str, ...]) -> str:
    if not units:
        return "the dose has no unit"
    if len(units) > 1 and all(map(unit_of, units)):
        return f"the dose is in {units[0][:30]} by its code and in {units[-1][:30]} by its words"
    return f"the dose unit {units[-1][:30]} is not known"


def _rate(entry: DoseAndRate) -> Stated:
    if entry.rate_quantity is not None:
        return _quantity(entry.rate_quantity)
    if entry.rate_range is not None and entry.rate_range.high is not None:
        return _quantity(entry.rate_range.high)
    return _ratio(entry.rate_ratio) if entry.rate_ratio is not None else Stated(None, "")


def _ratio(ratio: Ratio) -> Stated:
    """`75 ug per 1 h`, `1 tablet per 6 h`."""
    above = ratio.numerator
    if above is None or above.number is None:
        return Stated(None, "the rate has no number")
    unit, days = first_unit(above.units), time_of(ratio.denominator)
    if unit is None or days is None:
        return Stated(None, "the unit of the rate is not known")
    return _per_time(Fraction(above.number), unit, days)


def _per_time(value: Fraction, unit: Unit, days: Fraction) -> Stated:
    """A mass by the hour stays a rate; anything else is an amount so many times a day."""
    amount = value * unit.scale
    if unit.kind in (MG, MCG) and days < 1:
        micrograms = amount * (1000 if unit.kind == MG else 1)
        return Stated(checked(Amount(micrograms / (days * 24), MCG_PER_HOUR)), "")
    return Stated(checked(Amount(amount, unit.kind, unit.word, per_day=1 / days)), "")


def time_of(quantity: Quantity | None) -> Fraction | None:
    """A denominator such as 24 h, in days; one without a number is one unit of it."""
    if quantity is None:
        return None
    unit = first_days(quantity.units)
    number = Fraction(1) if quantity.value is None else Fraction(quantity.number or 0)
    return number * unit if unit is not None and number > 0 else None


def _limited(amount: Amount, most: Quantity | None) -> Amount:
    """The dose, not above the stated maximum per administration of the same unit."""
    unit = first_unit(most.units) if most is not None else None
    if (
        most is None
        or unit is None
        or unit.kind != amount.unit
        or not most.number
        or most.number < 0
    ):
        return amount
    limit = Fraction(most.number) * unit.scale
    return (
        amount if amount.value <= limit else Amount(limit, amount.unit, amount.word, amount.per_day)
    )


def cap_of(dosage: Dosage) -> tuple[Fraction, str] | None:
    """The most a day and its unit, the least of several; one that cannot be read limits nothing."""
    found = []
    for ratio in as_list(dosage.max_dose_per_period):
        above, days = ratio.numerator, time_of(ratio.denominator)
        unit = first_unit(above.units) if above is not None else None
        if above is None or unit is None or days is None or not above.number or above.number < 0:
            continue
        found.append((Fraction(above.number) * unit.scale / days, unit.kind))
    return min(found, default=None)
