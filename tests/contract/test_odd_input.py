"""What commands make of files, addresses and servers that are not what they should be: one line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from click.testing import Result

from cds_service.errors import CdsError
from tests.contract.command_line import ANSWERS, run, written
from tests.contract.loopback import Loopback

pytestmark = pytest.mark.slow

REQUEST = str(ANSWERS / "request.json")
DEEP = "[" * 100_000
NUCC = "http://nucc.org/provider-taxonomy"
NOWHERE = "http://127.0.0.1:9"


def told_in_a_line(told: Result) -> bool:
    """Whether a command ended as it does when it means to; the others end in a traceback."""
    return isinstance(told.exception, CdsError | SystemExit | None)


@pytest.mark.parametrize("address", ["http://[::1", "http://", "http://ehr.example.org:99999", ""])
@pytest.mark.parametrize(
    "command",
    [
        ("conformance", "{}"),
        ("invoke", "{}", REQUEST),
        ("dry-run", "--patient", "x", "--fhir", "{}"),
        ("directory", "fetch", "--out", "{file}", "--fhir", "{}"),
    ],
)
def test_an_address_that_is_none_is_told(
    tmp_path: Path, command: tuple[str, ...], address: str
) -> None:
    told = run(*(part.format(address, file=tmp_path / "out.json") for part in command))
    assert isinstance(told.exception, CdsError)
    assert f"{address!r} is no http(s) URL" in str(told.exception)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("validate", "{}"), "file.json: not strict JSON: nested too deeply"),
        (("keys", "print", "{}"), "file.json is no JWK or JWKS"),
        (("directory", "check", "{}"), "file.json: not JSON"),
        (("invoke", NOWHERE, REQUEST, "--issuer", "x", "--key", "{}"), "file.json: a private JWK"),
    ],
)
def test_a_file_that_is_nested_too_deeply_is_told(
    tmp_path: Path, command: tuple[str, ...], said: str
) -> None:
    file = written(tmp_path, DEEP)
    told = run(*(part.format(file) for part in command))
    assert told_in_a_line(told)
    assert told.exit_code != 0
    assert said in f"{told.output} {told.exception}"


def test_a_token_that_is_no_text_is_told(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_bytes(bytes(range(128, 140)))
    told = run("dry-run", "--fhir", NOWHERE, "--patient", "x", "--token", str(token))
    assert told.exit_code == 2
    assert "holds no token" in told.output


def test_a_draft_that_is_no_resource_is_told(tmp_path: Path) -> None:
    draft = written(tmp_path, {"id": "x"})
    asked = ("--fhir", NOWHERE, "--patient", "x", "--hook", "order-select", "--draft", draft)
    told = run("invoke", NOWHERE, *asked)
    assert told.exit_code == 2
    assert "file.json is no FHIR resource" in told.output


def capable(resource: Any, **members: Any) -> Any:
    rest = [{"mode": "server", "resource": resource}]
    return {"resourceType": "CapabilityStatement", "rest": rest, **members}


PARTNER: Any = {
    "resourceType": "PractitionerRole",
    "id": "x",
    "specialty": [{"coding": [{"system": NUCC, "code": "225100000X"}]}],
    "organization": {"reference": "http://[::1/Organization/1"},
}
ODD = [
    [],
    {"resourceType": "Bundle", "entry": {"a": 1}},
    {"resourceType": "Bundle", "entry": 5},
    {"resourceType": "Bundle", "entry": [None, {"resource": "x"}]},
    {"resourceType": "OperationOutcome", "issue": ["x"]},
    {"resourceType": "OperationOutcome", "issue": {"severity": "error"}},
    capable(None),
    capable([None, {"type": ["x"]}]),
    capable([{"type": "PractitionerRole", "interaction": "x", "searchParam": [1]}]),
    capable({"type": "PractitionerRole", "searchParam": None, "searchInclude": 5}),
    capable([], rest=None),
    capable([], rest={"mode": "server"}),
    capable([], rest=["x"]),
]


@pytest.mark.parametrize("answer", ODD, ids=str)
def test_whatever_a_fhir_server_answers_breaks_no_command(
    tmp_path: Path, address: str, answer: Any
) -> None:
    assert all(map(told_in_a_line, asked_of(answer, answer, address, tmp_path)))


def test_a_reference_that_is_no_address_breaks_no_command(tmp_path: Path, address: str) -> None:
    able = capable([{"type": "PractitionerRole", "interaction": [{"code": "search-type"}]}])
    found = {"resourceType": "Bundle", "entry": [{"resource": PARTNER}]}
    assert all(map(told_in_a_line, asked_of(able, found, address, tmp_path)))


def asked_of(statement: Any, answer: Any, address: str, tmp_path: Path) -> list[Result]:
    """What the commands say that ask a FHIR server of these answers."""

    def odd(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "application/fhir+json")])
        body = statement if environ["PATH_INFO"] == "/metadata" else answer
        return [json.dumps(body).encode()]

    with Loopback(odd) as base:
        return [
            run("dry-run", "--fhir", base, "--patient", "x"),
            run("invoke", address, "--fhir", base, "--patient", "x"),
            run("directory", "fetch", "--fhir", base, "--out", str(tmp_path / "out.json")),
        ]
