"""With a directory of the site, suggestions go to the preferred partner and the card says
who that is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.assembly import load_service
from cds_service.cases import House, Road, call_of, load_cases
from cds_service.settings import Mode, load_settings
from cds_service.shipped import shipped

CASES = Path(__file__).parent / "cases" / "medical_spine_center.yaml"
NAME = "Surgeon referral without a medical spine visit"


def _card(directory: Path | None) -> dict[str, Any]:
    house = House(load_service(load_settings(mode=Mode.TEST, directory=directory)))
    case = next(case for case in load_cases(CASES, house.systems) if case.name == NAME)
    answer = house.ask(call_of(case), Road.PREFETCH)
    assert house.wrong(case, answer) == []
    card: dict[str, Any] = answer.body["cards"][0]
    return card


def test_a_card_whose_task_names_a_specialty_is_written_with_a_directory() -> None:
    found = load_settings(mode=Mode.TEST, directory=shipped("fhir_fixtures") / "directory.json")
    house = House(load_service(found))
    cases = load_cases(CASES.parent / "care_programs.yaml", house.systems)
    answer = house.ask(call_of(cases[0]), Road.PREFETCH)
    assert house.wrong(cases[0], answer) == []


def _referral(card: dict[str, Any]) -> dict[str, Any]:
    resource: dict[str, Any] = card["suggestions"][0]["actions"][0]["resource"]
    return resource


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    return _card(shipped("fhir_fixtures") / "directory.json")


def test_the_referral_names_the_partner(card: dict[str, Any]) -> None:
    assert _referral(card)["performer"] == [
        {
            "reference": "HealthcareService/northfield-msc",
            "display": "Northfield Medical Spine Center, Northfield Spine Partners",
        }
    ]


def test_the_card_says_how_to_reach_it_and_links_the_handout(card: dict[str, Any]) -> None:
    assert (
        "- Preferred for Medical spine center: "
        "Northfield Medical Spine Center, Northfield Spine Partners, 555-0101"
    ) in card["detail"]
    assert {
        "label": "Patient handout",
        "url": "https://example.org/handouts/medical-spine-visit",
        "type": "absolute",
    } in card["links"]


def test_a_partner_without_a_telephone_is_named_alone(tmp_path: Path) -> None:
    shown = json.loads((shipped("fhir_fixtures") / "directory.json").read_text())
    for entry in shown["entry"]:
        entry["resource"].pop("telecom", None)
    file = tmp_path / "directory.json"
    file.write_text(json.dumps(shown))
    lines = _card(file)["detail"].splitlines()
    (line,) = [each for each in lines if "Preferred for Medical spine center" in each]
    assert line.endswith("Northfield Medical Spine Center, Northfield Spine Partners")


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("A first short opioid with nothing else tried", True),
        ("An open therapy request counts", False),
    ],
)
def test_a_partner_is_named_for_what_is_offered_only(name: str, named: bool) -> None:
    directory = shipped("fhir_fixtures") / "directory.json"
    house = House(load_service(load_settings(mode=Mode.TEST, directory=directory)))
    cases = load_cases(CASES.parent / "opioid_nonopioid_first.yaml", house.systems)
    body = house.ask(call_of(next(c for c in cases if c.name == name)), Road.PREFETCH).body
    said = "".join(card["detail"] for card in body["cards"])
    assert ("Riverside Physical Therapy" in said) is named


def test_without_a_directory_the_referral_names_the_specialty_only() -> None:
    plain = _card(None)
    assert "performer" not in _referral(plain)
    assert _referral(plain)["performerType"]["coding"][0]["code"] == "208100000X"
    assert "Preferred" not in plain["detail"]
