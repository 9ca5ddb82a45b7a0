"""How long a fill lasts, and what a day's dose must be when only quantity and days' supply
are known.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil

from cds_service.clinical.facts import Dose, Sig
from cds_service.fhir.dose_amount import Amount
from cds_service.fhir.r4_dosage import Quantity
from cds_service.fhir.timing import MOST_DAYS, MOST_PER_DAY, duration_days
from cds_service.fhir.units import COUNT, MCG, MCG_PER_HOUR, MG, ML, first_unit
from cds_service.knowledge.drugs.model import Drug, Route

# Days a patch is worn where its name does not say: fentanyl systems are made for 72 hours.
DEFAULT_WEAR = Fraction(3)
_WEAR = re.compile(r"\b(\d{2,3}) ?HR\b(?!/)", re.IGNORECASE)


def wear_days(drug: Drug | None) -> Fraction:
    """How long one patch of the product is worn, by its name."""
    label = _WEAR.search(drug.name) if drug is not None else None
    hours = int(label[1]) if label is not None else 0
    return Fraction(hours, 24) if hours else DEFAULT_WEAR


def supply_dose(drug: Drug | None, quantity: Quantity | None, days: int | None) -> Dose | None:
    """What quantity / days' supply gives a day; None when either or the unit is missing.

    Patches handed out are worn one after another: so many at a time for as long as one is worn.
    """
    supplied = _supplied(quantity, drug)
    if supplied is None or not days or supplied.value <= 0:
        return None
    a_day = supplied.value / days
    patches = drug is not None and drug.route is Route.TRANSDERMAL and supplied.unit == COUNT
    if patches:
        return Dose(a_day * wear_days(drug), COUNT, 1 / wear_days(drug), unit_text=supplied.word)
    if a_day > MOST_PER_DAY and supplied.unit == COUNT:
        return None
    if supplied.unit == COUNT:
        return Dose(Fraction(1), COUNT, a_day, unit_text=supplied.word)
    return Dose(a_day, supplied.unit, Fraction(1)) if supplied.unit in (MG, MCG, ML) else None


def _supplied(quantity: Quantity | None, drug: Drug | None) -> Amount | None:
    """The quantity of one fill; one without a unit counts the product where that is a thing
    to count.
    """
    if quantity is None or quantity.number is None:
        return None
    unit = first_unit(quantity.units)
    if unit is None:
        parts = () if drug is None else drug.opioids or drug.components
        if (
            quantity.units
            or not parts
            or any(c.unit not in ("mg", "mg/h", "mg/{actuat}") for c in parts)
        ):
            return None
        return Amount(Fraction(quantity.number), COUNT)
    return Amount(Fraction(quantity.number) * unit.scale, unit.kind, unit.word)


def supply_days(
    expected: Quantity | None, quantity: Quantity | None, sig: Sig, drug: Drug | None
) -> int | None:
    """Days one fill lasts: as stated, else quantity / amount a day, rounded up, else the bounds of
    the sig.

    Steps that all say how long they last are not divided: their lengths added are the answer. Nor is
    an amount a day of which only a part could be read.
    """
    stated = duration_days(expected)
    if stated is not None:
        return stated
    if sig.partly or (len(sig.steps) > 1 and sig.bounds_days is not None):
        return sig.bounds_days
    supplied = _supplied(quantity, drug)
    if supplied is not None and supplied.value > 0 and sig.steps:
        rates = [_used_a_day(step, supplied, drug) for step in sig.steps]
        if all(rate is not None and rate > 0 for rate in rates):
            days = ceil(supplied.value / max(rate for rate in rates if rate is not None))
            if days <= MOST_DAYS:
                return days
    return sig.bounds_days


def _used_a_day(step: tuple[Dose, ...], supplied: Amount, drug: Drug | None) -> Fraction | None:
    """How much of what was supplied a step uses a day, in its unit; None if the units do
    not meet.
    """
    used = Fraction(0)
    for dose in step:
        a_day = dose.daily
        if dose.unit == supplied.unit and dose.unit != MCG_PER_HOUR:
            used += a_day
        elif dose.unit in (MG, MCG) and supplied.unit in (COUNT, ML):
            strength = _only_strength(drug, "mg" if supplied.unit == COUNT else "mg/mL")
            if strength is None:
                return None
            used += (a_day / 1000 if dose.unit == MCG else a_day) / strength
        else:
            return None
    return used


def _only_strength(drug: Drug | None, unit: str) -> Fraction | None:
    if drug is None:
        return None
    parts = drug.opioids or drug.components
    if len({c.ingredient for c in parts}) != 1 or any(
        c.unit != unit or not c.strength for c in parts
    ):
        return None
    return sum((Fraction(c.strength) for c in parts if c.strength), Fraction(0))
