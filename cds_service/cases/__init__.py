"""Worked cases: a chart in shorthand, what one rule says of it, and the roads by which it
says so.
"""

from __future__ import annotations

from cds_service.cases.load import Case, Expected, case_files, load_cases
from cds_service.cases.roads import REQUEST_ROADS, Call, House, Road, call_of

__all__ = [
    "REQUEST_ROADS",
    "Call",
    "Case",
    "Expected",
    "House",
    "Road",
    "call_of",
    "case_files",
    "load_cases",
]
