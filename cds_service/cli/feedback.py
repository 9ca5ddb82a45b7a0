"""`cds-service feedback`: what became of the cards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from cds_service.cli.options import columns, console
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
    "--by",
    type=click.Choice(["card", "criterion", "hook", "client"]),
    default="card",
    help="A line for each; a card counts for every criterion it met.",
)
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
def report(client: str, since: datetime | None, until: datetime | None, by: str, form: str) -> None:
    """How often cards fired, were shown, accepted and overridden, why, and how soon."""
    from cds_service.memory.engine import opened
    from cds_service.memory.report import Tally
    from cds_service.memory.report import report as run

    asked = _asked(client, since, until)
    with opened(load_settings().database) as engine:
        found = run(engine, asked, by)
    if form == "json":
        import orjson

        lines = [{by: key, **_members(tally)} for key, tally in found.items()]
        click.echo(orjson.dumps(lines, option=orjson.OPT_INDENT_2).decode())
    elif form == "csv":
        _sheet(
            (by, *_members(Tally())),
            ({by: key, **_texts(tally)} for key, tally in found.items()),
        )
    else:
        _print(by, found)


@command.command()
@_which
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv")
@click.option(
    "--by",
    type=click.Choice(["item", "criterion"]),
    default="item",
    help="A line for each; an item counts for every criterion its card met.",
)
def export(client: str, since: datetime | None, until: datetime | None, form: str, by: str) -> None:
    """List every feedback item: intervention, action, reason, comment, user, date, location
    and more.
    """
    import orjson

    from cds_service.memory.engine import opened
    from cds_service.memory.report import COLUMNS
    from cds_service.memory.report import export as run

    asked = _asked(client, since, until)
    with opened(load_settings().database) as engine:
        rows = run(engine, asked, each_criterion=by == "criterion")
        if form == "json":
            for row in rows:
                click.echo(orjson.dumps(row).decode())
        else:
            _sheet(COLUMNS, rows)


def _sheet(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    import csv

    sheet = csv.DictWriter(sys.stdout, columns)
    sheet.writeheader()
    for row in rows:
        sheet.writerow({name: _cell(text) for name, text in row.items()})


def _asked(client: str, since: datetime | None, until: datetime | None) -> Asked:
    from cds_service.memory.report import Asked

    def day(moment: datetime | None) -> date | None:
        return moment.date() if moment is not None else None

    if since is not None and until is not None and until <= since:
        raise click.BadParameter("a day after --since", param_hint="--until")
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


def _texts(tally: Tally) -> dict[str, str]:
    """The members as they stand in a table."""
    members = _members(tally)
    reasons = members["reasons"].items()
    members["reasons"] = ", ".join(f"{reason} {count}" for reason, count in reasons)
    median = tally.median_seconds
    members["median_seconds"] = "" if median is None else f"{median:g}"
    return {name: str(value) for name, value in members.items()}


def _print(by: str, found: Mapping[str, Tally]) -> None:
    table = columns(
        by, "fired", "shown", "silent", "snoozed", "accepted", "overridden", "reasons", "median s"
    )
    for key, tally in found.items():
        table.add_row(key, *_texts(tally).values())
    console().print(table)


def _cell(text: str) -> str:
    """A spreadsheet takes what begins so for a formula; feedback comes from outside."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
