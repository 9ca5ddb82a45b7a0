"""Bring the database schema up to date, once, before any worker starts. The only importer
of Alembic.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from cds_service.memory.engine import address, opened, refused
from cds_service.memory.tables import HEAD

_MIGRATIONS = Path(__file__).with_name("migrations")


def is_current(url: str) -> bool:
    """Whether a SQLite database already has our schema or a newer one, and its journal; other
    databases are always asked. Raises SettingsError.
    """
    parsed = address(url)
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
    return row is not None and (row[0] == HEAD or is_newer(row[0])) and journal == "wal"


def is_newer(revision: str | None) -> bool:
    """Whether a later version made the schema: migrations add, so this one runs on it as well.

    >>> is_newer("0999"), is_newer(HEAD), is_newer(None)
    (True, False, False)
    """
    return revision is not None and revision.isdecimal() and revision > HEAD


def upgrade(url: str) -> None:
    """Run every migration that has not run yet; a newer schema stays as it is.

    Raises SettingsError for a database that cannot be reached or refuses.
    """
    from alembic import command  # 0.25 s that no worker should pay
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["url"] = url
    try:
        with opened(url) as engine, engine.connect():
            pass  # what is wrong with the address is said within seconds
        command.upgrade(config, "head")
    except SQLAlchemyError as error:
        raise refused(error) from None
    parsed = address(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        with closing(sqlite3.connect(parsed.database)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")  # readers beside one writer; it stays
