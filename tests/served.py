"""The real service with a database of its own, for as long as a `with` lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cds_service.assembly import load_service
from cds_service.memory.schema import upgrade
from cds_service.service import Service
from cds_service.settings import load_settings


@contextmanager
def served(database: Path, **settings: Any) -> Iterator[Service]:
    """The service on a fresh SQLite file, its writer running."""
    url = f"sqlite:///{database}"
    upgrade(url)
    service = load_service(load_settings(database_url=url, **settings), remember=True)
    service.start()
    try:
        yield service
    finally:
        service.close()
