"""`cds-service invoke`: call a CDS service as an EHR does, and read its cards."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cds_service.cli.options import remote, remote_options, token_of

if TYPE_CHECKING:
    from rich.console import Console

    from cds_service.integration.invoke import Said
    from cds_service.integration.remote import Remote

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_COLOURS = {"info": "blue", "warning": "yellow", "critical": "bold red"}
_HOOKS = click.Choice(["patient-view", "order-select", "order-sign"])


@click.command("invoke")
@click.argument("url")
@click.argument("request_file", required=False, type=_FILE)
@remote_options
@click.option(
    "--service", default="", help="Call this service only; else all that answer the hook."
)
@click.option("--fhir", "base", default="", help="Build the request from this FHIR server.")
@click.option("--patient", default="", help="Id of the patient there.")
@click.option(
    "--hook", type=_HOOKS, default="patient-view", help="The hook of a request that is built."
)
@click.option(
    "--draft", "drafts", multiple=True, type=_FILE, help="A draft order to sign, as FHIR JSON."
)
@click.option("--token", type=_FILE, help="A file that holds an access token of the FHIR server.")
@click.option("--json", "as_json", is_flag=True, help="Print the answers as they came.")
def command(url: str, request_file: Path | None, as_json: bool, service: str, **named: Any) -> None:
    """Call the CDS service at URL with REQUEST_FILE or what a FHIR server holds; exit 1
    without an answer.
    """
    from rich.console import Console

    from cds_service.integration.invoke import invoke

    console, good = Console(), True
    built = {name: named.pop(name) for name in ("base", "patient", "hook", "drafts", "token")}
    if (request_file is None) == (not built["base"]):
        raise click.UsageError("give either REQUEST_FILE or --fhir with --patient")
    with remote(url, **named) as there:
        for name, request in _requests(there, request_file, service, **built):
            said = invoke(there, name, request)
            good = good and said.answered
            if as_json:
                console.print_json(data=said.body)
            else:
                _show(console, said)
    sys.exit(0 if good else 1)


def _requests(
    there: Remote,
    request_file: Path | None,
    service: str,
    *,
    base: str,
    patient: str,
    hook: str,
    drafts: tuple[Path, ...],
    token: Path | None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each service to call, with its request."""
    from cds_service.integration.invoke import about_patient, context, offered
    from cds_service.integration.server import FhirServer

    if request_file is not None:
        request = _json(request_file)
        if not isinstance(request.get("hook"), str):
            raise click.BadParameter(f"{request_file.name} names no hook")
        for entry in offered(there, request["hook"], service):
            yield entry["id"], request
        return
    if not patient.strip():
        raise click.UsageError("--fhir needs --patient")
    about = context(hook, patient, [_resource(draft) for draft in drafts])
    entries = offered(there, hook, service)
    with FhirServer(base, token_of(token)) as server:
        for entry in entries:
            request, lacking = about_patient(server, entry, about)
            if lacking:
                click.echo(f"{entry['id']}: not prefetched: {', '.join(lacking)}", err=True)
            yield entry["id"], request


def _json(file: Path) -> dict[str, Any]:
    import orjson

    try:
        read = orjson.loads(file.read_bytes())
    except ValueError:
        raise click.BadParameter(f"{file.name} is not JSON") from None
    if not isinstance(read, dict):
        raise click.BadParameter(f"{file.name} is no JSON object")
    return read


def _resource(file: Path) -> dict[str, Any]:
    read = _json(file)
    if not isinstance(read.get("resourceType"), str):
        raise click.BadParameter(f"{file.name} is no FHIR resource")
    return read


def _show(console: Console, said: Said) -> None:
    from rich.markdown import Markdown
    from rich.table import Table
    from rich.text import Text

    from cds_service.integration.remote import objects

    console.rule(
        f"{said.service}: {said.status}, {len(said.cards)} cards, {said.milliseconds:.0f} ms"
    )
    if not said.answered:
        console.print(Text(said.trouble))
    for card in said.cards:
        indicator = str(card.get("indicator"))
        table = Table(show_header=False, width=min(console.width, 110))
        table.add_row("summary", Text(str(card.get("summary")), style=_COLOURS.get(indicator, "")))
        table.add_row("indicator", indicator)
        if card.get("detail"):
            table.add_row("detail", Markdown(str(card["detail"])))
        for suggestion in objects(card.get("suggestions")):
            star = " (recommended)" if suggestion.get("isRecommended") else ""
            table.add_row("suggestion", Text(f"{suggestion.get('label')}{star}"))
        for link in objects(card.get("links")):
            table.add_row("link", Text(f"{link.get('label')}: {link.get('url')}"))
        for source in objects(card.get("source")):
            table.add_row("source", Text(str(source.get("label"))))
        console.print(table)
