"""The conformance command: our own service keeps everything it tries, and a bad service is
found out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import commands
from cds_service.integration.conformance import Verdict, conformance
from cds_service.integration.conformance.check import CHECKS
from cds_service.integration.remote import Remote
from cds_service.integration.samples import REQUIRED, sample
from tests.contract.loopback import Loopback

pytestmark = pytest.mark.slow

ORIGIN = "https://sandbox.cds-hooks.org"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["conformance", *arguments], env={"COLUMNS": "200"})


class Bad:
    """A service that does nearly everything wrong, always with the same answer."""

    def __init__(self, document: Any, answer: bytes, status: str = "200 OK") -> None:
        self.document, self.answer, self.status = json.dumps(document).encode(), answer, status

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"].read()
        discovering = environ["PATH_INFO"] == "/cds-services"
        start_response(
            "200 OK" if discovering else self.status,
            [("Content-Type", "text/html"), ("Access-Control-Allow-Origin", "*")],
        )
        return [self.document if discovering else self.answer]


BAD_ENTRY = {
    "id": "bad service",
    "hook": "order-sign",
    "version": "STU2",
    "prefetch": {
        "patient": "/Patient/{{context.patientId}}",
        "drafts": "Observation?patient={{%later.id}}&_include=x",
        "later": "Condition?patient={{nonsense}}",
    },
}
BAD_CARD = {
    "uuid": "1",
    "summary": "x" * 140,
    "detail": "",
    "indicator": "hard-stop",
    "source": {"url": "example"},
    "selectionBehavior": "at-most-one",
    "suggestions": [
        {
            "uuid": "1",
            "isRecommended": True,
            "actions": [{"type": "CREATE"}, {"type": "create", "resource": "{}"}],
        },
        {"uuid": "2", "isRecommended": True, "label": "l", "actions": [{"type": "delete"}]},
    ],
    "overrideReasons": [{"code": "x"}],
    "links": [{"label": "l", "url": "/x", "type": "absolute", "appContext": "{}"}],
}


def verdicts(app: Any) -> dict[str, str]:
    with Loopback(app) as address, Remote(address) as there:
        return {each.requirement: each.verdict.value for each in conformance(there)}


def test_our_own_service_keeps_everything_that_is_tried(address: str) -> None:
    with Remote(address) as there:
        results = list(conformance(there, origin=ORIGIN))
    broken = [each for each in results if each.verdict in (Verdict.FAIL, Verdict.ADVICE)]
    assert broken == []
    skipped = {each.requirement for each in results if each.verdict is Verdict.SKIP}
    assert skipped == {
        "SYS-2",
        "JWT-4",
        "HTTP-5",
        "TLS-1",
    }  # no system actions, open to anyone, on loopback
    assert len(results) > 60


def test_requirements_stand_once() -> None:
    names = [each.requirement for each in CHECKS]
    assert len(names) == len(set(names))


def test_a_bad_service_is_found_out() -> None:
    card = json.dumps({"cards": [BAD_CARD, BAD_CARD], "systemActions": [{"type": "update"}]})
    found = verdicts(Bad({"services": [BAD_ENTRY, BAD_ENTRY]}, card.encode()))
    failed = {name for name, verdict in found.items() if verdict == "fail"}
    advised = {name for name, verdict in found.items() if verdict == "advice"}
    assert {"DISC-5", "DISC-6", "DISC-13", "DISC-14", "TOK-1", "PFQ-7"} <= failed
    assert {"JSON-1", "JSON-3", "CARD-2", "CARD-4", "CARD-5", "CARD-9", "SUG-1", "SUG-3"} <= failed
    assert {
        "ACT-1",
        "ACT-2",
        "ACT-3",
        "LNK-1",
        "LNK-2",
        "REQ-1",
        "REQ-3",
        "REQ-4",
        "REQ-5",
        "HTTP-3",
    } <= failed
    assert {
        "DISC-7",
        "DISC-10",
        "PFQ-2",
        "CARD-1",
        "CARD-6",
        "ACT-5",
        "SYS-2",
        "CORS-1",
        "HTTP-2",
    } <= advised


def test_a_failing_service_is_found_out() -> None:
    entry = {
        "id": "bad",
        "hook": "order-sign",
        "description": "d",
        "prefetch": {"conditions": "Condition?patient={{context.patientId}}"},
    }
    page = b"<html>Traceback (most recent call last)"
    found = verdicts(Bad({"services": [entry]}, page, "500 Internal Server Error"))
    wanted = {
        "RES-1",
        "REQ-9",
        "REQ-15",
        "PF-1",
        "PF-3",
        "PF-6",
        "PF-7",
        "PF-9",
        "PF-10",
        "FB-2",
        "FB-6",
    }
    assert {name for name in wanted if found[name] == "fail"} == wanted
    assert found["FB-1"] == found["REQ-13"] == found["PF-8"] == "advice"


def test_what_cannot_be_tried_is_skipped() -> None:
    unknown = {"id": "x", "hook": "org.example.hook", "description": "d"}
    found = verdicts(Bad({"services": [unknown]}, b"{}"))
    assert found["RES-1"] == found["REQ-3"] == found["FB-2"] == "skip"
    nothing = verdicts(Bad([], b"{}"))
    assert nothing["DISC-2"] == "fail"


ENTRY = {"id": "a", "hook": "order-sign", "description": "d"}
CARD = {"summary": "s", "indicator": "info", "source": {"label": "x"}}


@pytest.mark.parametrize(
    ("document", "answer", "broken"),
    [
        ({"services": ["x", None]}, {"cards": []}, "DISC-2"),
        ({"services": [{**ENTRY, "prefetch": ["x"]}]}, {"cards": []}, "DISC-8"),
        ({"services": [ENTRY]}, {"cards": "x"}, "RES-1"),
        ({"services": [ENTRY]}, {"cards": ["x"]}, "RES-1"),
        ({"services": [ENTRY]}, {"cards": [{**CARD, "suggestions": ["x"]}]}, "SUG-1"),
        ({"services": [ENTRY]}, {"cards": [{**CARD, "source": "x"}]}, "CARD-5"),
        ({"services": [ENTRY]}, {"cards": [{**CARD, "overrideReasons": "x"}]}, "CARD-9"),
        ({"services": [ENTRY]}, {"cards": [{**CARD, "links": [None]}]}, "LNK-1"),
        (
            {"services": [ENTRY]},
            {"cards": [{**CARD, "suggestions": [{"label": "l", "actions": "x"}]}]},
            "ACT-1",
        ),
    ],
)
def test_an_answer_of_another_shape_is_a_fault_of_the_service_not_ours(
    document: Any, answer: Any, broken: str
) -> None:
    assert verdicts(Bad(document, json.dumps(answer).encode()))[broken] == "fail"


def test_a_signed_call_that_is_refused_is_not_taken_for_a_private_list() -> None:
    def refuse(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"].read()
        start_response("401 Unauthorized", [("Content-Type", "application/json")])
        return [b"{}"]

    assert verdicts(refuse)["DISC-1"] == "skip"
    with Loopback(refuse) as address, Remote(address, lambda _url: "Bearer x") as there:
        found = {each.requirement: each for each in conformance(there)}
    assert found["DISC-1"].verdict == "fail"
    assert "401" in found["DISC-1"].why
    assert found["DISC-2"].why == "status 401 in its place"


@pytest.mark.slow
def test_the_command_prints_a_table_and_ends_with_0_or_1(address: str) -> None:
    good = run(address, "--origin", ORIGIN)
    assert good.exit_code == 0, good.output
    assert "0 fail" in good.output
    with Loopback(Bad({"services": [BAD_ENTRY]}, b"[]")) as other:
        bad = run(other + "/cds-services", "--all")
    assert bad.exit_code == 1
    assert "RES-1" in bad.output


@pytest.mark.slow
def test_a_request_of_ones_own_is_used(address: str, tmp_path: Path) -> None:
    entry = {"hook": "patient-view", "id": "opioid-safety"}
    file = tmp_path / "request.json"
    file.write_text(json.dumps(sample(entry) | {"hookInstance": "nonsense"}))
    told = run(address, "--request", str(file), "--service", "opioid-safety")
    assert told.exit_code == 1
    assert "status 400" in told.output


@pytest.mark.parametrize("content", ["{", "[]", '{"context": {}}'])
def test_a_request_that_is_none_is_bad_input(tmp_path: Path, content: str) -> None:
    file = tmp_path / "request.json"
    file.write_text(content)
    assert run("http://127.0.0.1:9", "--request", str(file), "--service", "x").exit_code == 2
    assert run("http://127.0.0.1:9", "--request", str(file)).exit_code == 2


def test_nobody_there_is_bad_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cds_service.cli import main

    for url in ("http://127.0.0.1:9", "ftp://x", "nonsense"):
        monkeypatch.setattr("sys.argv", ["cds-service", "conformance", url])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_service_that_is_asked_too_often_is_asked_again_later() -> None:
    class Busy:
        """Tells every other call to come back at once."""

        calls = 0

        def __call__(self, _: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            self.calls += 1
            start_response(
                "429 Too Many Requests" if self.calls == 1 else "200 OK", [("Retry-After", "0")]
            )
            return [b"{}"]

    busy = Busy()
    with Loopback(busy) as address, Remote(address) as there:
        assert there.discover().status == 200
    assert busy.calls == 2


def test_there_is_a_sample_for_every_hook_we_know() -> None:
    for hook, members in REQUIRED.items():
        made = sample({"hook": hook, "prefetch": {"patient": "Patient/{{context.patientId}}"}})
        assert made is not None
        assert set(members) <= set(made["context"])
        assert made["prefetch"]["patient"]["resourceType"] == "Patient"
