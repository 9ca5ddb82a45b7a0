"""Numbers in free text that may be a product's strength, in mg and its ratios."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache

from cds_service.knowledge.drugs.model import Component

_NUMBER = r"(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?![\d.])"
_MASS = r"(?:(?:mg|mcg|µg|μg|ug|gm|g)(?![a-z]))"
# A strength or a chain of them: 5 mg, 10/325, 7.5-325 mg/15 ml, 25 mcg/hr, 400 mcg/spray; not No. 3.
_CHAIN = re.compile(
    rf"(?<![\w.#])(?<!x )(?<!\bno )(?<!\bno\. )(?P<first>{_NUMBER})\s*(?P<unit>{_MASS})?"
    rf"(?P<more>(?:\s*(?:-|/(?!\s*{_NUMBER}\s*(?:ml|l|hr?|hours?)\b))\s*{_NUMBER}\s*{_MASS}?)*)"
    rf"(?:\s*(?:/|per)\s*(?P<size>{_NUMBER})?\s*(?P<per>ml|hr?|hours?|actuat\w*|spray)(?![a-z]))?"
)
_LINK = re.compile(rf"({_NUMBER})\s*({_MASS})?")
# What after numbers without a unit makes them a percentage, a time or a volume and no strength ...
_NO_STRENGTH = re.compile(
    r"\s*-?\s*(?:%|(?:ml|l|h|hrs?|hours?|d|days?|wk|weeks?|x|times?|units?|unt|meq)\b)"
)
# ... and what after a lone number makes it a count.
_COUNT = re.compile(
    r"\s*-?\s*(?:tab(?:let)?s?|cap(?:sule)?s?|ct|count|pack|patch(?:es)?|films?|refills?|doses?|sprays?|"
    r"act(?:uat\w*)?)\b"
)
_MICRO = Fraction(1, 1000)
_TO_MG = {"mg": Fraction(1), "g": Fraction(1000), "gm": Fraction(1000)}
_TO_MG |= dict.fromkeys(("mcg", "µg", "μg", "ug"), _MICRO)
_PER_VOLUME_ROUNDING = Fraction(1, 100)  # labels round 325 mg/15 mL to 21.7 mg/mL
_NAMED_12 = {
    Fraction("0.0125"): Fraction("0.012")
}  # the fentanyl patch that delivers 12.5 is coded as 12
_GIVEN_IN_MICRO = ("mg/h", "mg", "mg/{actuat}")
_MOST_COUNTED = 10
_MOST_IN_MICRO = 2  # mg; no product of more is named in micrograms


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in a text that may be a strength; the unit is None where the text has none."""

    value: Fraction
    unit: str | None  # mg | mg/mL | mg/h | mg/{actuat} | None

    def fits(self, component: Component) -> bool:
        """Whether the amount can be this component's strength, units allowing.

        Patches and sprays also come without their ratio (`25 mcg patch`) or unit (`Duragesic 25`).
        """
        if component.strength is None:
            return False
        strength = _exact(component.strength)
        if self.unit is None:
            micro = component.unit in _GIVEN_IN_MICRO and strength < _MOST_IN_MICRO
            return strength == self.value or (micro and strength == self.value * _MICRO)
        if self.unit == component.unit == "mg/mL":
            return abs(strength - self.value) <= strength * _PER_VOLUME_ROUNDING
        if self.unit != component.unit and (
            self.unit != "mg" or component.unit not in _GIVEN_IN_MICRO
        ):
            return False
        return strength == self.value


def chains(text: str) -> tuple[frozenset[Amount], ...]:
    """The numbers in `text` that look like strengths, those together that are written together.

    >>> [sorted(f"{a.value} {a.unit}" for a in chain) for chain in chains("5-325 mg/15 mL, 1-2 tabs, #30")]
    [['1/3 mg/mL', '65/3 mg/mL']]
    """
    lowered = text.lower()
    found = (
        frozenset(_of_chain(chain, lowered[chain.end() :])) for chain in _CHAIN.finditer(lowered)
    )
    return tuple(amounts for amounts in found if amounts)


def _of_chain(match: re.Match[str], rest: str) -> Iterator[Amount]:
    links = [(match["first"], match["unit"]), *_LINK.findall(match["more"])]
    units = [unit for _, unit in links if unit]
    per = _ratio(match["per"])
    if not units and (per or _NO_STRENGTH.match(rest) or (_COUNT.match(rest) and _counts(links))):
        return
    for number, unit in links:
        value = _fraction(number)
        if not units:
            yield Amount(value, None)
            continue
        value *= _TO_MG[unit or units[-1]]
        if per == "mL" and match["size"]:
            value /= _fraction(match["size"]) or 1
        yield Amount(_NAMED_12.get(value, value), f"mg/{per}" if per else "mg")


def _counts(links: list[tuple[str, str]]) -> bool:
    """Whether numbers before `tablets` are a count or its range (`1-2`), not a pair of
    strengths (`8-2`).
    """
    values = [_fraction(number) for number, _ in links]
    return (values == sorted(values) and values[-1] <= _MOST_COUNTED) or len(values) == 1


@cache
def _exact(strength: Decimal) -> Fraction:
    return Fraction(strength)


def _ratio(per: str | None) -> str:
    if per is None:
        return ""
    return "mL" if per == "ml" else "h" if per.startswith("h") else "{actuat}"


def _fraction(number: str) -> Fraction:
    return Fraction(number.replace(",", ""))
