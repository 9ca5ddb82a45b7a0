"""`cds-service docs`: the pages and files that are made from what they describe."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("docs")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if something is stale.")
@click.option("--cases", type=_FOLDER, default="tests/cases", help="Where the case files are.")
@click.option(
    "--docs", "folder", type=_FOLDER, default="docs", help="Where the guides for operators are."
)
def command(check: bool, cases: Path, folder: Path) -> None:
    """Write the catalogue, the worked cases of the about pages, the build sheet and the
    operator's guide.
    """
    stale = False
    for target, make in targets(cases, folder).items():
        made = make()
        if target.is_file() and target.read_text(encoding="utf-8") == made:
            click.echo(f"{target.name} is current")
        elif check:
            click.echo(f"{target.name} is stale; run cds-service docs")
            stale = True
        else:
            target.write_text(made, encoding="utf-8")
            click.echo(f"{target.name} written")
    sys.exit(1 if stale else 0)


def targets(cases: Path, folder: Path) -> dict[Path, Callable[[], str]]:
    """Every made file and how it is made. Raises KnowledgeError."""
    from functools import cache

    from cds_service.about import CASES_FILE
    from cds_service.assembly import load_service
    from cds_service.catalogue import build_sheet, gather, guide, page, worked
    from cds_service.service import Service
    from cds_service.settings import Mode, load_settings
    from cds_service.shipped import shipped

    @cache
    def service() -> Service:
        return load_service(load_settings(mode=Mode.TEST))

    def guided() -> str:
        text = written.read_text(encoding="utf-8")
        return guide(text, folder / "measured.json", service().library)

    shelf = gather(cases)
    written = folder / "operators-guide.md"
    return {
        shipped("cards") / "CATALOGUE.md": lambda: page(shelf),
        CASES_FILE: lambda: worked(shelf),
        folder / "build-sheet.md": lambda: build_sheet(service()),
        written: guided,
    }
