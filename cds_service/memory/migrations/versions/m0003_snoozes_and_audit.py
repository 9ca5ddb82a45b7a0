"""Whom a card was for, what was set aside and until when, and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns and tables."""
    _columns()
    op.create_index("issued_card_created", "issued_card", ["created"])
    op.create_table(
        "snooze",
        sa.Column("client", sa.String(100), primary_key=True),
        sa.Column("patient", sa.String(32), primary_key=True),
        sa.Column("person", sa.String(32), primary_key=True),
        sa.Column("card", sa.String(100), primary_key=True),
        sa.Column("card_uuid", sa.String(36), nullable=False),
        sa.Column("until", sa.Date, nullable=False),
        sa.Column("given", sa.DateTime, nullable=False),
        sa.Column("marks", sa.Text, nullable=False),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("client", sa.String(100), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
    )
    op.create_index("audit_event_at", "audit_event", ["at"])


def _columns() -> None:
    """The defaults let the version before this one go on writing."""
    for name, kind, default in (
        ("patient", sa.String(32), ""),
        ("person", sa.String(32), ""),
        ("snoozed", sa.Boolean, sa.false()),
        ("marks", sa.Text, ""),
    ):
        op.add_column("issued_card", sa.Column(name, kind, nullable=False, server_default=default))
    op.add_column(
        "feedback", sa.Column("reason", sa.String(100), nullable=False, server_default="")
    )
    op.add_column("feedback", sa.Column("quiet_until", sa.Date))
