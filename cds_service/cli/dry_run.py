"""`cds-service dry-run`: what a FHIR server would let us know, before any clinician sees a card."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.cli.options import columns, console, token_of

if TYPE_CHECKING:
    from rich.table import Table

    from cds_service.integration.dry_run import Query, Reach

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("dry-run")
@click.option("--fhir", "base", required=True, help="Base URL of the FHIR server.")
@click.option("--patient", required=True, help="Id of a patient there.")
@click.option("--token", type=_FILE, help="A file that holds an access token.")
@click.option(
    "--timeout", type=click.FloatRange(0.1, 120), default=10.0, help="Seconds for one query."
)
def command(base: str, patient: str, token: Path | None, timeout: float) -> None:
    """Ask a FHIR server every prefetch query once; exit 1 if something could not be evaluated."""
    if not patient.strip():
        raise click.UsageError("--patient is empty")
    from cds_service.clinical.rules import load_rules
    from cds_service.integration.dry_run import queries, reach
    from cds_service.integration.server import FhirServer

    with FhirServer(base, token_of(token), timeout) as server:
        came = list(queries(server, patient))
    found = list(reach(load_rules(), came))
    out = console()
    out.print(_asked(base, came))
    out.print(_evaluated(found))
    whole = sum(one.state == "whole" for one in found)
    out.print(
        f"{sum(e.milliseconds for e in came):.0f} ms one after the other; {whole} of {len(found)} cards whole"
    )
    sys.exit(0 if whole == len(found) else 1)


def _asked(base: str, came: Iterable[Query]) -> Table:
    table = columns(
        *("need", "query", "allowed", "resources", "pages", "ms", "trouble"),
        title=f"Queries to {base}",
    )
    for each in came:
        table.add_row(
            each.need,
            each.url.partition("?")[0].partition("/")[0],  # the rest holds the patient's id
            each.refused or "yes",
            str(each.resources),
            str(each.pages),
            f"{each.milliseconds:.0f}",
            each.fault,
        )
    return table


def _evaluated(found: Iterable[Reach]) -> Table:
    table = columns(
        "service", "hook", "card", "criteria", "evaluated", "lacks", title="What could be evaluated"
    )
    for one in found:
        table.add_row(
            one.service, one.hook, one.card, str(one.criteria), one.state, ", ".join(one.lacks)
        )
    return table
