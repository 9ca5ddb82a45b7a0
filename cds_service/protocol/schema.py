"""The JSON Schemas of the messages, each built once, and their faults in words that quote
no value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of `schemas/<name>.json`."""
    text = files("cds_service.protocol").joinpath("schemas", f"{name}.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))


def faults_of(name: str, message: Any) -> list[str]:
    """What is wrong with a message, one line a fault: where, and what is allowed."""
    lines = (line for error in validator(name).iter_errors(message) for line in _lines(error))
    return list(dict.fromkeys(lines))  # one error a missing member, each naming them all


def _lines(error: ValidationError) -> Iterator[str]:
    where = ".".join(str(step) for step in error.absolute_path)
    rule: Any = error.validator_value
    instance: Any = error.instance
    schema: Any = error.schema
    match error.validator:
        case "required":
            missing = [member for member in rule if member not in instance]
            yield from (f"{where}.{member}: is required".lstrip(".") for member in missing)
        case "type":
            yield f"{where or 'the message'}: must be {'an' if rule[0] in 'aio' else 'a'} {rule}"
        case "enum":
            yield f"{where}: allowed are {', '.join(map(str, rule))}"
        case "anyOf" | "oneOf":
            yield f"{where}: {schema.get('description', 'has none of the allowed shapes')}"
        case _:
            says = schema.get("description", f"breaks {error.validator}")
            yield f"{where or 'the message'}: {says}"
