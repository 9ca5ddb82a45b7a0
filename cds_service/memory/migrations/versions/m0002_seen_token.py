"""Tokens that were used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table that lets a token be used once."""
    op.create_table(
        "seen_token",
        sa.Column("token", sa.String(64), primary_key=True),
        sa.Column("until", sa.DateTime, nullable=False),
    )
    op.create_index("seen_token_until", "seen_token", ["until"])
