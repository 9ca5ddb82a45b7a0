"""Check a loaded file against the JSON Schema of its kind, and say faults in the words of the file.

The schemas stand in `knowledge/schemas/<kind>.json`; dates are checked as their text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

from cds_service.errors import KnowledgeError
from cds_service.knowledge.strict_yaml import Loaded, Route

SCHEMAS = Path(__file__).parent / "schemas"


def faults(loaded: Loaded, kind: str) -> list[KnowledgeError]:
    """Everything in `loaded` that the schema `kind` does not allow, in the order of the file."""
    plain = _plain(loaded.data)
    found = [fault for error in _validator(kind).iter_errors(plain) for fault in _told(loaded, error)]
    return sorted(found, key=lambda fault: fault.line or 0)


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(_schemas()[kind], registry=_registry())


@cache
def _schemas() -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(SCHEMAS.glob("*.json"))}


@cache
def _registry() -> Registry[Any]:
    resources = [Resource.from_contents(schema) for schema in _schemas().values()]
    return Registry().with_resources([(resource.id() or "", resource) for resource in resources])


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
    rule, instance = error.validator, error.instance
    place = _place(route)
    if rule == "additionalProperties" and isinstance(error.schema, dict):
        known = error.schema.get("properties", {})
        for key in [key for key in instance if key not in known]:
            yield loaded.fault((*route, key), f"unknown key {key!r}{place}", ", ".join(sorted(known)))
    elif rule == "required" and isinstance(error.validator_value, list):
        for key in [key for key in error.validator_value if key not in instance]:
            yield loaded.fault(route, f"missing key {key!r}{place}", ", ".join(error.validator_value))
    elif "propertyNames" in error.absolute_schema_path:
        yield loaded.fault((*route, instance), f"the key {instance!r}{place}", _hint(error))
    elif rule == "enum":
        allowed = ", ".join(str(value) for value in error.validator_value)
        yield loaded.fault(route, f"unknown value {instance!r}{place}", allowed)
    elif rule == "type":
        yield loaded.fault(route, f"{_kind_of(instance)}{place}", _hint(error))
    elif rule in ("anyOf", "oneOf"):
        yield loaded.fault(route, f"the keys do not fit together{place}", _choices(error))
    else:
        yield loaded.fault(route, f"{_shown(instance)} is not allowed{place}", _hint(error))


def _place(route: Route) -> str:
    return f" in {'.'.join(str(part) for part in route)}" if route else ""


def _hint(error: ValidationError) -> str:
    if isinstance(error.schema, dict) and "description" in error.schema:
        return str(error.schema["description"])
    value = error.validator_value
    if error.validator == "type":
        return " or ".join(value) if isinstance(value, list) else str(value)
    return f"{error.validator} {value}"


def _choices(error: ValidationError) -> str:
    options = [option for option in error.validator_value if isinstance(option, dict)]
    return " or ".join(", ".join(option.get("required", ["one of the shapes in the schema"])) for option in options)


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
