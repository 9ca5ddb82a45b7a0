"""Options that several commands share: how to name oneself to a CDS service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from cds_service.integration.remote import Remote

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_WIDE = 200  # characters of a line in a file


def console() -> Console:
    """Where tables go: as wide as a terminal is, and wide enough for names in a file."""
    from rich.console import Console

    found = Console()
    return found if found.is_terminal else Console(width=_WIDE)


def columns(*headings: str, title: str | None = None) -> Table:
    """A table whose cells break where they must and are never cut off."""
    from rich.table import Table

    made = Table(title=title)
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made


def remote_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--issuer`, `--key`, `--jku` and `--timeout`."""
    for option in (
        click.option(
            "--timeout", type=click.FloatRange(0.1, 120), default=10.0, help="Seconds for one call."
        ),
        click.option("--jku", default="", help="Where the service finds our public keys."),
        click.option("--key", type=_FILE, help="A private JWK to sign calls with."),
        click.option("--issuer", default="", help="Who we are, for signed calls."),
    ):
        command = option(command)
    return command


def remote(url: str, *, issuer: str, key: Path | None, jku: str, timeout: float) -> Remote:
    """The CDS service at a URL."""
    from cds_service.integration.remote import Remote
    from cds_service.integration.signing import signer
    from cds_service.settings import Mode, load_settings

    if bool(issuer) != (key is not None):
        raise click.UsageError("--issuer and --key go together")
    if key is None:
        return Remote(url, None, timeout)
    return Remote(url, signer(issuer, key, load_settings(mode=Mode.TEST).now, jku), timeout)


def token_of(file: Path | None) -> str:
    """An access token from a file, so that it stands in no list of processes."""
    try:
        return file.read_text(encoding="utf-8").strip() if file is not None else ""
    except UnicodeDecodeError:
        raise click.BadParameter(f"{file} holds no token") from None
