"""Check a loaded file against the JSON Schema of its kind, and say faults in the words of the file.

The schemas stand in `knowledge/schemas/<kind>.json`; dates are checked as their text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from cds_service.errors import KnowledgeError
from cds_service.knowledge.strict_yaml import Loaded, Route

SCHEMAS = Path(__file__).parent / "schemas"
_OURS = "urn:cds-service:schema:"
_MISSING = ("required", "anyOf")
_KINDS = {
    "string": "text, a number in quotes",
    "number": "a number without quotes",
    "integer": "a whole number without quotes",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}


_LIMITS = {
    "minItems": "at least {} in the list",
    "maxItems": "at most {} in the list",
    "minProperties": "at least {} key",
    "minLength": "text of at least {} character",
    "minimum": "{} or more",
    "maximum": "{} or less",
    "exclusiveMinimum": "more than {}",
    "uniqueItems": "each once",
    "const": "{}",
    "pattern": "what fits {}",
}


def faults(loaded: Loaded, kind: str) -> list[KnowledgeError]:
    """What in `loaded` the schema `kind` does not allow: what is there and wrong, then what
    is missing.
    """
    found = _validator(kind).iter_errors(_plain(loaded.data))
    errors = sorted(found, key=lambda error: error.validator in _MISSING)
    # jsonschema tells of each missing key apart, we of all at once
    return list({str(fault): fault for error in errors for fault in _told(loaded, error)}.values())


@cache
def _validator(kind: str) -> Draft202012Validator:
    """With every reference replaced by what it names: to follow them takes a third of the check."""
    schema = _schemas()[kind]
    return Draft202012Validator(_inlined(schema, schema))


@cache
def _schemas() -> dict[str, Any]:
    return {
        path.stem: json.loads(path.read_text("utf-8")) for path in sorted(SCHEMAS.glob("*.json"))
    }


def _inlined(part: Any, whole: dict[str, Any]) -> Any:
    """A part of the schema `whole` without references; they stand alone and never turn in a circle."""
    if isinstance(part, list):
        return [_inlined(each, whole) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" not in part:
        return {name: _inlined(each, whole) for name, each in part.items() if name != "$defs"}
    _, own, name = part["$ref"].partition("#/$defs/")
    if own:
        return _inlined(whole["$defs"][name], whole)
    other = _schemas()[part["$ref"].removeprefix(_OURS)]
    return _inlined(other, other)


def _plain(data: Any) -> Any:
    """The data with dates as text, in keys and values."""
    if isinstance(data, dict):
        return {_text(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_plain(value) for value in data]
    return _text(data)


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _told(loaded: Loaded, error: ValidationError) -> Iterator[KnowledgeError]:
    """One schema error as faults; an error of several keys becomes one fault a key."""
    route: Route = tuple(error.absolute_path)
    rule, wanted, instance = (
        error.validator,
        cast(Any, error.validator_value),
        cast(Any, error.instance),
    )
    place = _place(route)
    if rule == "additionalProperties":
        known, patterns = _known_keys(error)
        for key in instance:
            if key not in known and not any(re.search(pattern, key) for pattern in patterns):
                yield loaded.fault(
                    (*route, key), f"unknown key {key!r}{place}", ", ".join([*known, *patterns])
                )
    elif rule == "required":
        for key in [key for key in wanted if key not in instance]:
            yield loaded.fault(route, f"missing key {key!r}{place}", ", ".join(wanted))
    elif "propertyNames" in error.absolute_schema_path:
        yield loaded.fault((*route, instance), f"the key {instance!r}{place}", _hint(error))
    elif rule == "enum":
        allowed = ", ".join(dict.fromkeys(str(value) for value in wanted))
        yield loaded.fault(route, f"unknown value {instance!r}{place}", allowed)
    elif rule == "type":
        yield loaded.fault(route, f"{_kind_of(instance)}{place}", _hint(error))
    elif rule == "anyOf":
        what = "the keys do not fit together" if isinstance(instance, dict) else _kind_of(instance)
        yield loaded.fault(route, f"{what}{place}", _choices(error))
    else:
        yield loaded.fault(route, f"{_shown(instance)} is not allowed{place}", _hint(error))


def _place(route: Route) -> str:
    return f" in {'.'.join(str(part) for part in route)}" if route else ""


def _known_keys(error: ValidationError) -> tuple[list[str], list[str]]:
    schema = cast(dict[str, Any], error.schema)
    return sorted(schema.get("properties", ())), sorted(schema.get("patternProperties", ()))


def _hint(error: ValidationError) -> str:
    schema, value = cast(dict[str, Any], error.schema), cast(Any, error.validator_value)
    if "description" in schema:
        return str(schema["description"])
    if error.validator == "type":
        kinds = value if isinstance(value, list) else [value]
        return " or ".join(_KINDS[kind] for kind in kinds)
    return _LIMITS[str(error.validator)].format(str(value).lower() if value is True else value)


def _choices(error: ValidationError) -> str:
    schema = cast(dict[str, Any], error.schema)
    if "description" in schema:
        return str(schema["description"])
    options = cast(list[dict[str, Any]], error.validator_value)
    return " or ".join(", ".join(option["required"]) for option in options)


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return f"the truth value {str(value).lower()}"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return f"the text {_shown(value)}"
        case _:
            return f"the number {value}"


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
