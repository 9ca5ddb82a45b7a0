"""A card, what it rests on, and feedback on it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from cds_service.memory.snoozes import marks_text
from cds_service.memory.store import Given, IssuedCard
from cds_service.protocol.feedback import Feedback

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
TODAY = date(2024, 3, 1)
UUID = "0b1e9b1a-0000-5000-8000-000000000001"
PATIENT, PERSON = "p" * 32, "u" * 32
MARKS = frozenset({"opioid-dose-threshold 0", "mme 50"})
CARD = IssuedCard(
    uuid=UUID,
    client="anyone",
    service="opioid-safety",
    hook="order-sign",
    card="opioid-dose",
    indicator="warning",
    criteria=("opioid-dose-threshold",),
    shown=True,
    as_of=TODAY,
    knowledge="abc",
    created=NOW,
    patient=PATIENT,
    person=PERSON,
    marks=marks_text({"opioid-dose": MARKS}),
)


def feedback(
    card: str = UUID, outcome: str = "accepted", minutes: int = 1, **members: object
) -> Feedback:
    return Feedback(card, outcome, NOW + timedelta(minutes=minutes), **members)  # type: ignore[arg-type]


def override(card: str = UUID, minutes: int = 1, days: int = 90) -> Given:
    """An override for a reason that keeps the card quiet for so many days."""
    until = TODAY + timedelta(days=days)
    return Given(feedback(card, "overridden", minutes), "clinical-judgement", until)
