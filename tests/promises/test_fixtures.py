"""The synthetic patients: valid FHIR R4, nobody who could be real, and dates that fit the
day of the demo.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_service.cases.validity import faults_of
from cds_service.knowledge.strict_yaml import load
from cds_service.settings import DEMO_DATE
from cds_service.shipped import shipped

FOLDER = shipped("fhir_fixtures") / "patients"
CHARTS = sorted(FOLDER.glob("*.json"))
STORIES = {story["id"]: story for story in load(FOLDER / "stories.yaml").data}
LISTED = frozenset(re.findall(r"Canary[a-z]+", (FOLDER / "README.md").read_text()))
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def resources(chart: Path) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in json.loads(chart.read_bytes())["entry"]]


def members(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value of a resource with the name of its member."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from members(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner, name)
    else:
        yield name, value


def test_every_story_has_a_chart_and_every_chart_a_story() -> None:
    assert {chart.stem for chart in CHARTS} == set(STORIES)


def test_there_are_enough_stories_of_either_kind() -> None:
    groups = Counter(story["group"] for story in STORIES.values())
    assert groups["opioid safety"] >= 12
    assert groups["low back pain pathway"] >= 15


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.stem)
def test_a_chart_is_valid_r4(chart: Path) -> None:
    bundle = json.loads(chart.read_bytes())
    assert bundle["type"] == "collection"
    assert faults_of(bundle) == []


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.stem)
def test_a_chart_is_of_one_patient_whose_name_is_a_canary(chart: Path) -> None:
    patients = [r for r in resources(chart) if r["resourceType"] == "Patient"]
    assert [patient["id"] for patient in patients] == [chart.stem]
    assert [name["family"] in LISTED for name in patients[0]["name"]] == [True]


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.stem)
def test_references_lead_somewhere(chart: Path) -> None:
    held = resources(chart)
    ids = [f"{r['resourceType']}/{r['id']}" for r in held]
    assert len(ids) == len(set(ids))
    named = {value for r in held for name, value in members(r) if name == "reference"}
    strangers = {ref for ref in named if not ref.startswith(("#", "Practitioner/"))} - set(ids)
    assert strangers == set()


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.stem)
def test_no_date_lies_after_the_day_of_the_demo(chart: Path) -> None:
    dates = [
        (name, value)
        for r in resources(chart)
        for name, value in members(r)
        if isinstance(value, str) and DATE.match(value)
    ]
    assert [(name, value) for name, value in dates if value[:10] > DEMO_DATE.isoformat()] == []
    born = next(value for name, value in dates if name == "birthDate")
    assert [(name, value) for name, value in dates if value[:10] < born] == []


def test_no_two_patients_share_a_name() -> None:
    names = Counter(
        r["name"][0]["family"]
        for c in CHARTS
        for r in resources(c)
        if r["resourceType"] == "Patient"
    )
    assert [name for name, count in names.items() if count > 1] == []
    assert set(names) == LISTED
