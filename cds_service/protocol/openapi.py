"""The OpenAPI 3.1 document: written by hand, with the JSON Schemas of the messages put in."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from cds_service import __version__
from cds_service.protocol.services import SERVICES

_MESSAGES = ("discovery", "feedback", "request", "response")
_LOCAL = "#/$defs/"


@cache
def openapi() -> dict[str, Any]:
    """The whole document, which refers to nothing outside itself."""
    document: dict[str, Any] = _read("openapi.json")
    schemas = document["components"]["schemas"]
    for name in _MESSAGES:
        schema = _read("schemas", f"{name}.json")
        del schema["$schema"]
        parts = schema.pop("$defs", {})
        for part, content in {
            "": schema,
            **{f".{key}": value for key, value in parts.items()},
        }.items():
            schemas[name + part] = _lifted(content, f"#/components/schemas/{name}.")
    hooks = dict.fromkeys(hook for offer in SERVICES for hook in offer.hooks)
    schemas["HookRequest"]["allOf"][1]["properties"]["hook"]["enum"] = list(hooks)
    document["components"]["parameters"]["service"]["schema"]["enum"] = [
        offer.id for offer in SERVICES
    ]
    document["info"]["version"] = __version__
    return document


def _read(*path: str) -> dict[str, Any]:
    text = files("cds_service.protocol").joinpath(*path).read_text("utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


def _lifted(value: Any, home: str) -> Any:
    """A schema whose references to its own parts lead to where these stand now."""
    if isinstance(value, dict):
        return {
            key: home + held.removeprefix(_LOCAL) if key == "$ref" else _lifted(held, home)
            for key, held in value.items()
        }
    return [_lifted(each, home) for each in value] if isinstance(value, list) else value
