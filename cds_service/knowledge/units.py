"""The units a number of ours may have, one spelling each: a UCUM code, and how it reads."""

from __future__ import annotations

from collections.abc import Mapping

UNITS: Mapping[str, str] = {
    "1": "",
    "%": "%",
    "{score}": "points",
    "10*9/L": "10⁹/L",
    "Cel": "°C",
    "MME/day": "MME/day",
    "a": "years",
    "d": "days",
    "kg/m2": "kg/m²",
    "mg/L": "mg/L",
    "mm/h": "mm/h",
    "mo": "months",
}
WHOLE = {"d": "whole days", "mo": "whole months"}  # counted on the calendar
