"""How long a fill lasts, and what a day's dose must be when only quantity and days' supply
are known.
"""

from __future__ import annotations

from fractions import Fraction

from cds_service.clinical.daily_dose import labelled_hours, limits_the_opioid
from cds_service.clinical.facts import Dose, Sig
from cds_service.fhir.dose_amount import Amount
from cds_service.fhir.r4_dosage import Quantity
from cds_service.fhir.timing import MOST_DAYS, MOST_PER_DAY, exact_days
from cds_service.fhir.units import COUNT, MCG, MCG_PER_HOUR, MG, ML, first_unit
from cds_service.knowledge.drugs.model import Drug, Route

# Days a patch is worn where its name does not say: fentanyl systems are made for 72 hours.
DEFAULT_WEAR = Fraction(3)


def wear_days(drug: Drug | None) -> Fraction:
    """How long one patch of the product is worn, by its name."""
    hours = None if drug is None else labelled_hours(drug)
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


def uses_more(sig: Sig, supplied: Dose, drug: Drug | None) -> bool:
    """Whether some step of the instructions surely uses more a day than the supply gives."""
    a_day = Amount(supplied.daily, supplied.unit)
    rates = (_used_a_day(step, a_day, drug) for step in sig.steps)
    return any(rate is not None and rate > a_day.value for rate in rates)


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
) -> Fraction | None:
    """Days one fill lasts, to the part of a day: as stated, else quantity / amount a day, else the
    bounds of the sig.

    Steps that all say how long they last are not divided: their lengths added are the answer. Nor is
    an amount a day of which only a part could be read.
    """
    stated, bounds = exact_days(expected), sig.bounds_days
    followed = None if bounds is None else Fraction(bounds)
    if stated is not None:
        return stated
    if sig.partly or (len(sig.steps) > 1 and followed is not None):
        return followed
    supplied = _supplied(quantity, drug)
    if supplied is not None and supplied.value > 0 and sig.steps:
        rates = [_used_a_day(step, supplied, drug) for step in sig.steps]
        known = [rate for rate in rates if rate is not None]
        if len(known) == len(rates) and supplied.value <= MOST_DAYS * max(known):
            return supplied.value / max(known)
    return followed


def _used_a_day(step: tuple[Dose, ...], supplied: Amount, drug: Drug | None) -> Fraction | None:
    """How much of what was supplied a step uses a day, in its unit, daily maxima kept; None if the
    units do not meet.
    """
    used = Fraction(0)
    for dose in step:
        often = Fraction(1) if dose.unit == MCG_PER_HOUR else dose.per_day
        a_day = _as_supplied(dose.amount * often, dose.unit, supplied, drug)
        if a_day is None:
            return None
        most = None
        # A maximum in mg beside a dose in tablets may mean another ingredient of the product.
        sure = dose.cap_unit in (dose.unit, COUNT, ML) or limits_the_opioid(drug, dose)
        if dose.cap is not None and sure:
            most = _as_supplied(dose.cap, dose.cap_unit, supplied, drug)
        used += a_day if most is None else min(a_day, most)
    return used


def _as_supplied(
    amount: Fraction, unit: str, supplied: Amount, drug: Drug | None
) -> Fraction | None:
    """An amount in the unit of what was supplied, by the strength of the product; a rate in patches
    a day; None where the units do not meet.
    """
    if unit == MCG_PER_HOUR:
        rate = _only_strength(drug, "mg/h") if supplied.unit == COUNT else None
        return None if rate is None else amount / 1000 / rate / wear_days(drug)
    if unit == supplied.unit:
        return amount
    kinds = {unit, supplied.unit}
    if kinds == {MG, MCG}:
        return amount / 1000 if unit == MCG else amount * 1000
    strength = _only_strength(drug, "mg" if COUNT in kinds else "mg/mL")
    if strength is None or not kinds & {COUNT, ML} or not kinds & {MG, MCG}:
        return None
    if supplied.unit in (MG, MCG):
        return amount * strength * (1000 if supplied.unit == MCG else 1)
    return (amount / 1000 if unit == MCG else amount) / strength


def _only_strength(drug: Drug | None, unit: str) -> Fraction | None:
    if drug is None:
        return None
    parts = drug.opioids or drug.components
    if len({c.ingredient for c in parts}) != 1 or any(
        c.unit != unit or not c.strength for c in parts
    ):
        return None
    return sum((Fraction(c.strength) for c in parts if c.strength), Fraction(0))
