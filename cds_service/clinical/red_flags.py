"""Red flags, worked out once a request. Pure."""

from __future__ import annotations

from cds_service.clinical.facts import Facts
from cds_service.clinical.rule import Known, reasoning


@reasoning()
def emergency(facts: Facts, known: Known) -> bool:
    """Whether an emergency red flag (R-RF-01, 02, 03, 06 or 09) is met, so that list S is in force."""
    return False
