"""References of what came without an id: they tell facts of one call apart, and exist nowhere. Pure."""

from __future__ import annotations

_PLACED = "/unnamed-"


def placed(kind: str, at: int) -> str:
    """The reference of a resource that has neither an id nor an address, by its place.

    >>> placed("MedicationRequest", 0), invented(placed("MedicationRequest", 0)), invented("Task/1")
    ('MedicationRequest/unnamed-0', True, False)
    """
    return f"{kind}{_PLACED}{at}"


def invented(ref: str) -> bool:
    """Whether a reference is ours alone, so that nobody we answer could follow it."""
    return _PLACED in ref
