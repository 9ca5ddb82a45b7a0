"""The worked cases by card, as `cds-service docs` wrote them down: the case files are not
shipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from cds_service.about.model import WorkedCase

CASES_FILE = Path(__file__).with_name("worked-cases.json")


def worked_cases(file: Path = CASES_FILE) -> Mapping[str, tuple[WorkedCase, ...]]:
    """Each card's cases in the order of its file; none at all where the file was never made."""
    if not file.is_file():
        return {}
    found = orjson.loads(file.read_bytes())
    return {card: tuple(WorkedCase(**case) for case in cases) for card, cases in found.items()}
