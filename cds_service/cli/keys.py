"""`cds-service keys`: key pairs for tests, and the keys that a client publishes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from cds_service.settings import load_settings
from cds_service.tokens import KINDS

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("keys")
def command() -> None:
    """Make and check the keys that clients sign with. This service itself signs nothing."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--algorithm", type=click.Choice(list(KINDS)), default="ES384", show_default=True)
@click.option("--kid", default="", help="Id of the key; random without it.")
def make(file: Path, algorithm: str, kid: str) -> None:
    """Write a new private JWK to FILE, for its owner only, and print the JWKS to publish."""
    from cds_service.jwk_pairs import new_pair, public_set

    written = json.dumps(new_pair(algorithm, kid), indent=2)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.BadParameter(f"{file.name}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(written + "\n")
    except OSError:
        file.unlink()  # half a key is none
        raise
    click.echo(json.dumps(public_set(written), indent=2))


@command.command("print")
@click.argument("file", type=_FILE)
def print_public(file: Path) -> None:
    """Print the JWKS of the public keys in FILE, a JWK or JWKS, private or not."""
    from cds_service.jwk_pairs import public_set
    from cds_service.key_sets import BadKeySet

    try:
        found = public_set(file.read_text(encoding="utf-8"))
    except (BadKeySet, UnicodeDecodeError):
        raise click.BadParameter(f"{file.name} is no JWK or JWKS") from None
    if not found["keys"]:
        raise click.BadParameter(f"{file.name} holds no EC or RSA key")
    click.echo(json.dumps(found, indent=2))


@command.command()
@click.argument("client_id")
def check(client_id: str) -> None:
    """Fetch the keys of the registered client CLIENT_ID as the service would; exit 1 if
    that fails.
    """
    from cds_service.cli.client import registered
    from cds_service.integration.key_check import keys_of

    client = next((each for each in registered(load_settings()) if each.id == client_id), None)
    if client is None:
        raise click.BadParameter(f"no client is called {client_id}")
    found = keys_of(client)
    for key in found.keys:
        click.echo(f"{key.algorithm}  {key.id}  {key.thumbprint}")
    for fault in found.faults:
        click.echo(fault, err=True)
    sys.exit(1 if found.faults else 0)
