"""The file of preferred partners, fetched from a FHIR server or checked by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fhir.resources.R4B.bundle import Bundle

from cds_service.cli import commands, main
from cds_service.knowledge.codes import Code
from cds_service.knowledge.directory import Directory
from cds_service.knowledge.directory_files import read_directory
from cds_service.knowledge.loader import load_knowledge
from cds_service.shipped import shipped
from tests.contract.directory_server import DirectoryServer, Json
from tests.contract.loopback import Loopback

pytestmark = pytest.mark.slow

SHIPPED = shipped("fhir_fixtures") / "directory.json"
SHIPPED_RESOURCES = [entry["resource"] for entry in json.loads(SHIPPED.read_text())["entry"]]
NUCC = "http://nucc.org/provider-taxonomy"
INCLUDES = (
    "HealthcareService:organization",
    "PractitionerRole:service",
    "PractitionerRole:organization",
)
OLD = "the file before"


@pytest.fixture
def server() -> DirectoryServer:
    return DirectoryServer(*deepcopy(SHIPPED_RESOURCES))


@pytest.fixture
def base(server: DirectoryServer) -> Iterator[str]:
    with Loopback(server) as url:
        yield f"{url}/fhir"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    file = tmp_path / "site" / "directory.json"
    file.parent.mkdir()
    file.write_text(OLD)
    return file


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(commands, [str(each) for each in ("directory", *arguments)])


def fetched(base: str, out: Path, *options: str) -> Directory:
    told = run("fetch", "--fhir", base, "--out", out, *options)
    assert told.exit_code == 0, told.output
    Bundle.model_validate(json.loads(out.read_text()))
    assert list(out.parent.iterdir()) == [out]
    return read_directory(out, load_knowledge())


def refused(base: str, out: Path, *options: str) -> str:
    """What the command says when it writes nothing."""
    told = run("fetch", "--fhir", base, "--out", out, *options)
    assert told.exit_code != 0
    assert out.read_text() == OLD
    assert list(out.parent.iterdir()) == [out]
    return str(told.exception)


def role(**members: Any) -> Json:
    specialty = [{"coding": [{"system": NUCC, "code": "225100000X"}]}]
    return {"resourceType": "PractitionerRole", "id": "x", "specialty": specialty, **members}


@pytest.mark.parametrize("includes", [(), INCLUDES])
@pytest.mark.parametrize("page", [1, 50])
def test_what_a_server_has_is_what_the_file_says(
    server: DirectoryServer, base: str, out: Path, includes: tuple[str, ...], page: int
) -> None:
    server.includes, server.page = includes, page
    expected = read_directory(SHIPPED, load_knowledge())
    assert set(fetched(base, out).partners) == set(expected.partners)
    reads = [asked for asked in server.asked if asked.startswith("/fhir/Organization/")]
    assert len(reads) == (0 if includes else 1)


def test_only_active_ones_are_kept(server: DirectoryServer, base: str, out: Path) -> None:
    server.resources += [role(active=False, practitioner={"display": "Dr Gone"})]
    told = run("fetch", "--fhir", base, "--out", out)
    assert "left out: 1 not active" in told.output
    assert "Restart the service" in told.output
    assert not any("active=" in asked for asked in server.asked)


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (role(specialty=[]), "do nothing that we order"),
        (role(), "without a name"),
        (
            role(
                practitioner={"display": "Dr Far"},
                program=[{"coding": [{"system": "urn:cds-service:payer", "code": "acme"}]}],
            ),
            "for a payer that is not known here",
        ),
    ],
)
def test_what_cannot_be_used_is_left_out_and_counted(
    server: DirectoryServer, base: str, out: Path, resource: Json, why: str
) -> None:
    if "program" in resource:  # a PractitionerRole of R4 has none: put it on its service
        service = {**resource, "resourceType": "HealthcareService", "name": "Far"}
        resource = {k: v for k, v in service.items() if k != "practitioner"}
    server.resources.append(resource)
    told = run("fetch", "--fhir", base, "--out", out)
    assert told.exit_code == 0, told.output
    assert f"left out: 1 {why}" in told.output


def test_a_role_gets_the_name_of_its_practitioner(
    server: DirectoryServer, base: str, out: Path
) -> None:
    name = [{"prefix": ["Dr"], "given": ["Ada"], "family": "Other"}]
    server.resources += [
        {"resourceType": "Practitioner", "id": "p", "name": name},
        role(practitioner={"reference": f"{base}/Practitioner/p"}),
    ]
    found = {partner.ref: partner.name for partner in fetched(base, out).partners}
    assert found["PractitionerRole/x"] == "Dr Ada Other"


def test_references_become_relative_and_those_to_nowhere_go(
    server: DirectoryServer, base: str, out: Path
) -> None:
    named: Json = {"practitioner": {"display": "Dr Here"}, "text": {"status": "empty"}}
    server.resources += [
        role(organization={"reference": f"{base}/Organization/northfield/_history/2"}, **named),
        role(id="y", organization={"reference": "https://other.example/Organization/1"}, **named),
        role(id="z", organization={"reference": "Organization/gone"}, **named),
    ]
    found = {partner.ref: partner.name for partner in fetched(base, out).partners}
    assert found["PractitionerRole/x"] == "Dr Here, Northfield Spine Partners"
    assert found["PractitionerRole/y"] == found["PractitionerRole/z"] == "Dr Here"
    assert '"text"' not in out.read_text()


def test_a_service_that_only_lends_its_name_is_no_partner(
    server: DirectoryServer, base: str, out: Path
) -> None:
    lender = {"resourceType": "HealthcareService", "id": "front-desk", "name": "Front Desk"}
    desk = [{"reference": "HealthcareService/front-desk"}]
    server.resources += [lender, role(healthcareService=desk)]
    found = {partner.ref: partner.name for partner in fetched(base, out).partners}
    assert found["PractitionerRole/x"] == "Front Desk"
    assert "HealthcareService/front-desk" not in found


def test_a_search_of_the_sites_own_narrows_it(
    server: DirectoryServer, base: str, out: Path
) -> None:
    found = fetched(base, out, "--search", "PractitionerRole?specialty=208VP0000X")
    assert "PractitionerRole/lakeside-pain-1" in {partner.ref for partner in found.partners}
    assert "/fhir/PractitionerRole?specialty=208VP0000X" in server.asked
    assert not any(asked.startswith("/fhir/HealthcareService?") for asked in server.asked)


def test_a_server_that_refuses_changes_nothing(
    server: DirectoryServer, base: str, out: Path
) -> None:
    server.hidden = ("PractitionerRole",)
    assert "PractitionerRole: status 403" in refused(base, out)
    server.hidden = ("Organization",)
    assert "Organization: status 403" in refused(base, out)
    server.hidden, server.silent = (), ("PractitionerRole", "HealthcareService")
    assert "has no search of" in refused(base, out)
    assert "no search of the directory" in refused(base, out, "--search", "Patient?name=x")


def test_an_empty_or_odd_directory_changes_nothing(
    server: DirectoryServer, base: str, out: Path
) -> None:
    server.resources = [role(specialty=["odd"])]
    assert "not as FHIR R4 has it" in refused(base, out)
    server.resources = []
    assert "nobody who does what we order" in refused(base, out)
    assert "metadata" in refused("http://127.0.0.1:9/fhir", out)


def test_a_place_that_cannot_be_written_is_said(base: str, tmp_path: Path) -> None:
    told = run("fetch", "--fhir", base, "--out", tmp_path / "none" / "directory.json")
    assert "cannot be written" in str(told.exception)


def test_a_fault_is_one_line_and_exit_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], out: Path
) -> None:
    arguments = ["directory", "fetch", "--fhir", "http://127.0.0.1:9/fhir", "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["cds-service", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("cds-service: http://127.0.0.1:9/fhir/metadata")


def test_check_says_who_performs_what(tmp_path: Path) -> None:
    told = run("check", SHIPPED)
    assert told.exit_code == 0
    lines = told.output.splitlines()
    assert lines[0] == "directory.json: 5 partners"
    assert "  medical-spine-referral: 1" in lines
    assert "  physical-therapy-referral: 2" in lines
    broken = tmp_path / "broken.json"
    broken.write_text("[]")
    told = run("check", broken)
    assert told.exit_code == 1
    assert told.output.startswith("broken.json: not a FHIR Bundle (allowed: a Bundle of Org")


def test_the_fetched_file_answers_as_the_written_one(base: str, out: Path) -> None:
    found = fetched(base, out).preferred([Code("NUCC", "208100000X")], ("healthpartners",))
    assert found is not None
    assert found.ref == "HealthcareService/northfield-msc"
