"""The site's directory: who is preferred for what, for which payers and at which sites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from cds_service.errors import KnowledgeError
from cds_service.knowledge.codes import Code
from cds_service.knowledge.directory import NOBODY, Directory, Partner
from cds_service.knowledge.directory_files import read_directory
from cds_service.knowledge.loader import load_knowledge
from cds_service.knowledge.model import Knowledge
from cds_service.shipped import shipped

SHIPPED = shipped("fhir_fixtures") / "directory.json"
PT, SPINE, PAIN = (Code("NUCC", code) for code in ("225100000X", "208100000X", "208VP0000X"))


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture(scope="module")
def directory(knowledge: Knowledge) -> Directory:
    return read_directory(SHIPPED, knowledge)


def test_the_example_is_valid_r4() -> None:
    Bundle.model_validate(json.loads(SHIPPED.read_text()))


@pytest.mark.parametrize(
    ("code", "payers", "ref"),
    [
        (PT, (), "HealthcareService/riverside-pt"),
        (PT, ("cigna",), "HealthcareService/home-exercise-pt"),
        (PT, ("healthpartners", "cigna"), "HealthcareService/home-exercise-pt"),
        (SPINE, ("healthpartners",), "HealthcareService/northfield-msc"),
        (SPINE, ("cigna",), None),
        (PAIN, ("cigna",), "HealthcareService/limited-injection-pain"),
        (Code("NUCC", "207T00000X"), ("cigna",), None),
    ],
)
def test_a_partner_for_the_payer_comes_before_one_for_any(
    directory: Directory, code: Code, payers: tuple[str, ...], ref: str | None
) -> None:
    found = directory.preferred([code], payers)
    assert (found.ref if found else None) == ref


def test_a_partner_of_a_site_is_for_that_site_only() -> None:
    here = Partner("HealthcareService/1", "Here", frozenset({PT}), sites=frozenset({"north"}))
    anywhere = Partner("HealthcareService/2", "Anywhere", frozenset({PT}))
    both = Directory((anywhere, here))
    assert both.preferred([PT], (), "north") is here
    assert both.preferred([PT], (), "south") is anywhere
    assert NOBODY.preferred([PT]) is None


def test_the_primary_payer_decides_between_two() -> None:
    first = Partner("HealthcareService/1", "A", frozenset({PT}), payers=frozenset({"cigna"}))
    second = Partner(
        "HealthcareService/2", "B", frozenset({PT}), payers=frozenset({"healthpartners"})
    )
    assert Directory((first, second)).preferred([PT], ("healthpartners", "cigna")) is second
    either = Partner("HealthcareService/3", "C", frozenset({PT}), first.payers | second.payers)
    assert Directory((first, either)).preferred([PT], ("healthpartners", "cigna")) is either


def test_a_directory_may_be_empty(knowledge: Knowledge, tmp_path: Path) -> None:
    file = tmp_path / "directory.json"
    file.write_text('{"resourceType": "Bundle"}')
    assert read_directory(file, knowledge) == NOBODY


def test_the_type_of_an_organization_is_not_what_each_of_its_services_does(
    knowledge: Knowledge, tmp_path: Path
) -> None:
    pain = {"coding": [{"system": "http://nucc.org/provider-taxonomy", "code": PAIN.code}]}
    clinic = {"resourceType": "Organization", "id": "o", "name": "Clinic", "type": [pain]}
    service = {**SERVICE, "providedBy": {"reference": "Organization/o"}}
    role = {
        "resourceType": "PractitionerRole",
        "id": "r",
        "organization": {"reference": "Organization/o"},
        "practitioner": {"display": "Dr Example"},
        "code": SERVICE["specialty"],
    }
    file = tmp_path / "directory.json"
    entries = [{"resource": each} for each in (clinic, service, role)]
    file.write_text(json.dumps({"resourceType": "Bundle", "entry": entries}))
    assert [each.codes for each in read_directory(file, knowledge).partners] == [{PT}, {PT}]


def test_names_phones_and_handouts_come_from_service_and_organization(directory: Directory) -> None:
    found = directory.preferred([SPINE], ("healthpartners",))
    assert found is not None
    assert found.name == "Northfield Medical Spine Center, Northfield Spine Partners"
    assert found.phone == "555-0101"
    assert ("Patient handout", "https://example.org/handouts/medical-spine-visit") in found.links
    role = next(p for p in directory.partners if p.ref == "PractitionerRole/lakeside-pain-1")
    assert role.name == "Dr Ada Example, Lakeside Pain Clinic"
    assert role.payers == {"cigna"}


SERVICE: dict[str, Any] = {
    "resourceType": "HealthcareService",
    "id": "1",
    "name": "X",
    "specialty": [
        {"coding": [{"system": "http://nucc.org/provider-taxonomy", "code": "225100000X"}]}
    ],
}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("[]", "not a FHIR Bundle"),
        (
            json.dumps(
                {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient"}}]}
            ),
            "entry 1",
        ),
        (
            json.dumps({"resourceType": "Bundle", "entry": [{"resource": SERVICE}] * 2}),
            "two resources",
        ),
        (
            json.dumps(
                {"resourceType": "Bundle", "entry": [{"resource": {**SERVICE, "specialty": []}}]}
            ),
            "says no type",
        ),
        (
            json.dumps(
                {"resourceType": "Bundle", "entry": [{"resource": {**SERVICE, "name": ""}}]}
            ),
            "says no name",
        ),
        (
            json.dumps(
                {"resourceType": "Bundle", "entry": [{"resource": {**SERVICE, "specialty": "pt"}}]}
            ),
            "FHIR R4",
        ),
        (
            json.dumps(
                {
                    "resourceType": "Bundle",
                    "entry": [
                        {"resource": {**SERVICE, "providedBy": {"reference": "Organization/9"}}}
                    ],
                }
            ),
            "Organization/9, which is not here",
        ),
        (
            json.dumps(
                {
                    "resourceType": "Bundle",
                    "entry": [
                        {
                            "resource": {
                                **SERVICE,
                                "program": [
                                    {
                                        "coding": [
                                            {"system": "urn:cds-service:payer", "code": "acme"}
                                        ]
                                    }
                                ],
                            }
                        }
                    ],
                }
            ),
            "no payer 'acme'",
        ),
    ],
)
def test_a_fault_names_what_is_wrong(
    tmp_path: Path, knowledge: Knowledge, text: str, why: str
) -> None:
    path = tmp_path / "directory.json"
    path.write_text(text)
    with pytest.raises(KnowledgeError, match=why):
        read_directory(path, knowledge)


def test_a_file_that_is_missing_is_a_fault(tmp_path: Path, knowledge: Knowledge) -> None:
    with pytest.raises(KnowledgeError, match="cannot be read"):
        read_directory(tmp_path / "none.json", knowledge)


def written(tmp_path: Path, knowledge: Knowledge, **members: Any) -> Partner:
    """The one partner of a directory, with these members."""
    path = tmp_path / "directory.json"
    entry = [{"resource": {**SERVICE, **members}}]
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": entry}))
    (partner,) = read_directory(path, knowledge).partners
    return partner


def test_a_service_without_a_whole_code_is_found_by_its_others(
    tmp_path: Path, knowledge: Knowledge
) -> None:
    words = {"coding": [{"display": "Backs"}, {"system": "urn:local"}, {"code": "x"}]}
    assert written(tmp_path, knowledge, type=[words]).codes == {PT}


def test_only_links_to_safe_pages_are_shown(tmp_path: Path, knowledge: Knowledge) -> None:
    handout = "urn:cds-service:handout"
    partner = written(
        tmp_path,
        knowledge,
        extension=[
            {"url": handout, "valueUrl": "http://example.org/plain"},
            {"url": "urn:other", "valueUrl": "https://example.org/other"},
            {"url": handout, "valueUrl": "https://example.org/handout"},
        ],
        telecom=[
            {"system": "url", "value": "http://example.org"},
            {"system": "phone", "value": "555-0199"},
            {"system": "url", "value": "https://example.org/site"},
        ],
    )
    assert partner.links == (
        ("Patient handout", "https://example.org/handout"),
        ("X", "https://example.org/site"),
    )
    assert partner.phone == "555-0199"
