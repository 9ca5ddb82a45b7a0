"""YAML read strictly: duplicate keys, odd booleans and doubtful numbers are faults with file and
line.

A key is text, a whole number or a date (`on:` is the word). Numbers with a decimal point become
`Decimal` from their text, whole numbers `int`, dates `datetime.date`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from cds_service.errors import KnowledgeError

Key = str | int | date
Route = tuple[Key, ...]

_TAG = "tag:yaml.org,2002:"
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """One file's data, and the line on which each part of it starts (1 is the first)."""

    file: str
    data: Any
    lines: Mapping[Route, int] = field(default_factory=dict, repr=False)

    def line(self, route: Route = ()) -> int:
        """The line of the key or list item at `route`, else of the nearest part around it."""
        parts = _plain(route)
        while parts and parts not in self.lines:
            parts = parts[:-1]
        return self.lines.get(parts, 1)

    def fault(self, route: Route, what: str, allowed: str | None = None) -> KnowledgeError:
        """A fault of this file at `route`."""
        return KnowledgeError(self.file, self.line(route), what, allowed)


def load(path: Path, name: str | None = None) -> Loaded:
    """Read one YAML file; `name` is what faults call it. Raises KnowledgeError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise KnowledgeError(name or str(path), None, f"cannot be read: {error.strerror}") from None
    return loads(text, name or str(path))


def loads(text: bytes | str, name: str) -> Loaded:
    """Read YAML text. Raises KnowledgeError."""
    try:
        loader = yaml.CSafeLoader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        what = ", ".join(part for part in (error.problem, error.context) if part)
        raise KnowledgeError(name, line, f"not YAML: {what}") from None
    except yaml.YAMLError as error:
        raise _illegible(text, name, error) from None
    if node is None:
        raise KnowledgeError(name, 1, "the file is empty")
    lines: dict[Route, int] = {(): 1}
    try:
        return Loaded(name, _build(node, (), lines, name), lines)
    except RecursionError:
        raise KnowledgeError(
            name, 1, "nested too deeply, or an anchor that contains itself"
        ) from None


def _illegible(text: bytes | str, name: str, error: yaml.YAMLError) -> KnowledgeError:
    """The fault of bytes that are no text, or of a text with characters that YAML does not have."""
    raw = text.encode() if isinstance(text, str) else text
    try:
        raw.decode()
    except UnicodeDecodeError as found:
        line = raw.count(b"\n", 0, found.start) + 1
        return KnowledgeError(name, line, f"the byte {raw[found.start]:#04x} is not UTF-8", "UTF-8")
    start = getattr(error, "position", None)
    place = None if start is None else raw.count(b"\n", 0, start) + 1
    return KnowledgeError(name, place, f"not YAML: {error}".splitlines()[0])


def _plain(route: Route) -> Route:
    return tuple(part.isoformat() if isinstance(part, date) else part for part in route)


def _build(node: yaml.Node, route: Route, lines: dict[Route, int], name: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        if node.tag != _TAG + "map":
            raise _fault(name, node, f"the tag {node.tag} is not known")
        return _mapping(node, route, lines, name)
    if isinstance(node, yaml.SequenceNode):
        if node.tag != _TAG + "seq":
            raise _fault(name, node, f"the tag {node.tag} is not known")
        items = []
        for index, child in enumerate(node.value):
            place = (*route, index)
            lines[place] = child.start_mark.line + 1
            items.append(_build(child, place, lines, name))
        return items
    return _scalar(node, name)


def _mapping(
    node: yaml.MappingNode, route: Route, lines: dict[Route, int], name: str
) -> dict[Key, Any]:
    found: dict[Key, Any] = {}
    for key_node, child in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _fault(
                name, key_node, "a key is a list or a mapping", "text, a whole number or a date"
            )
        # YAML 1.1 reads the key `on` as true; a key is never a truth value, so the word is meant
        is_word = key_node.tag in (_TAG + "str", _TAG + "bool")
        key = key_node.value if is_word else _scalar(key_node, name)
        if not isinstance(key, str | int | date):
            raise _fault(
                name, key_node, f"the key {key_node.value!r}", "text, a whole number or a date"
            )
        if key in found:
            first = lines[_plain((*route, key))]
            raise _fault(name, key_node, f"duplicate key {key_node.value!r}, first on line {first}")
        place = _plain((*route, key))
        lines[place] = key_node.start_mark.line + 1
        found[key] = _build(child, place, lines, name)
    return found


def _scalar(node: yaml.Node, name: str) -> Any:
    text: str = node.value
    match node.tag.removeprefix(_TAG):
        case "str":
            return text
        case "int" if _WHOLE.fullmatch(text):
            return int(text)
        case "float" if _DECIMAL.fullmatch(text):
            return Decimal(text)
        case "bool" if text in ("true", "false"):
            return text == "true"
        case "bool":
            raise _fault(
                name, node, f"the unquoted word {text!r}", f'true, false, or "{text}" in quotes'
            )
        case "timestamp" if _DATE.fullmatch(text):
            return _date(node, name)
        case "null" if text == "null":
            return None
        case "null":
            raise _fault(name, node, "an empty value", "null, or leave the key out")
        case "int" | "float" | "timestamp":
            allowed = (
                "digits with at most one point (50, 0.15), a date (2022-11-04), or text in quotes"
            )
            raise _fault(name, node, f"the unquoted value {text!r}", allowed)
        case _:
            raise _fault(
                name, node, f"{text!r} with the tag {node.tag}", "plain YAML without tags or merges"
            )


def _date(node: yaml.Node, name: str) -> date:
    try:
        return date.fromisoformat(node.value)
    except ValueError:
        raise _fault(name, node, f"{node.value} is not a date of the calendar") from None


def _fault(name: str, node: yaml.Node, what: str, allowed: str | None = None) -> KnowledgeError:
    return KnowledgeError(name, node.start_mark.line + 1, what, allowed)
