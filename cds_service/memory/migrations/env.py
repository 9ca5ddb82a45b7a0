"""How Alembic reaches the database: the URL comes from `memory.schema.upgrade`."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

from cds_service.memory.schema import is_newer
from cds_service.memory.tables import metadata

_LOCK = 7_203_417  # any number that nothing else in the database locks
engine = create_engine(context.config.attributes["url"])
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        if engine.dialect.name == "postgresql":  # replicas that start together take turns
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        if not is_newer(context.get_context().get_current_revision()):
            context.run_migrations()
engine.dispose()
