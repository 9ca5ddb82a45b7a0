"""What we remember: which cards were issued, and what became of them. No patient data."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

HEAD = "0003"  # the newest migration; a worker compares it without importing Alembic

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
    Column("patient", String(32), nullable=False, server_default=""),  # a keyed hash
    Column("person", String(32), nullable=False, server_default=""),  # the user, a keyed hash
    Column("snoozed", Boolean, nullable=False, server_default=false()),  # would have been shown
    Column(
        "marks", Text, nullable=False, server_default=""
    ),  # what each card in it rested on, as JSON
    Index("issued_card_created", "created"),
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
    Column(
        "reason", String(100), nullable=False, server_default=""
    ),  # our id of the override reason
    Column("quiet_until", Date),  # the first day on which the card may speak again
    UniqueConstraint("client", "card_uuid", "outcome", "outcome_at", name="feedback_once"),
    Index("feedback_card", "card_uuid"),
)

seen_token = Table(
    "seen_token",
    metadata,
    Column("token", String(64), primary_key=True),  # a hash of issuer and token id
    Column("until", DateTime, nullable=False),  # UTC; later the token is refused for its age
    Index("seen_token_until", "until"),
)

snooze = Table(
    "snooze",
    metadata,
    Column("client", String(100), primary_key=True),
    Column("patient", String(32), primary_key=True),
    Column("person", String(32), primary_key=True),
    Column("card", String(100), primary_key=True),
    Column("card_uuid", String(36), nullable=False),  # the issued card that was overridden
    Column("until", Date, nullable=False),
    Column("given", DateTime, nullable=False),  # UTC, when it was overridden
    Column("marks", Text, nullable=False),  # what the card rested on, as JSON
)

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("client", String(100), nullable=False),
    Column("at", DateTime, nullable=False),  # UTC
    Column("event", Text, nullable=False),  # a FHIR R4 AuditEvent as JSON
    Index("audit_event_at", "at"),
)

version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
