"""The OpenAPI document is sound, complete and true: fuzzed, no call fails and no answer
leaves its schema.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from cds_service.protocol.linter import lint_discovery
from cds_service.protocol.openapi import openapi
from cds_service.protocol.schema import validator
from cds_service.protocol.services import SERVICES


def test_the_document_is_valid() -> None:
    validate(openapi(), cls=OpenAPIV31SpecValidator)


def test_it_is_served(web: FlaskClient) -> None:
    answer = web.get("/openapi.json")
    assert answer.get_json() == openapi()
    assert "max-age" in answer.headers["Cache-Control"]


def test_it_names_every_address_of_the_api(app: Flask) -> None:
    served = {
        (rule.rule.replace("<service_id>", "{service}"), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("cds_hooks.", "probes."))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (path, m) for path, item in openapi()["paths"].items() for m in item if m != "parameters"
    }
    assert served == described


def test_it_names_the_services_and_hooks(web: FlaskClient) -> None:
    document = openapi()
    assert document["components"]["parameters"]["service"]["schema"]["enum"] == [
        s.id for s in SERVICES
    ]
    assert lint_discovery(web.get("/cds-services").get_json()) == []


def test_every_reference_leads_somewhere() -> None:
    document = openapi()

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    for reference in references(document):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_the_schemas_are_those_that_messages_are_checked_with() -> None:
    whole = openapi()["components"]["schemas"]
    for name in ("discovery", "feedback", "request", "response"):
        assert whole[name]["required"] == validator(name).schema["required"]
