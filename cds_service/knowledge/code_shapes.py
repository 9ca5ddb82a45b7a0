"""What a code of each system looks like, and the check digit of those that have one. Pure."""

from __future__ import annotations

import re

SHAPES: dict[str, tuple[re.Pattern[str], str]] = {
    "RXNORM": (re.compile(r"[1-9][0-9]{0,7}"), "digits"),
    "NDC": (
        re.compile(r"[0-9]{11}"),
        "eleven digits, or 4-4-2, 5-3-2, 5-4-1 or 5-4-2 with hyphens",
    ),
    "SNOMED": (re.compile(r"[1-9][0-9]{5,17}"), "6 to 18 digits"),
    "ICD10CM": (
        re.compile(r"[A-Z][0-9][0-9A-Z][0-9A-Z]{0,4}"),
        "a letter, a digit and up to five more",
    ),
    "LOINC": (
        re.compile(r"(LA|LP|LL)?[1-9][0-9]{0,6}-[0-9]"),
        "digits (an answer: LA first), hyphen, check digit",
    ),
    "CPT": (re.compile(r"[0-9]{4}[0-9A-Z]"), "five characters"),
    "HCPCS": (re.compile(r"[A-V][0-9]{4}"), "a letter and four digits"),
    "NUCC": (re.compile(r"[0-9A-Z]{9}X"), "ten characters that end in X"),
    # What is no code system of FHIR but named by sites all the same: a questionnaire, and a question
    # of one.
    "QUESTIONNAIRE": (
        re.compile(r"[^\s|#]+"),
        "a canonical, or what a site writes in its place, without version",
    ),
    "LINKID": (re.compile(r"[^\s#]+"), "the link id of a question"),
    "CVX": (re.compile(r"[0-9]{1,3}"), "up to three digits"),
}
ICD_PREFIX = re.compile(r"[A-Z]([0-9]([0-9A-Z][0-9A-Z]{0,4})?)?")

# Verhoeff's tables: the multiplication of the dihedral group D5, and its permutation by position.
_TIMES = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_TURNED = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def check_digit_fits(system: str, code: str) -> bool:
    """Whether the check digit of a SNOMED CT or LOINC code fits; True for systems without one.

    >>> check_digit_fits("SNOMED", "279039007"), check_digit_fits("SNOMED", "279039008")
    (True, False)
    >>> check_digit_fits("LOINC", "97909-6"), check_digit_fits("LOINC", "97909-5")
    (True, False)
    """
    if system == "SNOMED":
        return _verhoeff(code)
    if system == "LOINC" and code[0] != "L":
        return _mod10(code.replace("-", ""))
    return True


def _verhoeff(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total = int(_TIMES[total][int(_TURNED[place % 8][int(digit)])])
    return total == 0


def _mod10(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 else 1)
        total += doubled // 10 + doubled % 10
    return total % 10 == 0
