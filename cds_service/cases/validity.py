"""Every resource an answer holds, validated by `fhir.resources` as FHIR R4B."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from pydantic import ValidationError


def invalid(body: Mapping[str, Any]) -> list[str]:
    """What the library finds wrong with the resources of an answer's suggestions."""
    return [
        f"{resource.get('resourceType')}: {fault}"
        for resource in _resources(body)
        for fault in faults_of(resource)
    ]


def faults_of(resource: Mapping[str, Any]) -> list[str]:
    """What is wrong with one resource; empty if it is valid R4B."""
    kind = str(resource.get("resourceType"))
    try:
        model = getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
    except ModuleNotFoundError:
        return ["not a resource type of R4B"]
    try:
        model.model_validate(dict(resource))
    except ValueError as error:
        return list(_lines(error))
    return []


def _lines(error: ValueError) -> Iterator[str]:
    """Where a resource is wrong and what should stand there, without the value that does."""
    if not isinstance(error, ValidationError):
        yield "not a resource that can be read"
        return
    for fault in error.errors(include_input=False, include_url=False, include_context=False):
        yield f"{'.'.join(map(str, fault['loc'])) or 'the resource'}: {fault['msg']}"


def _resources(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for card in body.get("cards", ()):
        for suggestion in card.get("suggestions", ()):
            for action in suggestion.get("actions", ()):
                if "resource" in action:
                    yield action["resource"]
    for action in body.get("systemActions", ()):
        if "resource" in action:
            yield action["resource"]
