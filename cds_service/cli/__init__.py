"""The `cds-service` command. A subcommand is imported when asked for, so that `serve` starts at
once.

Exit 0 good, 1 something found, 2 bad input or knowledge.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from cds_service import __version__
from cds_service.errors import CdsError

COMMANDS = {
    "serve": "cds_service.cli.serve",
    "check": "cds_service.cli.check",
    "db": "cds_service.cli.db",
    "client": "cds_service.cli.client",
    "keys": "cds_service.cli.keys",
    "feedback": "cds_service.cli.feedback",
    "explain": "cds_service.cli.explain",
    "cases": "cds_service.cli.cases",
    "docs": "cds_service.cli.docs",
    "new-rule": "cds_service.cli.new_rule",
    "invoke": "cds_service.cli.invoke",
    "validate": "cds_service.cli.validate",
    "conformance": "cds_service.cli.conformance",
    "dry-run": "cds_service.cli.dry_run",
    "directory": "cds_service.cli.directory",
}


class _Lazy(click.Group):
    """A group whose commands are the `command` of one module each."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Lazy)
@click.version_option(__version__)
def commands() -> None:
    """A CDS Hooks service for low back pain and opioid prescribing."""


def main() -> None:
    """Run the command; an error raised on purpose, or a file or disk that cannot be used, is one
    line on standard error and exit 2.
    """
    try:
        commands(prog_name="cds-service")
    except CdsError as error:
        click.echo(f"cds-service: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"cds-service: {where}{error.strerror or type(error).__name__}", err=True)
        sys.exit(2)
