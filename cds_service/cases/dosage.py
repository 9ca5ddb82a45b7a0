"""The `sig` of a case line, made a structured FHIR Dosage.

>>> [d["sequence"] for d in dosages("10 mg 4 times a day, then 10 mg 2 times a day")]
[1, 2]
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from cds_service.cases.words import LineError, Resource

UCUM = "http://unitsofmeasure.org"
_MASS = {"mg": "mg", "g": "g", "mcg": "ug", "ug": "ug", "ml": "mL", "mg/ml": "mg/mL"}
_RATE = {"mcg/h": "ug/h", "ug/h": "ug/h", "mg/h": "mg/h"}
_PERIOD = {"minute": "min", "hour": "h", "day": "d", "week": "wk", "month": "mo"}
_TIMES = {"once": "1", "twice": "2"}
_NUMBER = r"\d+(?:\.\d+)?"
_DOSE = re.compile(rf"^({_NUMBER})(?:\s*(?:to|-)\s*({_NUMBER}))?\s+([^\s\d]\S*)\s*(.*)$")
_EVERY = re.compile(
    rf"^every (?:({_NUMBER})(?:\s*(?:to|-)\s*({_NUMBER}))?\s+)?(minute|hour|day|week|month)s?$"
)
_OFTEN = re.compile(
    rf"^(?:({_NUMBER})(?:\s*(?:to|-)\s*({_NUMBER}))? times|(once|twice)) (?:a|an|per|every) "
    rf"(?:({_NUMBER}) )?(minute|hour|day|week|month)s?$"
)
_LENGTH = re.compile(r"^(.*?)\s+for (\d+) (day|week|month)s?$")
_AT_MOST = re.compile(rf"^(.*?)\s+at most ({_NUMBER}) (\S+) a day$")


def dosages(sig: str) -> list[Resource]:
    """The Dosage list of a shorthand sig: `and` gives instructions taken together, `, then` the
    next step.

    Raises LineError.
    """
    found: list[Resource] = []
    steps = sig.split(", then ")
    for number, step in enumerate(steps, start=1):
        for part in step.split(" and "):
            dosage = _dosage(part.strip())
            if len(steps) > 1:
                dosage["sequence"] = number
            found.append(dosage)
    return found


def _dosage(text: str) -> Resource:
    dosage: Resource = {}
    rest = text
    if rest.endswith(" as needed"):
        rest, dosage["asNeededBoolean"] = rest.removesuffix(" as needed"), True
    if at_most := _AT_MOST.match(rest):
        rest = at_most[1]
        dosage["maxDosePerPeriod"] = {
            "numerator": amount(at_most[2], at_most[3]),
            "denominator": amount("1", "day", code="d"),
        }
    repeat: Resource = {}
    if length := _LENGTH.match(rest):
        rest = length[1]
        repeat["boundsDuration"] = amount(length[2], length[3], code=_PERIOD[length[3]])
    dose = _DOSE.match(rest)
    if dose is None:
        raise LineError(f"no dose in the sig {text!r}; write sig_text or raw")
    dosage["doseAndRate"] = [_dose_and_rate(dose[1], dose[2], dose[3])]
    repeat |= _frequency(dose[4].strip(), text)
    if repeat:
        dosage["timing"] = {"repeat": repeat}
    return dosage


def _dose_and_rate(low: str, high: str | None, unit: str) -> Resource:
    if unit.lower() in _RATE:
        return {"rateQuantity": amount(low, unit, code=_RATE[unit.lower()])}
    if high is None:
        return {"doseQuantity": amount(low, unit)}
    return {"doseRange": {"low": amount(low, unit), "high": amount(high, unit)}}


def _frequency(words: str, text: str) -> Resource:
    if not words:
        return {}
    if every := _EVERY.match(words):
        repeat = {
            "frequency": 1,
            "period": _number(every[1] or "1"),
            "periodUnit": _PERIOD[every[3]],
        }
        return repeat | ({"periodMax": _number(every[2])} if every[2] else {})
    if often := _OFTEN.match(words):
        times = Fraction(often[1] or _TIMES[often[3]])
        period = Fraction(often[4] or "1") * times.denominator
        repeat = {
            "frequency": times.numerator,
            "period": Decimal(period.numerator) / period.denominator,
            "periodUnit": _PERIOD[often[5]],
        }
        return repeat | ({"frequencyMax": int(often[2])} if often[2] else {})
    raise LineError(f"no frequency in the sig {text!r}; write sig_text or raw")


def amount(value: str, unit: str, code: str | None = None) -> Resource:
    """A Quantity; a unit that is no UCUM unit counts things: `tablets` becomes `{tablet}`."""
    known = code or _MASS.get(unit.lower())
    if known is None:
        unit = unit.removesuffix("es") if unit.endswith("ches") else unit.removesuffix("s")
        known = f"{{{unit}}}"
    return {"value": _number(value), "unit": unit, "system": UCUM, "code": known}


def _number(text: str) -> int | Decimal:
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() else value
