"""Calls made up from the OpenAPI document, good and bad: none fails, and no answer leaves
its schema.
"""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings

from cds_service.protocol.openapi import openapi

pytestmark = pytest.mark.slow
OPERATIONS = [
    (method, path)
    for path, item in openapi()["paths"].items()
    for method in item
    if method != "parameters"
]
WITH_BODY = [(method, path) for method, path in OPERATIONS if method == "post"]
BOUNDED = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session")
def api(app: Flask) -> Any:
    import schemathesis  # a second of imports that only these tests wait for

    return schemathesis.openapi.from_wsgi("/openapi.json", app)


def fuzz(api: Any, method: str, path: str, mode: str) -> set[int]:
    """Many calls of one operation, each held against the document; the statuses they were
    answered with.
    """
    from schemathesis.checks import not_a_server_error
    from schemathesis.generation import GenerationMode
    from schemathesis.specs.openapi import checks

    asked = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.response_schema_conformance,
    ]
    operation, statuses = api[path][method], set[int]()

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=GenerationMode[mode]))
    def call(case: Any) -> None:
        statuses.add(case.call_and_validate(checks=asked).status_code)

    call()
    return statuses


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_calls_as_described_are_answered_as_described(api: Any, method: str, path: str) -> None:
    statuses = fuzz(api, method, path, "POSITIVE")
    assert statuses & {200, 412}


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_calls_that_break_the_description_are_refused_as_described(
    api: Any, method: str, path: str
) -> None:
    assert 400 in fuzz(api, method, path, "NEGATIVE")
