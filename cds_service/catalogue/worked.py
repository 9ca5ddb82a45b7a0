"""The worked cases as the pages about the cards show them: the case files themselves are
not shipped.
"""

from __future__ import annotations

import orjson

from cds_service.cases.load import Case, Expected
from cds_service.catalogue.pages import Shelf
from cds_service.clinical.criteria import Status


def worked(shelf: Shelf) -> str:
    """`worked-cases.json`: each card's cases, what they show and what the card says."""
    found = {
        card: [
            {"name": case.name, "why": " ".join(str(case.why).split()), "says": says(case)}
            for case in cases
        ]
        for card, cases in sorted(shelf.cases.items())
    }
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n"


def says(case: Case) -> str:
    """What the card says of a case: criteria with their indicator, or that it is silent."""
    return "; ".join(map(_one, case.then)) or "silent"


def _one(expected: Expected) -> str:
    if expected.status is Status.MET and expected.indicator is not None:
        return f"{expected.criterion} ({expected.indicator.value})"
    return f"{expected.criterion} unknown"
