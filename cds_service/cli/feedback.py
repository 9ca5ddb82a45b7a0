"""`cds-service feedback`: what became of the cards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from cds_service.settings import load_settings

if TYPE_CHECKING:
    from cds_service.memory.report import Asked, Tally

_DAY = click.DateTime(["%Y-%m-%d"])


def _which(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--until", type=_DAY, help="Up to, not on, this day (UTC)."),
        click.option("--since", type=_DAY, help="From this day on (UTC)."),
        click.option("--client", default="", help="Of this client only."),
    ):
        command = option(command)
    return command


@click.group("feedback")
def command() -> None:
    """What became of the cards."""


@command.command()
@_which
@click.option(
    "--by", type=click.Choice(["card", "hook", "client"]), default="card", help="A line for each."
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def report(client: str, since: datetime | None, until: datetime | None, by: str, form: str) -> None:
    """How often cards fired, were shown, accepted and overridden, why, and how soon."""
    from cds_service.memory.engine import open_engine
    from cds_service.memory.report import report as run

    found = run(open_engine(load_settings().database), _asked(client, since, until), by)
    if form == "json":
        import orjson

        lines = [{by: key, **_members(tally)} for key, tally in found.items()]
        click.echo(orjson.dumps(lines, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(by, found)


@command.command()
@_which
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv")
def export(client: str, since: datetime | None, until: datetime | None, form: str) -> None:
    """List every feedback item: intervention, action, reason, comment, user, date, location
    and more.
    """
    import csv

    import orjson

    from cds_service.memory.engine import open_engine
    from cds_service.memory.report import COLUMNS
    from cds_service.memory.report import export as run

    rows = run(open_engine(load_settings().database), _asked(client, since, until))
    if form == "json":
        for row in rows:
            click.echo(orjson.dumps(row).decode())
        return
    sheet = csv.DictWriter(sys.stdout, COLUMNS)
    sheet.writeheader()
    for row in rows:
        sheet.writerow({name: _cell(text) for name, text in row.items()})


def _asked(client: str, since: datetime | None, until: datetime | None) -> Asked:
    from cds_service.memory.report import Asked

    def day(moment: datetime | None) -> date | None:
        return moment.date() if moment is not None else None

    return Asked(client, day(since), day(until))


def _members(tally: Tally) -> dict[str, Any]:
    return {
        "fired": tally.fired,
        "shown": tally.shown,
        "silent": tally.silent,
        "snoozed": tally.snoozed,
        "accepted": tally.accepted,
        "overridden": tally.overridden,
        "reasons": dict(tally.reasons.most_common()),
        "median_seconds": tally.median_seconds,
    }


def _print(by: str, found: Mapping[str, Tally]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        by, "fired", "shown", "silent", "snoozed", "accepted", "overridden", "reasons", "median s"
    )
    table.columns[0].no_wrap = True
    for key, tally in found.items():
        members = _members(tally)
        members["reasons"] = ", ".join(
            f"{reason} {count}" for reason, count in members["reasons"].items()
        )
        members["median_seconds"] = (
            "" if tally.median_seconds is None else f"{tally.median_seconds:g}"
        )
        table.add_row(key, *map(str, members.values()))
    Console().print(table)


def _cell(text: str) -> str:
    """A spreadsheet takes what begins so for a formula; feedback comes from outside."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
