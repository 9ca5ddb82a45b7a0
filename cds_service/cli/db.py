"""`cds-service db`: the schema of what we remember, and how long it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import click

from cds_service.settings import load_settings

_AUDIT = click.option("--audit", is_flag=True, help="The audit trail as well.")


@click.group("db")
def command() -> None:
    """Look after the database."""


@command.command()
def upgrade() -> None:
    """Bring the schema up to date; safe to run again."""
    from cds_service.memory.schema import upgrade as run

    settings = load_settings()
    run(settings.database)
    click.echo("The database is up to date.")


@command.command()
@click.option(
    "--before",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The first day to keep (UTC).",
)
@_AUDIT
def purge(before: datetime, audit: bool) -> None:
    """Delete cards and feedback written before a day, and snoozes that had ended by then."""
    from cds_service.memory.engine import opened
    from cds_service.memory.retention import purge as run

    with opened(load_settings().database) as engine:
        _tell(run(engine, before.date(), audit=audit))


@command.command()
@click.argument("client")
@_AUDIT
@click.confirmation_option(prompt="Delete everything this client left?")
def forget(client: str, audit: bool) -> None:
    """Delete everything of CLIENT."""
    from cds_service.memory.engine import opened
    from cds_service.memory.retention import forget as run

    with opened(load_settings().database) as engine:
        _tell(run(engine, client, audit=audit))


@command.command()
@click.argument("client")
@click.argument("reference")
def pseudonym(client: str, reference: str) -> None:
    """Print what stands in the records for REFERENCE (`Patient/1`, `Practitioner/2`) of CLIENT."""
    from cds_service.memory.pseudonyms import Pseudonyms

    names = Pseudonyms(load_settings().hashing_key)
    kind = reference.partition("/")[0]
    click.echo(
        names.patient(client, reference) if kind == "Patient" else names.person(client, reference)
    )


def _tell(deleted: Mapping[str, int]) -> None:
    for table, rows in deleted.items():
        click.echo(f"{table}: {rows} rows deleted")
