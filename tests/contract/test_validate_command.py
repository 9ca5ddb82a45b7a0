"""`cds-service validate`: a message, resource or card file is good, or each fault is one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli import main
from cds_service.service import Service
from cds_service.shipped import shipped
from tests.contract.command_line import ANSWERS, run, written

pytestmark = pytest.mark.slow


class TestValidate:
    """A file is good, or each fault is one line."""

    def test_recorded_messages_are_good(self, tmp_path: Path, service: Service) -> None:
        discovery = written(tmp_path, service.discovery())
        told = run("validate", str(ANSWERS / "request.json"), str(ANSWERS / "2.0.json"), discovery)
        assert told.exit_code == 0, told.output
        assert told.output.splitlines() == [
            "request.json: a good request",
            "2.0.json: a good response",
            "file.json: a good discovery",
        ]

    def test_a_response_is_held_against_its_request(self, tmp_path: Path) -> None:
        response = str(ANSWERS / "2.0.json")
        assert run("validate", "--request", str(ANSWERS / "request.json"), response).exit_code == 0
        other = json.loads((ANSWERS / "request.json").read_text())
        other["context"]["draftOrders"] = {"resourceType": "Bundle", "entry": []}
        told = run("validate", "--request", written(tmp_path, other), response)
        assert told.exit_code == 1
        assert "an update must be of a draft order" in told.output

    @pytest.mark.parametrize(
        ("message", "fault"),
        [
            ({"hook": "order-sign"}, "hookInstance: is required"),
            ({"cards": [{"uuid": "x"}]}, "summary: is required"),
            ({"services": [{"id": "a b"}]}, "one URL path segment"),
            ({"feedback": [5]}, "1 items could not be read"),
            ({"feedback": 5}, "feedback"),
            ({"resourceType": "Patient", "birthDate": "Canary"}, "file.json: birthDate: "),
            ({"resourceType": "Nonsense"}, "not a resource type"),
        ],
    )
    def test_a_fault_is_a_line_and_exit_1(self, tmp_path: Path, message: Any, fault: str) -> None:
        told = run("validate", written(tmp_path, message))
        assert told.exit_code == 1
        assert fault in told.output
        assert "Canary" not in told.output

    def test_every_fault_of_a_resource_has_its_line(self, tmp_path: Path) -> None:
        order = {"resourceType": "MedicationRequest", "status": 5, "unknown": 1}
        told = run("validate", written(tmp_path, order))
        lines = told.output.splitlines()
        assert {line.split(": ")[1] for line in lines} >= {"status", "unknown"}
        assert all(line.startswith("file.json: ") for line in lines)

    def test_resources_in_a_request_are_checked_one_by_one(self, tmp_path: Path) -> None:
        request = json.loads((ANSWERS / "request.json").read_text())
        request["context"]["draftOrders"]["entry"][0]["resource"]["status"] = []
        request["prefetch"]["patient"] = {"resourceType": "Patient", "unknown": 1}
        told = run("validate", written(tmp_path, request))
        assert told.exit_code == 1
        assert "context.draftOrders.entry.0" in told.output
        assert "prefetch.patient" in told.output

    def test_a_request_that_no_service_answers_is_a_fault(self, tmp_path: Path) -> None:
        request = json.loads((ANSWERS / "request.json").read_text())
        del request["context"]["draftOrders"]
        assert "draftOrders: is missing" in run("validate", written(tmp_path, request)).output
        told = run("validate", written(tmp_path, request | {"hook": "order-review"}))
        assert "no service answers order-review" in told.output

    def test_cards_and_orders(self, tmp_path: Path) -> None:
        card, order = (
            shipped("cards") / "opioid-dose.yaml",
            shipped("cards") / "orders" / "naloxone.yaml",
        )
        assert run("validate", str(card), str(order)).exit_code == 0
        broken = written(tmp_path, card.read_text() + "nonsense: true\n", "opioid-dose.yaml")
        told = run("validate", broken)
        assert told.exit_code == 1
        assert told.output.startswith("opioid-dose.yaml: opioid-dose.yaml:")
        assert "nonsense" in told.output
        other = run("validate", written(tmp_path, "id: x\n", "nobody-knows.yaml"))
        assert other.output.startswith("nobody-knows.yaml: nobody-knows.yaml:1")

    @pytest.mark.parametrize(
        "content", ["{", "[]", "{}", '{"cards": [NaN]}', '{"hook": "a", "hook": "b"}']
    )
    def test_what_is_no_message_is_exit_2(
        self,
        tmp_path: Path,
        content: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr("sys.argv", ["cds-service", "validate", written(tmp_path, content)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        assert capsys.readouterr().err.startswith("cds-service: file.json: ")
