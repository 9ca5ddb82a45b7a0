"""One way to change frozen things, whichever of the two kinds they are of."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from cds_service import frozen

T = TypeVar("T")


def replace(one: T, **changes: Any) -> T:
    """`one` with other values for some of its fields."""
    if isinstance(one, frozen.Frozen):
        return frozen.replace(one, **changes)
    changed: T = dataclasses.replace(one, **changes)  # type: ignore[type-var]
    return changed
