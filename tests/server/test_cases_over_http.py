"""One speaking case of every rule, posted to the real server: it answers as it does in process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cds_service.cases import Case, House, Road, call_of, case_files, load_cases
from cds_service.clinical.criteria import Status
from cds_service.clinical.facts import Need
from cds_service.knowledge.loader import load_knowledge
from tests.server.fhir_server import TOKEN, FhirServer, fhir_server
from tests.server.running import Running

pytestmark = [pytest.mark.server, pytest.mark.slow]

AS_OF = date(2026, 3, 1)
FOLDER = Path(__file__).parents[1] / "cases"
SYSTEMS = load_knowledge().system_urls


def _speaks(case: Case) -> bool:
    met = any(one.status is Status.MET for one in case.then)
    return met and case.as_of == AS_OF and not case.withheld


CASES = [
    next(case for case in cases if _speaks(case))
    for cases in (load_cases(file, SYSTEMS) for file in case_files(FOLDER))
    if any(_speaks(case) for case in cases)
]


@pytest.fixture(scope="module")
def house() -> House:
    return House()


@pytest.fixture(scope="module")
def fhir() -> Iterator[FhirServer]:
    with fhir_server() as server:
        yield server


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(tmp_path_factory.mktemp("served"), AS_OF)
    server.wait()
    yield server
    server.stop()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_over_http(case: Case, house: House, running: Running, fhir: FhirServer) -> None:
    call = call_of(case)
    expected = json.loads(json.dumps(house.ask(call, Road.PREFETCH).body, default=str))
    fhir.hold(call.resources)
    request = json.loads(call.body(()))
    request["fhirServer"] = fhir.base
    request["fhirAuthorization"] = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/*.read",
        "subject": "case",
    }
    everything = json.loads(call.body(Need))["prefetch"]
    path = f"/cds-services/{call.service}"
    assert running.call("POST", path, json.dumps(request | {"prefetch": everything}).encode()) == (
        200,
        expected,
    )
    assert fhir.asked == 0
    assert running.call("POST", path, json.dumps(request).encode()) == (200, expected)
    assert fhir.asked > 0
