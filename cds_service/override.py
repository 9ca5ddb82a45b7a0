"""What an override means here: which of our reasons it names, and until when the card is
quiet. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from cds_service.card_files import OverrideReason
from cds_service.memory.store import Given
from cds_service.protocol.feedback import Feedback


def given(
    items: Iterable[Feedback], reasons: Collection[OverrideReason], today: date
) -> list[Given]:
    """Feedback read with our override reasons; days count from the override, at the latest
    from today.
    """
    return [_given(item, reasons, today) for item in items]


def _given(item: Feedback, reasons: Collection[OverrideReason], today: date) -> Given:
    reason = _reason(item, reasons) if item.outcome == "overridden" else None
    if reason is None:
        return Given(item)
    if not reason.snooze_days:
        return Given(item, reason.id)
    return Given(item, reason.id, min(item.at.date(), today) + timedelta(days=reason.snooze_days))


def _reason(item: Feedback, reasons: Collection[OverrideReason]) -> OverrideReason | None:
    """By system and code; some clients leave out the system, some send the words alone."""
    if item.reason_code:
        found = (
            r
            for r in reasons
            if r.code == item.reason_code and item.reason_system in ("", r.system)
        )
    else:
        words = item.reason_display.strip().casefold()
        found = (r for r in reasons if words and r.display.casefold() == words)
    return next(found, None)
