"""What stands behind each card, for the people who read it: sources, numbers, codes and cases."""

from __future__ import annotations

from cds_service.about.assemble import about, index
from cds_service.about.cases import CASES_FILE, worked_cases
from cds_service.about.model import About, Grounds, Listed, Maker, WorkedCase

__all__ = [
    "CASES_FILE",
    "About",
    "Grounds",
    "Listed",
    "Maker",
    "WorkedCase",
    "about",
    "index",
    "worked_cases",
]
