"""`cds-service validate`: is a message, a resource or a card as it should be."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--request", type=_FILE, help="The request that a response answers.")
def command(files: tuple[Path, ...], request: Path | None) -> None:
    """Check FILES; exit 1 if one is wrong.

    Each may be a request, a response, a discovery document, feedback, a FHIR resource or a card
    (YAML).
    """
    from cds_service.integration.validate import validate

    wrong = 0
    for file in files:
        kind, faults = validate(file, request)
        for fault in faults:
            click.echo(f"{file.name}: {fault}")
        wrong += bool(faults)
        if not faults:
            click.echo(f"{file.name}: a good {kind}")
    sys.exit(1 if wrong else 0)
