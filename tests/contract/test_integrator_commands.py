"""What integrators run by hand against servers, invoke and dry-run, each with its exit code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from cds_service.cli import main
from cds_service.clinical.facts import Need
from cds_service.clinical.rules import load_rules
from cds_service.errors import CdsError
from cds_service.integration.dry_run import Query, reach, refusal
from cds_service.integration.invoke import context
from cds_service.integration.server import Capability
from cds_service.service import Service
from tests.contract.answers import DIAZEPAM, asked
from tests.contract.command_line import ANSWERS, run, written
from tests.contract.fhir_store import FhirStore
from tests.contract.loopback import Loopback
from tests.protocol.hook_requests import OXYCODONE, PATIENT

pytestmark = pytest.mark.slow

LISTED = {"id": "a", "hook": "order-sign"}


@pytest.fixture
def store() -> FhirStore:
    return FhirStore(PATIENT, DIAZEPAM)


@pytest.fixture
def base(store: FhirStore) -> Iterator[str]:
    with Loopback(store) as url:
        yield url


class TestInvoke:
    """A call as an EHR makes it, its cards in a table."""

    def test_a_request_file_is_sent_and_its_cards_are_shown(self, address: str) -> None:
        told = run("invoke", address, str(ANSWERS / "request.json"), "--service", "opioid-safety")
        assert told.exit_code == 0, told.output
        assert "opioid-safety: 200" in told.output
        assert "90 MME/day" in told.output
        assert "Order naloxone nasal spray (recommended)" in told.output

    def test_the_answer_can_be_printed_as_it_came(self, address: str) -> None:
        told = run(
            "invoke", address, str(ANSWERS / "request.json"), "--service", "opioid-safety", "--json"
        )
        assert json.loads(told.output)["cards"]

    def test_a_request_is_built_from_a_fhir_server(
        self, address: str, base: str, store: FhirStore, tmp_path: Path
    ) -> None:
        draft = written(tmp_path, OXYCODONE)
        built = ("--fhir", base, "--patient", "canary", "--hook", "order-sign", "--draft", draft)
        told = run("invoke", address, *built)
        assert told.exit_code == 0, told.output
        assert "90 MME/day" in told.output
        assert "diazepam" in told.output
        assert "/Patient/canary" in store.asked
        assert "/MedicationRequest?patient=canary" in store.asked

    def test_what_the_fhir_server_did_not_give_is_told(
        self, address: str, base: str, store: FhirStore
    ) -> None:
        store.hidden = ["Condition"]
        built = ("--fhir", base, "--patient", "canary", "--service", "opioid-safety")
        told = run("invoke", address, *built)
        assert "not prefetched: conditions (status 403)" in told.stderr
        assert "canary" not in told.stderr

    def test_a_token_goes_to_the_fhir_server(self, address: str, tmp_path: Path) -> None:
        with Loopback(FhirStore(PATIENT, token="canary-token")) as base:
            built = ("--fhir", base, "--patient", "Patient/canary", "--service", "opioid-safety")
            assert run("invoke", address, *built).exit_code == 1  # nothing to read: 412
            token = written(tmp_path, "canary-token\n", "token.txt")
            told = run("invoke", address, *built, "--token", token)
        assert told.exit_code == 0, told.output
        assert "canary-token" not in told.output

    def test_a_refused_call_says_why_and_is_exit_1(self, address: str, tmp_path: Path) -> None:
        request = json.loads((ANSWERS / "request.json").read_text())
        request["context"].pop("userId")
        told = run("invoke", address, written(tmp_path, request), "--service", "opioid-safety")
        assert told.exit_code == 1
        assert "context.userId: is required" in told.output

    def test_bad_input_is_exit_2(self, address: str, tmp_path: Path) -> None:
        assert run("invoke", address).exit_code == 2
        assert run("invoke", address, "--fhir", "http://127.0.0.1:9").exit_code == 2
        assert run("invoke", address, written(tmp_path, "{")).exit_code == 2
        assert run("invoke", address, written(tmp_path, "[]")).exit_code == 2
        told = run("invoke", address, written(tmp_path, {"context": {}}))
        assert told.exit_code == 2
        assert "file.json names no hook" in told.output
        assert run("invoke", address, written(tmp_path, {}), "--issuer", "https://x").exit_code == 2

    def test_a_service_that_is_not_there_is_said(self, address: str) -> None:
        told = run("invoke", address, str(ANSWERS / "request.json"), "--service", "nonsense")
        assert "no service nonsense on order-sign" in str(told.exception)

    @pytest.mark.parametrize(
        ("document", "answer", "code", "said"),
        [
            ({"services": ["x", {"hook": "order-sign"}]}, {}, 1, "no service on order-sign"),
            ({"issue": []}, {}, 1, "status 200, and no discovery document"),
            ({"services": [LISTED]}, {"issue": ["x"]}, 1, "no list of cards"),
            (
                {"services": [LISTED]},
                {"cards": [{"summary": "s", "source": "x", "suggestions": None, "links": ["x"]}]},
                0,
                "1 cards",
            ),
        ],
    )
    def test_what_another_service_sends_breaks_no_command(
        self, document: Any, answer: Any, code: int, said: str
    ) -> None:
        def other(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            environ["wsgi.input"].read()
            start_response("200 OK", [("Content-Type", "application/json")])
            listed = environ["PATH_INFO"] == "/cds-services"
            return [json.dumps(document if listed else answer).encode()]

        with Loopback(other) as there:
            told = run("invoke", there, str(ANSWERS / "request.json"))
        assert told.exit_code == code
        assert said in f"{told.output} {told.exception}"
        assert isinstance(told.exception, CdsError | SystemExit | None)

    def test_order_select_selects_what_is_drafted(self) -> None:
        about = context(
            "order-select",
            "Patient/p",
            [{"resourceType": "ServiceRequest", "id": "s"}],
            encounter="e",
        )
        assert about["selections"] == ["ServiceRequest/s"]
        assert (about["patientId"], about["encounterId"]) == ("p", "e")


class TestDryRun:
    """Which queries a server answers, and what could then be evaluated."""

    def test_a_server_with_everything_is_exit_0(self, base: str, store: FhirStore) -> None:
        told = run("dry-run", "--fhir", base, "--patient", "canary")
        assert told.exit_code == 0, told.output
        assert "MedicationRequest" in told.output
        assert "Canaryvale" not in told.output
        assert "canary" not in told.output
        assert store.asked[0] == "/metadata"

    def test_what_the_server_refuses_is_told(self, base: str, store: FhirStore) -> None:
        store.hidden, store.unsearchable = ["Condition"], ["Observation"]
        told = run("dry-run", "--fhir", base, "--patient", "canary")
        assert told.exit_code == 1
        assert "status 403" in told.output
        assert "no search" in told.output
        assert "not at all" in told.output or "in part" in told.output

    def test_a_server_that_says_nothing_of_itself_is_exit_2(
        self, monkeypatch: pytest.MonkeyPatch, address: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for base in ("http://127.0.0.1:9", f"{address}/health", "ehr.example.org/fhir"):
            monkeypatch.setattr(
                "sys.argv", ["cds-service", "dry-run", "--fhir", base, "--patient", "x"]
            )
            with pytest.raises(SystemExit) as ended:
                main()
            assert ended.value.code == 2
        assert "'ehr.example.org/fhir' is no http(s) URL" in capsys.readouterr().err

    def test_a_patient_without_an_id_is_exit_2(self, base: str, address: str) -> None:
        assert run("dry-run", "--fhir", base, "--patient", " ").exit_code == 2
        assert run("invoke", address, "--fhir", base, "--patient", " ").exit_code == 2

    def test_pages_are_turned_and_counted(self, base: str, store: FhirStore) -> None:
        store.resources += [DIAZEPAM | {"id": f"rx{n}"} for n in range(9)]
        store.page = 4
        told = run("dry-run", "--fhir", base, "--patient", "canary")
        line = next(line for line in told.output.splitlines() if "MedicationRequest" in line)
        assert [cell.strip() for cell in line.split("│")[4:6]] == ["10", "3"]

    @pytest.mark.parametrize(
        ("able", "url", "why"),
        [
            ({}, "Goal?patient=1", "no such resource"),
            ({"Goal": Capability(frozenset({"read"}), frozenset())}, "Goal?patient=1", "no search"),
            (
                {"Goal": Capability(frozenset({"search-type"}), frozenset({"patient"}))},
                "Goal/1",
                "no read",
            ),
            (
                {"Goal": Capability(frozenset({"search-type"}), frozenset({"subject"}))},
                "Goal?patient=1&_count=5",
                "no search by patient",
            ),
            (
                {"Goal": Capability(frozenset({"search-type"}), frozenset({"patient"}))},
                "Goal?patient=1",
                "",
            ),
            ({"Goal": Capability(frozenset({"read"}), frozenset())}, "Goal/1", ""),
        ],
    )
    def test_a_capability_allows_a_query_or_says_why_not(
        self, able: dict[str, Capability], url: str, why: str
    ) -> None:
        assert refusal(able, "Goal", url) == why

    def test_what_did_not_come_is_named_card_by_card(self) -> None:
        rules = load_rules()
        nothing = list(reach(rules, []))
        assert {each.state for each in nothing} <= {"not at all", "in part"}
        whole = list(reach(rules, [Query(need, "", "") for need in Need]))
        assert {each.state for each in whole} == {"whole"}
        doubted = list(reach(rules, [Query(need, "", "no search") for need in Need]))
        assert doubted == nothing
        assert len(whole) == len(nothing)


def test_the_recorded_request_is_ours(service: Service) -> None:
    assert asked(service)["hook"] == "order-sign"
