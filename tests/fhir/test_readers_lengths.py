"""How long an order is current where only the bounds of its instructions tell."""

from __future__ import annotations

from datetime import date
from typing import Any

from cds_service.clinical.facts import Need
from tests.fhir.calls import Call, bundle, order, read

LATER = {"boundsPeriod": {"start": "2026-02-25", "end": "2026-03-26"}}
AFTER = {"boundsPeriod": {"start": "2026-03-27", "end": "2026-03-31"}}
FOR_TWO_DAYS = {"boundsDuration": {"value": 2, "unit": "d"}}


def days(authored: str, *bounds: dict[str, Any], **members: Any) -> tuple[date, date | None]:
    """The day on which an order begins and the one on which it is over; instructions follow one another."""
    said = [
        {
            "sequence": number,
            "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d", **each}},
            "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
        }
        for number, each in enumerate(bounds, 1)
    ]
    sent = bundle(order("a", authoredOn=authored, dosageInstruction=said, **members))
    (found,) = read(Call({"medicationRequests": sent}), [Need.MEDICATIONS]).facts.orders
    assert found.span is not None
    return found.span.start, found.span.end


def test_bounds_that_begin_later_say_on_which_days_it_runs() -> None:
    assert days("2026-01-05", LATER) == (date(2026, 2, 25), date(2026, 3, 27))
    assert days("2026-01-05", LATER, AFTER) == (date(2026, 2, 25), date(2026, 4, 1))
    # Thirty days from when it was written.
    assert days("2026-03-01", LATER) == (date(2026, 3, 1), date(2026, 3, 31))


def test_other_lengths_count_from_when_all_instructions_begin() -> None:
    ten = {"expectedSupplyDuration": {"value": 10, "unit": "d"}}
    assert days("2026-01-05", LATER, dispenseRequest=ten) == (date(2026, 2, 25), date(2026, 3, 7))
    assert days("2026-03-01", LATER, dispenseRequest=ten) == (date(2026, 3, 1), date(2026, 3, 11))
    # Nothing says that the two days are put off as well.
    assert days("2026-01-05", LATER, FOR_TWO_DAYS) == (date(2026, 1, 5), date(2026, 2, 6))
    assert days("2026-01-05", FOR_TWO_DAYS, LATER) == (date(2026, 1, 5), date(2026, 2, 6))
