"""`cds-service explain`: why a request gets the answer it gets."""

from __future__ import annotations

import sys
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import IO, TYPE_CHECKING, Any

import click

from cds_service.errors import BadRequest
from cds_service.settings import Mode, load_settings

if TYPE_CHECKING:
    from cds_service.story import Story


@click.command("explain")
@click.argument("request_file", type=click.File("rb"))
@click.option(
    "--service",
    "services",
    multiple=True,
    help="Only this service; without it all that take the hook.",
)
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The date to reason on; today without it."
)
@click.option("--all", "everything", is_flag=True, help="Silent rules and shared numbers too.")
@click.option(
    "--json", "as_json", is_flag=True, help="For programs: the story, the trace and the answer."
)
def command(
    request_file: IO[bytes],
    services: tuple[str, ...],
    as_of: datetime | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Tell the story of the answer to REQUEST_FILE (`-` for standard input): it holds patient data.

    Who asked, what was available and how it came, what each rule said with its numbers, the
    arithmetic of opioid doses, the cards and why some were folded. Exit 0 when everything could be
    checked, 1 when a check could not run or the answer is an error, 2 for a request that cannot be
    read.
    """
    from cds_service.assembly import load_service
    from cds_service.protocol.messages import read_request
    from cds_service.story import story

    settings = load_settings(mode=Mode.TEST, as_of=as_of.date() if as_of else None)
    body = request_file.read()
    hook = read_request(body).hook
    service = load_service(settings)
    told = [story(service, id, body) for id in services or _taking(hook)]
    service.close()
    if as_json:
        click.echo(_json(told))
    else:
        from cds_service.cli.story_page import print_story

        for each in told:
            print_story(each, everything=everything)
    sys.exit(0 if all(each.sound for each in told) else 1)


def _taking(hook: str) -> tuple[str, ...]:
    """The services that answer a hook. Raises BadRequest if none does."""
    from cds_service.protocol.services import SERVICES

    found = tuple(service.id for service in SERVICES if hook in service.hooks)
    if not found:
        allowed = ", ".join(dict.fromkeys(hook for service in SERVICES for hook in service.hooks))
        raise BadRequest(f"hook: no service answers it; they answer {allowed}")
    return found


def _json(told: list[Story]) -> str:
    import orjson

    shown = [
        {
            "status": s.answer.status,
            "trace": s.answer.trace,
            "story": _parts(s),
            "answer": s.answer.body,
        }
        for s in told
    ]
    return orjson.dumps({"stories": shown}, option=orjson.OPT_INDENT_2, default=_plain).decode()


def _parts(told: Story) -> dict[str, Any]:
    """The story without the answer, which stands beside it."""
    return {name: getattr(told, name) for name in told.__dataclass_fields__ if name != "answer"}


def _plain(value: Any) -> Any:
    from cds_service.extensions import json_number
    from cds_service.frozen import Frozen, asdict

    if isinstance(value, Frozen):
        return asdict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return json_number(Fraction(value)) if isinstance(value, (Decimal, Fraction)) else str(value)
