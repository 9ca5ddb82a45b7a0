"""`cds-service cases`: run the worked cases, or write down what the rules say now."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cds_service.cases import Road

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group("cases", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Worked cases: charts in shorthand and what each rule says of them."""
    if context.invoked_subcommand is None:
        context.invoke(run)


@command.command()
@click.argument("rules", nargs=-1)
@click.option("--folder", type=_FOLDER, default="tests/cases", help="Where the case files are.")
def run(rules: tuple[str, ...], folder: Path) -> None:
    """Run the cases of RULES, else all, by every road; exit 1 if one differs."""
    from cds_service.cases import House, Road, case_files, load_cases

    files, house = tuple(_chosen(case_files(folder), rules)), House()
    count = wrong = 0
    for file in files:
        for case in load_cases(file, house.systems):
            count += 1
            found = {road: house.run(case, road) for road in Road}
            if any(found.values()):
                wrong += 1
                click.echo(str(case))
                for line in _told(found):
                    click.echo(f"  {line}")
    click.echo(f"{count} cases, {wrong} differ")
    sys.exit(1 if wrong else 0)


@command.command()
@click.argument("rule")
@click.option("--folder", type=_FOLDER, default="tests/cases", help="Where the case files are.")
def update(rule: str, folder: Path) -> None:
    """Show what RULE says now where a case of it differs, ready to be copied after review."""
    from cds_service.cases import House, Road, load_cases
    from cds_service.cases.compare import differences

    house, differ = House(), 0
    for case in load_cases(folder / f"{rule.replace('-', '_')}.yaml", house.systems):
        said = house.direct(case)
        if not differences(case, said):
            continue
        differ += 1
        click.echo(f"{case} ({Road.DIRECT})")
        click.echo("    then:" if said else "    then: []")
        lines = {
            reference: number for number, reference in enumerate(case.chart.references, start=1)
        }
        for name, one in said.items():
            because = sorted(lines[ref] for ref in one.because if ref in lines)
            told = f"criterion: {name}, status: {one.status}, indicator: {one.indicator}, because: {because}"
            click.echo(f"      - {{{told}}}")
    sys.exit(1 if differ else 0)


def _chosen(files: tuple[Path, ...], rules: tuple[str, ...]) -> Iterator[Path]:
    wanted = {rule.replace("-", "_") for rule in rules}
    if unknown := wanted - {file.stem for file in files}:
        raise click.BadParameter(f"no cases of {', '.join(sorted(unknown))}")
    yield from (file for file in files if not wanted or file.stem in wanted)


def _told(found: Mapping[Road, list[str]]) -> Iterator[str]:
    """Each difference once, with the roads on which it shows."""
    roads: dict[str, list[str]] = {}
    for road, lines in found.items():
        for line in lines:
            roads.setdefault(line, []).append(str(road))
    yield from (f"{line} ({', '.join(where)})" for line, where in roads.items())
