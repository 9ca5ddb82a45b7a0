"""What a dose of a product gives of its opioid in a day, and how that was reached. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from cds_service.clinical.facts import Dose
from cds_service.knowledge.drugs.model import Component, Drug

ANTAGONISTS = frozenset({"naloxone", "naltrexone", "samidorphan"})
# A dose in mg of a combination product is read as mg of its opioid only up to so many tablets or mL of
# the product: 10 mg of hydrocodone 5 / acetaminophen 325 is two tablets, 650 mg would be 130.
MOST_UNITS = {"mg": 10, "mg/mL": 60}
# Beyond so many of them one that is a whole number of units of another ingredient may mean that one:
# 300 mg of acetaminophen 300 / codeine 30 is one tablet, not ten.
MOST_UNITS_CERTAIN = {"mg": 4, "mg/mL": 30}
MOST_PATCHES = 4
_LABELLED_HOURS = re.compile(r"\b(\d{2,3}) ?HR\b(?!/)", re.IGNORECASE)
_COUNTED_AS: dict[str, frozenset[str]] = {
    "mg": frozenset({"", "tablet", "capsule", "film", "lozenge", "suppository", "packet"}),
    "mg/{actuat}": frozenset({"", "spray"}),
    "mg/h": frozenset({"", "patch"}),
    "mg/mL": frozenset({"", "packet"}),
}


class Uncountable(Exception):
    """A dose that cannot be turned into an amount of opioid a day; the text says why."""


def daily_dose(
    drug: Drug, parts: tuple[Component, ...], dose: Dose, per: str
) -> tuple[Fraction, str]:
    """What the `parts` of a drug that are one opioid make a day, in mg, mcg or mcg/h (`per`), and the
    arithmetic. Raises Uncountable.
    """
    if per == "mcg/h":
        return _worn(parts, dose)
    scale = _in(per)
    unit = parts[0].unit
    match dose.unit:
        case "mg" | "mcg":
            _check_mass(drug, parts, dose)
            return _mass(dose, per, _cap_in_mg(drug, parts, dose))
        case "mcg/h":
            amount = dose.amount * 24 * scale / 1000
            return amount, f"{show(dose.amount)} mcg/h x 24 h"
        case "mL" if unit == "mg/mL":
            each, strength = _strength(parts, scale)
            text = f"{show(dose.amount)} mL x {strength} {per}/mL"
        case "unit" if unit in _COUNTED_AS and (unit != "mg/mL" or drug.sealed_ml is not None):
            if dose.unit_text not in _COUNTED_AS[unit]:
                raise Uncountable(
                    f"the dose unit {dose.unit_text} does not fit {drug.dose_form or 'the product'}"
                )
            each, strength = _strength(parts, scale)
            volume = Fraction(drug.sealed_ml or 1) if unit == "mg/mL" else Fraction(1)
            each *= volume
            count = "" if dose.amount == 1 else f"{show(dose.amount)} x "
            text = f"{count}{show(each)} {per}" if volume != 1 else f"{count}{strength} {per}"
        case _:
            raise Uncountable(_no_strength(parts, dose))
    return _often(dose, each, per, text, _cap_in_mg(drug, parts, dose))


def _often(
    dose: Dose, each: Fraction, per: str, text: str, cap_mg: Fraction | None
) -> tuple[Fraction, str]:
    """The amount a day of a counted or measured dose, and how it was reached."""
    uncapped, daily = dose.amount * dose.per_day * each, dose.daily * each
    if cap_mg is not None:
        daily = min(daily, cap_mg * _in(per))
    if daily < uncapped:
        return daily, f"{text} x {often(dose.per_day)}, at most {show(daily)} {per}/day"
    return daily, f"{text} x {often(dose.per_day)}"


def _mass(dose: Dose, per: str, cap: Fraction | None) -> tuple[Fraction, str]:
    uncapped = _in_mg(dose.amount * dose.per_day, dose.unit)
    daily = _in_mg(dose.daily, dose.unit)
    if cap is not None:
        daily = min(daily, cap)
    limit = f", at most {show(daily)} mg/day" if daily < uncapped else ""
    return daily * _in(per), f"{show(dose.amount)} {dose.unit} x {often(dose.per_day)}{limit}"


def _cap_in_mg(drug: Drug, parts: tuple[Component, ...], dose: Dose) -> Fraction | None:
    """The daily maximum in mg of the opioid, where it is stated in another unit than the dose.

    A maximum in mg of a combination product is used only where it cannot mean its other ingredient.
    """
    if dose.cap is None or dose.cap_unit == dose.unit:
        return None
    if dose.cap_unit in ("mg", "mcg"):
        return _in_mg(dose.cap, dose.cap_unit) if limits_the_opioid(drug, dose) else None
    counted = {"unit": "mg", "mL": "mg/mL"}.get(dose.cap_unit)
    return dose.cap * _strength(parts, 1)[0] if parts[0].unit == counted else None


def _check_mass(drug: Drug, parts: tuple[Component, ...], dose: Dose) -> None:
    """A dose in mg means the opioid; in a combination only while it makes a believable
    number of units.
    """
    if dosed_alone(drug):
        return
    unit = parts[0].unit or ""
    if len({c.ingredient for c in drug.opioids}) == 1 and unit in MOST_UNITS:
        amount = _in_mg(dose.amount, dose.unit)
        units = amount / _strength(parts, 1)[0]
        others = (c.strength for c in drug.components if c.unit == unit and c not in drug.opioids)
        another = any(amount % Fraction(other) == 0 for other in others if other)
        if units <= (MOST_UNITS_CERTAIN if another else MOST_UNITS)[unit]:
            return
    raise Uncountable(
        "a dose in mg of a combination product does not say which ingredient it means"
    )


def labelled_hours(drug: Drug) -> int | None:
    """How long a patch or a capsule is made for, by its name; None where it does not say."""
    label = _LABELLED_HOURS.search(drug.name)
    return int(label[1]) if label is not None else None


def dosed_alone(drug: Drug | None) -> bool:
    """Whether one ingredient is the only one dosed: antagonists do not count."""
    return drug is not None and len({c.ingredient for c in drug.components} - ANTAGONISTS) == 1


def limits_the_opioid(drug: Drug | None, dose: Dose) -> bool:
    """Whether a daily maximum in mg beside a count or a volume is one of the opioid: of the only
    ingredient, or of one whose single dose it allows, while it allows none of any other.

    40 mg a day of hydrocodone 5 / acetaminophen 325 are eight tablets, as one holds 325 mg.
    """
    if drug is None or dosed_alone(drug):
        return drug is not None
    per = {"unit": "mg", "mL": "mg/mL"}.get(dose.unit)
    if len(drug.opioids) != 1 or any(c.unit != per or not c.strength for c in drug.components):
        return False
    most = _in_mg(dose.cap or Fraction(0), dose.cap_unit)
    at_once = {c: dose.amount * Fraction(c.strength or 0) for c in drug.components}
    return all((amount <= most) == (c in drug.opioids) for c, amount in at_once.items())


def _worn(parts: tuple[Component, ...], dose: Dose) -> tuple[Fraction, str]:
    """The rate a patch gives in mcg/h: patches worn at a time x rate, whatever the interval."""
    if dose.unit == "mcg/h":
        return dose.amount, f"{show(dose.amount)} mcg/h"
    if parts[0].unit != "mg/h":
        raise Uncountable(_no_strength(parts, dose))
    each, strength = _strength(parts, 1000)
    patches = dose.amount
    if dose.unit in ("mg", "mcg"):
        # "25 mcg every 72 hours" of a 25 mcg/h patch: the patch named by its rate.
        patches = _in_mg(dose.amount, dose.unit) * 1000 / each
        if patches.denominator != 1 or patches > MOST_PATCHES:
            raise Uncountable("a dose in mg of a patch")
    elif dose.unit != "unit" or dose.unit_text not in _COUNTED_AS["mg/h"]:
        raise Uncountable(f"the dose unit {dose.unit_text or dose.unit} does not fit a patch")
    text = f"{strength} mcg/h"
    return patches * each, text if patches == 1 else f"{show(patches)} x {text}"


def _strength(parts: tuple[Component, ...], scale: int) -> tuple[Fraction, str]:
    """The strengths of one ingredient added (two salts), and as written."""
    values = [Fraction(c.strength) * scale for c in parts if c.strength]
    if len(values) < len(parts):
        raise Uncountable("the strength of the product is not known")
    text = " + ".join(show(v) for v in values)
    return added(values), f"({text})" if len(values) > 1 else text


def _no_strength(parts: tuple[Component, ...], dose: Dose) -> str:
    what = dose.unit_text or {"unit": "units", "mL": "mL"}.get(dose.unit, dose.unit)
    if parts[0].strength is None:
        return f"the dose is counted in {what}, and the code names no strength"
    return f"the dose is counted in {what}, the strength in {parts[0].unit}"


def _in(per: str) -> int:
    """How many of the unit are a milligram."""
    return 1000 if per == "mcg" else 1


def _in_mg(amount: Fraction, unit: str) -> Fraction:
    return amount / 1000 if unit == "mcg" else amount


def added(amounts: Iterable[Fraction]) -> Fraction:
    """The sum; most have one term, which costs no arithmetic.

    >>> added([]), added([Fraction(1, 2), Fraction(1, 3)])
    (Fraction(0, 1), Fraction(5, 6))
    """
    total: Fraction | None = None
    for amount in amounts:
        total = amount if total is None else total + amount
    return Fraction(0) if total is None else total


def show(value: Fraction) -> str:
    """A number as people write it, at most four decimals.

    >>> show(Fraction(15, 2)), show(Fraction(1, 3)), show(Fraction(1200))
    ('7.5', '0.3333', '1200')
    """
    if value.denominator == 1:
        return str(value.numerator)
    rounded = round(Decimal(value.numerator) / Decimal(value.denominator), 4)
    return f"{rounded.normalize():f}"


def often(per_day: Fraction) -> str:
    """Doses a day, or the days between doses.

    >>> often(Fraction(4)), often(Fraction(1, 3)), often(Fraction(3, 7))
    ('4/day', '1 every 3 days', '3 every 7 days')
    """
    if per_day.denominator == 1 or per_day > 1:
        return f"{show(per_day)}/day"
    return f"{per_day.numerator} every {per_day.denominator} days"
