"""The made parts of `docs/operators-guide.md`: settings, tables and measured figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import orjson
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from cds_service.cards import CardLibrary
from cds_service.catalogue.tables import table
from cds_service.errors import KnowledgeError
from cds_service.knowledge.strict_yaml import load
from cds_service.protocol.preference_list import ORDERED, in_words
from cds_service.settings import Settings

WORDS = Path(__file__).with_name("settings.yaml")
_PART = re.compile(r"(<!-- made: (?P<name>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def guide(written: str, measured: Path, library: CardLibrary) -> str:
    """The guide as written, its made parts brought up to date. Raises KnowledgeError."""
    makers: Mapping[str, Callable[[], Iterator[str]]] = {
        "configuration": configuration,
        "orders": lambda: orders(library),
        "storage": storage,
        "sizing": lambda: sizing(measured),
    }
    seen = {found["name"] for found in _PART.finditer(written)}
    if seen != makers.keys():
        raise KnowledgeError("operators-guide.md", None, "its made parts differ", ", ".join(makers))
    return _PART.sub(
        lambda found: found[1] + "\n".join(makers[found["name"]]()) + found[3], written
    )


def configuration(words: Path = WORDS) -> Iterator[str]:
    """Every setting: variable, default, what is allowed, what it does. Raises KnowledgeError."""
    loaded = load(words, words.name)
    said: Mapping[str, str] = loaded.data
    fields = Settings.model_fields
    for name in said:
        if name not in fields:
            raise loaded.fault((name,), f"no setting is called {name}", ", ".join(fields))
    yield from table(
        ("variable", "default", "allowed", "what it does"),
        (
            (f"`CDS_{n.upper()}`", _default(f), _allowed(f), said.get(n, ""))
            for n, f in fields.items()
        ),
    )


def orders(library: CardLibrary) -> Iterator[str]:
    """Every order of which a site can have a preference list entry, and the cards that offer it."""
    offered: dict[str, list[str]] = {name: [] for name in library.orders}
    for card in library.cards.values():
        for name in dict.fromkeys(s.create for s in card.suggestions.values() if s.create):
            offered[name].append(card.id)
    yield from table(
        ("order", "resource", "what it orders", "priority", "codes", "cards that offer it"),
        (
            (
                f"`{name}`",
                order.kind,
                ", ".join(in_words(order.resource)),
                str(order.resource.get("priority", "")),
                ", ".join(f"`{code.system}#{code.code}`" for code in sorted(order.codes)),
                ", ".join(sorted(offered[name])),
            )
            for name, order in sorted(library.orders.items())
            if order.kind in ORDERED
        ),
    )


def storage() -> Iterator[str]:
    """Every table and its columns."""
    from cds_service.memory.tables import metadata

    for name, stored in sorted(metadata.tables.items()):
        yield f"- `{name}`: " + ", ".join(f"`{column.name}`" for column in stored.columns)
    yield ""


def sizing(measured: Path) -> Iterator[str]:
    """What `make bench` measured, where its figures were recorded."""
    if not measured.is_file():
        yield f"No figures are recorded yet: `python -m tests.bench --record docs/{measured.name}`.\n"
        return
    found: Mapping[str, Any] = orjson.loads(measured.read_bytes())
    yield (
        f"Measured {found['on']} with {found['workers']} workers of {found['threads']} threads on "
        f"{found['machine']}; a worker peaks at {found['memory_mb']} MB and the service is ready in "
        f"{found['ready_s']} s.\n"
    )
    yield from table(
        ("resources in the request", "p50 ms", "p99 ms", "requests/s at concurrency 8"),
        (
            (str(r["resources"]), str(r["p50"]), str(r["p99"]), str(r["rate"]))
            for r in found["rows"]
        ),
    )


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "the number of processors"
    value = field.default
    if isinstance(value, SecretStr) or value in (None, "", ()):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


def _allowed(field: FieldInfo) -> str:
    """The choices of an enumeration, or the bounds of a number."""
    kinds = [field.annotation, *get_args(field.annotation)]
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return ", ".join(f"`{choice.value}`" for choice in kind)
    if bool in kinds:
        return "`true`, `false`"
    bounds = [
        str(getattr(m, side)) for side in ("ge", "le") for m in field.metadata if hasattr(m, side)
    ]
    return " to ".join(bounds) if len(bounds) == 2 else f"{bounds[0]} or more" if bounds else ""
