"""Bring the database schema up to date, once, before any worker starts. The only importer
of Alembic.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from cds_service.memory.tables import HEAD

_MIGRATIONS = Path(__file__).with_name("migrations")


def is_current(url: str) -> bool:
    """Whether a SQLite database already has the newest schema and its journal; other databases are
    always asked.
    """
    parsed = make_url(url)
    if (
        parsed.get_backend_name() != "sqlite"
        or not parsed.database
        or not Path(parsed.database).is_file()
    ):
        return False
    try:
        with closing(sqlite3.connect(parsed.database)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
    except sqlite3.Error:
        return False
    return row is not None and row[0] == HEAD and journal == "wal"


def upgrade(url: str) -> None:
    """Run every migration that has not run yet."""
    from alembic import command  # 0.25 s that no worker should pay
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["url"] = url
    command.upgrade(config, "head")
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        with closing(sqlite3.connect(parsed.database)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")  # readers beside one writer; it stays
