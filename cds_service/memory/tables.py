"""What we remember: which cards were issued, and what became of them. No patient data."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, DateTime, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

HEAD = "0001"  # the newest migration; a worker compares it without importing Alembic

metadata = MetaData()

issued_card = Table(
    "issued_card",
    metadata,
    Column("card_uuid", String(36), primary_key=True),
    Column("client", String(100), primary_key=True),
    Column("service", String(100), nullable=False),
    Column("hook", String(50), nullable=False),
    Column("card", String(100), nullable=False),
    Column("indicator", String(10), nullable=False),
    Column("criteria", Text, nullable=False),  # names met, comma-separated
    Column("shown", Boolean, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("knowledge", String(64), nullable=False),
    Column("created", DateTime, nullable=False),  # UTC
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("client", String(100), nullable=False),
    Column("service", String(100), nullable=False),
    Column("card_uuid", String(200), nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("outcome_at", DateTime, nullable=False),  # UTC
    Column("suggestions", Text, nullable=False),  # accepted uuids, comma-separated
    Column("reason_system", String(200), nullable=False),
    Column("reason_code", String(200), nullable=False),
    Column("reason_display", String(200), nullable=False),
    Column("comment", Text, nullable=False),  # empty unless the site stores comments
    Column("received", DateTime, nullable=False),  # UTC
    UniqueConstraint("client", "card_uuid", "outcome", "outcome_at", name="feedback_once"),
    Index("feedback_card", "card_uuid"),
)

version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
