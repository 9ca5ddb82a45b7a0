"""`cds-service conformance`: what CDS Hooks asks of a service, tried on any service."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click

from cds_service.cli.options import columns, console, remote, remote_options

_COLOURS = {"pass": "green", "fail": "bold red", "advice": "yellow", "skip": "dim"}
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("conformance")
@click.argument("url")
@remote_options
@click.option(
    "--request", "files", multiple=True, type=_FILE, help="A whole request to use for its hook."
)
@click.option(
    "--service", "services", multiple=True, help="The service of each --request, in the same order."
)
@click.option("--origin", default="", help="An origin from which browsers may call.")
@click.option("--all", "every", is_flag=True, help="List what passed as well.")
def command(
    url: str,
    files: tuple[Path, ...],
    services: tuple[str, ...],
    origin: str,
    every: bool,
    **named: Any,
) -> None:
    """Check the CDS service at URL; exit 1 if a requirement is broken."""
    from cds_service.integration.conformance import Verdict, conformance

    given = _given(files, services)
    table = columns("requirement", "level", "result", "what", "why", title=f"CDS Hooks at {url}")
    counted: Counter[str] = Counter()
    with remote(url, **named) as there:
        for result in conformance(there, given, origin):
            counted[result.verdict] += 1
            if every or result.verdict is not Verdict.PASS:
                shown = f"[{_COLOURS[result.verdict]}]{result.verdict}[/]"
                table.add_row(result.requirement, result.level, shown, result.says, result.why)
    out = console()
    if table.row_count:
        out.print(table)
    out.print(", ".join(f"{counted[verdict]} {verdict}" for verdict in Verdict))
    sys.exit(1 if counted[Verdict.FAIL] else 0)


def _given(files: tuple[Path, ...], services: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The user's requests by service and hook."""
    import orjson

    if len(files) != len(services):
        raise click.UsageError("each --request needs its --service")
    found: dict[str, dict[str, Any]] = {}
    for file, service in zip(files, services, strict=True):
        try:
            read = orjson.loads(file.read_bytes())
            found[f"{service}:{read['hook']}"] = read
        except (ValueError, KeyError, TypeError):
            raise click.BadParameter(f"{file.name} is no CDS Hooks request") from None
    return found
