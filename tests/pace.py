"""How long a test may take."""

from __future__ import annotations

import sys

_TRACED = 4  # times as long, where coverage looks at every line


def allowed(seconds: float) -> float:
    """A limit for code that coverage may be looking at."""
    return seconds if sys.gettrace() is None else seconds * _TRACED
