"""`cds-service client`: the file that registers who may call."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.cli.options import columns, console
from cds_service.errors import CdsError, KnowledgeError, SettingsError
from cds_service.settings import Settings, load_settings
from cds_service.tokens import KINDS

if TYPE_CHECKING:
    from cds_service.card_orders import OrderTemplate
    from cds_service.clients import Client
    from cds_service.knowledge.model import Knowledge


@click.group("client")
def command() -> None:
    """Look after the clients of the file that CDS_CLIENTS names."""


@command.command()
@click.argument("name")
@click.option("--issuer", required=True, help="The `iss` of its tokens.")
@click.option("--jku", default="", help="Address of its JWKS.")
@click.option("--keys", default="", help="A JWKS file beside the clients file, instead of --jku.")
@click.option(
    "--algorithm",
    "algorithms",
    multiple=True,
    type=click.Choice(list(KINDS)),
    help="A signature algorithm of its tokens, in place of ES384 and RS384.",
)
@click.option("--tenant", default="", help="The `tenant` of its tokens.")
@click.option("--fhir", default="", help="The one FHIR base that may be called back.")
@click.option("--service", "services", multiple=True, help="A service it may call; all without it.")
@click.option("--profile", default="", help="2.0, 3.0, epic, oracle, sandbox or crd.")
@click.option(
    "--audience", "audiences", multiple=True, help="An `aud` it sends besides our addresses."
)
@click.option(
    "--preference",
    "preferences",
    multiple=True,
    metavar="ORDER=ENTRY",
    help="An order of ours and its entry in Epic's preference list.",
)
@click.option(
    "--loud", is_flag=True, help="Show cards from the first day; without it all are silent."
)
def add(
    name: str,
    services: tuple[str, ...],
    audiences: tuple[str, ...],
    algorithms: tuple[str, ...],
    preferences: tuple[str, ...],
    loud: bool,
    **texts: str,
) -> None:
    """Register the client NAME at the end of the file; nothing is changed if that would
    break it.
    """
    import yaml

    entry: dict[str, object] = {member: text for member, text in texts.items() if text}
    if services:
        entry["services"] = list(services)
    if algorithms:
        entry["algorithms"] = list(dict.fromkeys(algorithms))
    if audiences:
        entry["audiences"] = list(audiences)
    if preferences:
        entry["preference_list"] = dict(map(_preference, preferences))
    if not loud:
        entry["silent"] = "all"
    settings = load_settings()
    path = _file(settings)
    before = _text(path) if path.exists() else "clients:\n"
    block = yaml.safe_dump({name: entry}, sort_keys=False, allow_unicode=True)
    indented = "".join(f"  {line}\n" for line in block.splitlines())
    _write_if_sound(settings, before.rstrip("\n") + "\n" + indented)
    click.echo(f"Registered {name} in {path.name}." + ("" if loud else " Its cards are silent."))


def _preference(text: str) -> tuple[str, str]:
    order, equals, entry = text.partition("=")
    if not (order and equals and entry):
        raise click.BadParameter("such as naloxone=12345", param_hint="--preference")
    return order, entry


@command.command("list")
def list_clients() -> None:
    """Show the registered clients."""
    table = columns(
        "client", "issuer", "keys", "FHIR base", "services", "profile", "silent", "roll-out"
    )
    for client in registered(load_settings()):
        table.add_row(
            client.id + (f" ({client.tenant})" if client.tenant else ""),
            client.issuer,
            client.jku or f"{len(client.keys)} in a file",
            client.fhir,
            ", ".join(sorted(client.services)) or "all",
            client.profile.value,
            ", ".join(sorted(client.silent)),
            ", ".join(f"{card} {percent} %" for card, percent in client.rollout),
        )
    console().print(table)


@command.command("orders")
@click.argument("name")
def list_orders(name: str) -> None:
    """Show the orders that suggestions create for the client NAME, and the preference list
    entry of each.
    """
    from cds_service.protocol.profiles import Profile

    settings = load_settings()
    client = next((each for each in registered(settings) if each.id == name), None)
    if client is None:
        raise click.BadParameter("no such client", param_hint="NAME")
    entries = dict(client.preference_list)
    other = "none: text" if client.profile is Profile.EPIC else "as it is"
    table = columns("order", "resource", "what it orders", "entry")
    for order in ordered(settings):
        table.add_row(order.name, order.kind, order.label, entries.get(order.name, other))
    console().print(table)


@command.command()
@click.option("--offline", is_flag=True, help="Do not fetch keys.")
def check(offline: bool) -> None:
    """Check the file, what production refuses, and each client's keys; exit 1 on a fault."""
    from cds_service.integration.key_check import keys_of

    settings = load_settings()
    found = [str(fault) for fault in _faults(settings)]
    if not found:
        clients = registered(settings)
        found += _refused(settings, clients)
        for line in _unmapped(settings, clients):
            click.echo(line)
        if not offline:
            found += [fault for client in clients for fault in keys_of(client).faults]
    for fault in found:
        click.echo(fault)
    click.echo(f"{len(found)} faults")
    sys.exit(1 if found else 0)


def registered(settings: Settings) -> tuple[Client, ...]:
    """The clients of the file. Raises SettingsError, KnowledgeError."""
    from cds_service.clients_file import read_clients

    return read_clients(_file(settings))


def ordered(settings: Settings) -> list[OrderTemplate]:
    """The order files of which a site can have preference list entries. Raises KnowledgeError."""
    from cds_service.protocol.preference_list import ORDERED

    return [order for order in _orders(settings).values() if order.kind in ORDERED]


def _orders(settings: Settings) -> Mapping[str, OrderTemplate]:
    from cds_service.card_files import read_orders
    from cds_service.shipped import shipped

    own = () if settings.cards is None else (settings.cards,)
    return read_orders((shipped("cards"), *own), _knowledge(settings))


def _knowledge(settings: Settings) -> Knowledge:
    from cds_service.knowledge.loader import load_knowledge

    return load_knowledge(overlay=settings.knowledge, factors=settings.mme_factors.value)


def _unmapped(settings: Settings, clients: Iterable[Client]) -> Iterator[str]:
    """For each Epic-like client, how many orders it can create."""
    from cds_service.protocol.profiles import Profile

    epic = [client for client in clients if client.profile is Profile.EPIC]
    all_of_them = len(ordered(settings)) if epic else 0
    for client in epic:
        mapped = len(client.preference_list)
        yield (
            f"{client.id}: {mapped} of {all_of_them} orders have a preference list entry; "
            "the others are shown as text"
        )


def _file(settings: Settings) -> Path:
    if settings.clients is None:
        raise SettingsError("CDS_CLIENTS: names no file")
    return settings.clients


def _faults(settings: Settings) -> Iterable[CdsError]:
    from cds_service.clients_file import loaded_clients, read_clients
    from cds_service.site_queries import query_faults

    payers = [payer.id for payer in _knowledge(settings).payers]
    path = _file(settings)
    try:
        loaded, found = loaded_clients(path, payers, _kinds(settings))
    except KnowledgeError as fault:
        return [fault]
    return found or list(query_faults(read_clients(path), loaded))


def _refused(settings: Settings, clients: Iterable[Client]) -> list[str]:
    from cds_service.start_up import check_production

    try:
        check_production(settings, clients)
    except SettingsError as error:
        return [str(error)]
    return []


def _kinds(settings: Settings) -> dict[str, str]:
    return {order.name: order.kind for order in _orders(settings).values()}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"CDS_CLIENTS: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"CDS_CLIENTS: {path}: not UTF-8") from None


def _write_if_sound(settings: Settings, text: str) -> None:
    """Put `text` in the place of the file if it reads well. Raises KnowledgeError, and SettingsError
    for a place where nothing can be written.
    """
    from cds_service.clients_file import read_clients

    path = _file(settings)
    draft = path.with_name(path.name + ".new")
    try:
        try:
            draft.write_text(text, encoding="utf-8")
            read_clients(draft, orders=_kinds(settings))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(f"CDS_CLIENTS: {path}: cannot be written: {error.strerror}") from None
