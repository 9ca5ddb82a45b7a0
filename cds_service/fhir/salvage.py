"""What is left of a resource that does not fit its type: read member by member, nothing else lost.

A lone object where a list belongs is wrapped, a list of one where an object belongs is opened, a
number or a flag written as text is taken, of a text that is too long its start; whatever does not
fit then is dropped and named.
"""

from __future__ import annotations

import json
from decimal import Decimal
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from cds_service.fhir.r4_dosage import LONGEST, Text
from cds_service.fhir.r4_parts import Part, part_of
from cds_service.fhir.r4_resource import Reference

_PLAIN = msgspec.json.Decoder(float_hook=Decimal)
_EXACT = msgspec.json.Encoder(decimal_format="number")
_AS_TEXT = msgspec.json.Encoder()  # numbers in quotes, as JSON has none that is not finite
_NO_FIELDS: dict[str, Any] = {}
_FIELDS: dict[type, dict[str, Any]] = {}
_DEEPEST = 40  # levels of one resource; FHIR needs about ten


class Unreadable(Exception):
    """A part that cannot be read as its type."""


def plain_json(raw: bytes | msgspec.Raw) -> Any:
    """JSON as plain objects, its numbers exact, also those beyond 64 bits."""
    try:
        return _PLAIN.decode(raw)
    except msgspec.ValidationError:
        return json.loads(bytes(raw), parse_float=Decimal, parse_int=Decimal)


def raw_json(value: Any) -> msgspec.Raw:
    """Plain objects as JSON again, numbers as they were."""
    return msgspec.Raw(_EXACT.encode(value))


def salvaged(value: Any, kind: type) -> tuple[Any, tuple[str, ...]]:
    """What can be read of a JSON object as struct `kind`, and the paths of the members that were
    dropped.

    Raises Unreadable if it is no object.
    """
    lost: list[str] = []
    if not isinstance(value, dict):
        raise Unreadable
    return _struct(value, kind, "", lost, 0), tuple(lost)


def _struct(value: dict[str, Any], kind: type, path: str, lost: list[str], depth: int) -> Any:
    if depth > _DEEPEST:
        raise Unreadable
    members: dict[str, Any] = {}
    for name, (attribute, types) in _fields_of(kind).items():
        found = value.get(name)
        if found is None:
            continue
        here = f"{path}.{name}" if path else name
        try:
            if isinstance(types, Part):
                part = _member(found, _alternatives(types.type), here, lost, depth + 1)
                members[attribute] = msgspec.Raw(_AS_TEXT.encode(part))
            else:
                members[attribute] = _member(found, types, here, lost, depth + 1)
        except Unreadable:
            lost.append(here)
    return kind(**members)


def _member(value: Any, types: tuple[Any, ...], path: str, lost: list[str], depth: int) -> Any:
    """A value as one of the alternatives of its member."""
    listed = next((t for t in types if get_origin(t) is tuple), None)
    if listed is not None:
        return _list(value, _alternatives(get_args(listed)[0]), path, lost, depth)
    if isinstance(value, list):
        if len(value) != 1:
            raise Unreadable
        value = value[0]
    if msgspec.Raw in types:
        return raw_json(value)
    struct = next((t for t in types if isinstance(t, type) and issubclass(t, msgspec.Struct)), None)
    if struct is Reference and isinstance(value, str):
        return Reference(reference=value)
    if isinstance(value, dict):
        if struct is None:
            raise Unreadable
        return _struct(value, struct, path, lost, depth)
    if Text in types and isinstance(value, str) and len(value) > LONGEST:
        lost.append(path)
        return value[:LONGEST]
    return _scalar(value, types)


def _list(
    value: Any, types: tuple[Any, ...], path: str, lost: list[str], depth: int
) -> tuple[Any, ...]:
    """A list without its unreadable elements."""
    kept: list[Any] = []
    for at, element in enumerate(value if isinstance(value, list) else [value]):
        here = f"{path}[{at}]"
        try:
            kept.append(_member(element, types, here, lost, depth))
        except Unreadable:
            lost.append(here)
    return tuple(kept)


def _scalar(value: Any, types: tuple[Any, ...]) -> Any:
    """A text, a flag or a number, also where it was written as another of them."""
    if (
        (str in types or Text in types)
        and isinstance(value, int | Decimal)
        and not isinstance(value, bool)
    ):
        return str(value)
    for kind in types:
        if kind in (str, Text, bool, Decimal):
            try:
                return msgspec.convert(value, kind, strict=False)
            except (msgspec.ValidationError, ArithmeticError, ValueError):
                continue
    raise Unreadable


def _fields_of(kind: type) -> dict[str, Any]:
    """The members of a struct: JSON name to attribute and alternatives, or the part it is
    kept as.
    """
    known = _FIELDS.get(kind, _NO_FIELDS)
    if not known:
        known = {
            f.encode_name: (f.name, part_of(f.type) or _alternatives(f.type))
            for f in msgspec.structs.fields(kind)
        }
        _FIELDS[kind] = known
    return known


def _alternatives(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) in (Union, UnionType):
        return get_args(kind)
    return (kind,)
