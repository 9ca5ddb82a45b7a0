"""`cds-service directory`: the file of preferred partners that CDS_DIRECTORY names."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.cli.options import token_of
from cds_service.errors import KnowledgeError
from cds_service.settings import Mode, load_settings

if TYPE_CHECKING:
    from cds_service.knowledge.codes import Code
    from cds_service.knowledge.directory import Directory
    from cds_service.knowledge.model import Knowledge

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("directory")
def command() -> None:
    """Fetch or check the preferred partners that suggestions name. The service reads the file when
    it starts: restart it to take a new one into use.
    """


@command.command()
@click.option("--fhir", "base", required=True, help="Base URL of the directory's FHIR server.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; one that is there is replaced in one step, or not at all.",
)
@click.option(
    "--search",
    "searches",
    multiple=True,
    metavar="SEARCH",
    help="`HealthcareService?...` or `PractitionerRole?...`, for those only; repeatable.",
)
@click.option("--token", type=_FILE, help="A file that holds an access token.")
@click.option(
    "--timeout", type=click.FloatRange(0.1, 600), default=60.0, help="Seconds for one query."
)
def fetch(
    base: str, out: Path, searches: tuple[str, ...], token: Path | None, timeout: float
) -> None:
    """Write the file from a FHIR search: active services and roles that do what our orders ask."""
    from cds_service.integration.directory import fetch as fetched_from
    from cds_service.integration.directory import write
    from cds_service.integration.server import FhirServer

    knowledge, orders = _known()
    wanted = {code for codes in orders.values() for code in codes}
    with FhirServer(base, token_of(token), timeout) as server:
        fetched = fetched_from(server, knowledge, wanted, searches)
    directory = write(out, fetched, knowledge)
    for why, count in sorted(fetched.left_out.items()):
        click.echo(f"left out: {count} {why}")
    _tell(out, directory, orders)
    click.echo("Restart the service to take it into use.")


@command.command()
@click.argument("file", type=_FILE)
def check(file: Path) -> None:
    """Read FILE as the service would, and say which orders have a partner; exit 1 on a fault."""
    from cds_service.knowledge.directory_files import read_directory

    knowledge, orders = _known()
    try:
        directory = read_directory(file, knowledge)
    except KnowledgeError as fault:
        click.echo(str(fault))
        sys.exit(1)
    _tell(file, directory, orders)


def _known() -> tuple[Knowledge, Mapping[str, frozenset[Code]]]:
    """What we know, and what each order file asks for that somebody can be preferred for."""
    from cds_service.card_files import read_orders
    from cds_service.card_orders import asked
    from cds_service.knowledge.loader import load_knowledge
    from cds_service.shipped import shipped

    settings = load_settings(mode=Mode.TEST)
    knowledge = load_knowledge(overlay=settings.knowledge, factors=settings.mme_factors.value)
    own = () if settings.cards is None else (settings.cards,)
    orders = read_orders((shipped("cards"), *own), knowledge)
    named = {
        name: asked(order, knowledge)
        for name, order in orders.items()
        if "performer" in order.resource or "owner" in order.resource
    }
    return knowledge, named


def _tell(file: Path, directory: Directory, orders: Mapping[str, frozenset[Code]]) -> None:
    click.echo(f"{file.name}: {len(directory.partners)} partners")
    for name, count in _counted(directory, orders):
        click.echo(f"  {name}: {count}")


def _counted(
    directory: Directory, orders: Mapping[str, frozenset[Code]]
) -> Iterator[tuple[str, int]]:
    """Orders that have partners, and how many."""
    for name, codes in sorted(orders.items()):
        count = sum(not codes.isdisjoint(partner.codes) for partner in directory.partners)
        if count:
            yield name, count
