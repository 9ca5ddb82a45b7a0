"""`cds-service dry-run`: what a FHIR server would let us know, before any clinician sees a card."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cds_service.cli.options import columns, console, token_of

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

    asked = columns(
        "need",
        "query",
        "allowed",
        "resources",
        "pages",
        "ms",
        "trouble",
        title=f"Queries to {base}",
    )
    with FhirServer(base, token_of(token), timeout) as server:
        came = list(queries(server, patient))
    for each in came:
        kind = each.url.partition("?")[0].partition("/")[0]  # the rest holds the patient's id
        allowed = each.refused or "yes"
        time = f"{each.milliseconds:.0f}"
        asked.add_row(
            each.need, kind, allowed, str(each.resources), str(each.pages), time, each.fault
        )
    found = list(reach(load_rules(), came))
    cards = columns(
        "service", "hook", "card", "criteria", "evaluated", "lacks", title="What could be evaluated"
    )
    for one in found:
        cards.add_row(
            one.service, one.hook, one.card, str(one.criteria), one.state, ", ".join(one.lacks)
        )
    out = console()
    out.print(asked)
    out.print(cards)
    whole = sum(one.state == "whole" for one in found)
    out.print(
        f"{sum(e.milliseconds for e in came):.0f} ms one after the other; {whole} of {len(found)} cards whole"
    )
    sys.exit(0 if whole == len(found) else 1)
