"""MME day by day, for a chart of what was prescribed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction

from cds_service.clinical.dates import FAR_FUTURE, Span
from cds_service.clinical.facts import Order
from cds_service.clinical.medications import NEVER_TAKEN
from cds_service.clinical.mme_running import Running, converted, on_day
from cds_service.knowledge.model import FactorTable


def daily_series(
    orders: Iterable[Order], table: FactorTable, start: date, end: date
) -> tuple[tuple[date, Fraction], ...]:
    """MME on each day from `start` to `end` (not included), past orders counted for their own span.

    An order another one names as its prior ends when that one begins; what cannot be converted adds
    nothing.
    """
    spans = [(o, o.span) for o in orders if o.span is not None and o.opioid and _was_meant(o)]
    begins = {order.prior: span.start for order, span in spans if order.prior}
    running = []
    for order, span in spans:
        cut = begins.get(order.ref, FAR_FUTURE)
        until = max(span.start, min(cut, span.end or FAR_FUTURE))
        running.append(Running(order, Span(span.start, until), converted(order, table)))
    days = (start + timedelta(days=n) for n in range((end - start).days))
    return tuple((day, on_day(running, day)) for day in days)


def _was_meant(order: Order) -> bool:
    return order.meant and (order.draft or order.status not in NEVER_TAKEN)
