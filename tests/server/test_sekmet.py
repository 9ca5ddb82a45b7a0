"""The fetch road and the dry run against a FHIR server of other people's making."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cds_service.assembly import load_service
from cds_service.cli import commands
from cds_service.knowledge.directory_files import read_directory
from cds_service.knowledge.loader import load_knowledge
from cds_service.settings import Mode, Settings
from cds_service.shipped import shipped
from cds_service.web.app import create_app
from tests.protocol.hook_requests import OXYCODONE, PATIENT, order_sign
from tests.server.sekmet import TOKEN, Sekmet

pytestmark = [pytest.mark.server, pytest.mark.slow]
URL = "/cds-services/opioid-safety"
SUBJECT = {"reference": "Patient/canary"}
DIAZEPAM = {
    "resourceType": "MedicationRequest",
    "id": "rx0",
    "status": "active",
    "intent": "order",
    "subject": SUBJECT,
    "authoredOn": "2024-01-01",
    "medicationCodeableConcept": {
        "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "197591"}],
        "text": "diazepam 5 MG Oral Tablet",
    },
}
ACTIVE = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CONDITIONS = [
    {
        "resourceType": "Condition",
        "id": f"c{number}",
        "clinicalStatus": {"coding": [{"system": ACTIVE, "code": "active"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.50"}]},
        "subject": SUBJECT,
        "onsetDateTime": "2024-01-01",
    }
    for number in range(45)  # of which the server shows twenty a page
]


@pytest.fixture(scope="module")
def sekmet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sekmet]:
    server = Sekmet(tmp_path_factory.mktemp("sekmet"))
    try:
        server.put([PATIENT, DIAZEPAM, *CONDITIONS])
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def web() -> FlaskClient:
    settings = Settings(mode=Mode.TEST, as_of=date(2024, 3, 1), log_level="error", abort_ms=20_000)
    return create_app(load_service(settings)).test_client()


def authorization(token: str) -> dict[str, Any]:
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/*.rs",
        "subject": "cds-service",
    }


def prefetched(web: FlaskClient) -> dict[str, Any]:
    """What an EHR on the same chart would send."""
    entries = web.get("/cds-services").get_json()["services"]
    entry = next(e for e in entries if (e["id"], e["hook"]) == ("opioid-safety", "order-sign"))
    searched = {"medicationRequests": [DIAZEPAM], "conditions": CONDITIONS}
    return {
        key: PATIENT
        if key == "patient"
        else {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": one} for one in searched.get(key, ())],
        }
        for key in entry["prefetch"]
    }


def test_fetching_and_prefetching_give_the_same_answer(web: FlaskClient, sekmet: Sekmet) -> None:
    whole = web.post(URL, json=order_sign(OXYCODONE, prefetch=prefetched(web)))
    access = {"fhirServer": sekmet.base, "fhirAuthorization": authorization(TOKEN)}
    fetched = web.post(URL, json=order_sign(OXYCODONE, **access))
    assert fetched.status_code == 200, fetched.text
    assert fetched.get_json() == whole.get_json()
    assert "diazepam" in fetched.text


def test_the_missing_half_is_fetched(web: FlaskClient, sekmet: Sekmet) -> None:
    sent = prefetched(web)
    half = {key: sent[key] for key in list(sent)[::2]}
    access = {"fhirServer": sekmet.base, "fhirAuthorization": authorization(TOKEN)}
    answer = web.post(URL, json=order_sign(OXYCODONE, prefetch=half, **access))
    assert answer.get_json() == web.post(URL, json=order_sign(OXYCODONE, prefetch=sent)).get_json()


@pytest.mark.parametrize("token", ["another-token", TOKEN + "x"])
def test_a_token_that_is_refused_makes_data_missing(
    web: FlaskClient, sekmet: Sekmet, token: str
) -> None:
    access = {"fhirServer": sekmet.base, "fhirAuthorization": authorization(token)}
    answer = web.post(URL, json=order_sign(OXYCODONE, **access))
    assert answer.status_code == 412
    assert token not in answer.text


def test_a_patient_that_is_not_there_is_no_patient_of_ours(
    web: FlaskClient, sekmet: Sekmet
) -> None:
    draft = OXYCODONE | {"subject": {"reference": "Patient/nobody"}}
    sent = order_sign(draft, fhirServer=sekmet.base, fhirAuthorization=authorization(TOKEN))
    sent["context"]["patientId"] = "nobody"
    assert web.post(URL, json=sent).status_code in (200, 412)


def test_a_dry_run_says_what_could_be_evaluated(sekmet: Sekmet, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    asked = ("dry-run", "--fhir", sekmet.base, "--patient", "canary", "--token", str(token))
    told = CliRunner().invoke(commands, asked, env={"COLUMNS": "220"})
    assert told.exit_code == 1, told.output  # the server has no goals, and says so
    line = next(line for line in told.output.splitlines() if " conditions " in line)
    assert [cell.strip() for cell in line.split("│")[3:6]] == ["yes", "45", "3"]
    goals = next(line for line in told.output.splitlines() if " goals " in line)
    assert "no such resource" in goals
    dose = next(line for line in told.output.splitlines() if " opioid-dose " in line)
    assert "whole" in dose
    assert "Canaryvale" not in told.output


def test_a_dry_run_without_the_token_finds_nothing(sekmet: Sekmet) -> None:
    told = CliRunner().invoke(
        commands, ("dry-run", "--fhir", sekmet.base, "--patient", "canary"), env={"COLUMNS": "220"}
    )
    assert told.exit_code == 1
    assert "status 401" in told.output


def test_the_directory_is_fetched_from_it(sekmet: Sekmet, tmp_path: Path) -> None:
    shown = shipped("fhir_fixtures") / "directory.json"
    sekmet.put(entry["resource"] for entry in json.loads(shown.read_text())["entry"])
    token, out = tmp_path / "token", tmp_path / "directory.json"
    token.write_text(TOKEN)
    asked = ("directory", "fetch", "--fhir", sekmet.base, "--token", token, "--out", out)
    told = CliRunner().invoke(commands, [str(each) for each in asked])
    assert told.exit_code == 0, told.output
    knowledge = load_knowledge()
    expected = read_directory(shown, knowledge)
    assert set(read_directory(out, knowledge).partners) == set(expected.partners)
