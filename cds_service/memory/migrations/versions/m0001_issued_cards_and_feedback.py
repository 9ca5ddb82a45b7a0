"""Issued cards and feedback."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first two tables."""
    op.create_table(
        "issued_card",
        sa.Column("card_uuid", sa.String(36), primary_key=True),
        sa.Column("client", sa.String(100), primary_key=True),
        sa.Column("service", sa.String(100), nullable=False),
        sa.Column("hook", sa.String(50), nullable=False),
        sa.Column("card", sa.String(100), nullable=False),
        sa.Column("indicator", sa.String(10), nullable=False),
        sa.Column("criteria", sa.Text, nullable=False),
        sa.Column("shown", sa.Boolean, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("knowledge", sa.String(64), nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("client", sa.String(100), nullable=False),
        sa.Column("service", sa.String(100), nullable=False),
        sa.Column("card_uuid", sa.String(200), nullable=False),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("outcome_at", sa.DateTime, nullable=False),
        sa.Column("suggestions", sa.Text, nullable=False),
        sa.Column("reason_system", sa.String(200), nullable=False),
        sa.Column("reason_code", sa.String(200), nullable=False),
        sa.Column("reason_display", sa.String(200), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("received", sa.DateTime, nullable=False),
        sa.UniqueConstraint("client", "card_uuid", "outcome", "outcome_at", name="feedback_once"),
    )
    op.create_index("feedback_card", "feedback", ["card_uuid"])
