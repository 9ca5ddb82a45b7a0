"""`cds-service serve`: gunicorn in this process."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import tempfile
from contextlib import closing
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import click

from cds_service.errors import SettingsError
from cds_service.settings import Mode, Settings, load_settings, strangers


@click.command("serve")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Fix the date: a test service.")
@click.option("--demo", is_flag=True, help="Serve the demo EHR page as well.")
def command(host: str | None, port: int | None, as_of: datetime | None, demo: bool) -> None:
    """Serve CDS Hooks until SIGTERM."""
    mode = Mode.DEMO if demo else Mode.TEST if as_of else None
    for name in strangers():
        click.echo(f"cds-service: warning: {name} is no setting", err=True)
    settings = load_settings(host=host, port=port, as_of=as_of.date() if as_of else None, mode=mode)
    folder, parent = Path(tempfile.mkdtemp(prefix="cds-service-")), os.getpid()
    try:
        run(settings, folder)
    finally:
        if os.getpid() == parent:  # a worker that ends comes by here too
            shutil.rmtree(folder, ignore_errors=True)


def run(settings: Settings, folder: Path) -> None:
    """Start the workers; `folder` is theirs to share."""
    _refuse_unready(settings)
    _refuse_taken(settings.host, settings.port)
    # what is loaded at start is kept; each worker switches the collector on when it is warm
    gc.disable()
    if settings.open_access and not settings.database_url:
        # What one demo set aside is no news to the next. Metrics take each *.db here for theirs.
        place = f"sqlite:///{folder / 'memory.sqlite'}"
        settings = settings.model_copy(update={"database_url": place})
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # read when prometheus_client is imported
    from cds_service.memory.schema import is_current

    upgrading = None if is_current(settings.database) else _Upgrade(settings.database)

    from cds_service.assembly import load_service
    from cds_service.service import Service
    from cds_service.web.gunicorn_app import Server
    from cds_service.web.log import failure

    def load() -> Service:
        service = load_service(settings, remember=True, failed=failure)
        if upgrading is not None:
            upgrading.ended()
        return service

    Server(settings, load, folder).run()


class _Upgrade:
    """Migrates in a process of its own, while the knowledge loads: workers should not carry
    Alembic.
    """

    def __init__(self, url: str) -> None:
        fork = get_context("fork")
        self._told, telling = fork.Pipe(duplex=False)
        self._process = fork.Process(target=_upgrade, args=(url, telling))
        self._process.start()
        telling.close()  # the other process has its own

    def ended(self) -> None:
        """Wait for it. Raises SettingsError where it failed."""
        try:
            said = self._told.recv()
        except EOFError:  # it ended without a word
            said = "CDS_DATABASE_URL: the schema could not be brought up to date"
        self._process.join()
        if said:
            raise SettingsError(said)


def _upgrade(url: str, telling: Connection) -> None:
    from cds_service.memory.schema import upgrade

    try:
        upgrade(url)
    except SettingsError as error:
        telling.send(str(error))
    else:
        telling.send("")


def _refuse_unready(settings: Settings) -> None:
    """Raises SettingsError or KnowledgeError before the database is touched."""
    from cds_service.clients_file import read_clients
    from cds_service.start_up import check_production

    check_production(
        settings, read_clients(settings.clients) if settings.clients is not None else ()
    )


def _refuse_taken(host: str, port: int) -> None:
    """Raises SettingsError: two services that share a port would each get half of the
    calls, unnoticed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"CDS_HOST, CDS_PORT: cannot listen there ({error.strerror})"
            ) from None
