"""Whole requests with their right answers, by every road."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cds_service.cases import REQUEST_ROADS, Call, House, Road
from cds_service.cases.roads import faults, met
from cds_service.clinical.visits import CLAIM_NEEDS
from cds_service.knowledge.strict_yaml import load
from cds_service.shipped import shipped

pytestmark = pytest.mark.slow

EXPECTED = Path(__file__).parent / "cases_whole"
REQUESTS = shipped("fhir_fixtures") / "cases"
SERVICES = {
    "low-back-pain": {"patient-view": ("low-back-pain", "opioid-safety")},
    "opioid": {"patient-view": ("opioid-safety",)},
}
ORDER_SERVICES = {"low-back-pain": ("spine-orders", "opioid-safety"), "opioid": ("opioid-safety",)}
TOLERANCE = Decimal("0.05")


def _cases() -> Iterator[Any]:
    for file in sorted(EXPECTED.glob("*.yaml")):
        data = load(file).data
        for case in data["cases"]:
            said = {"as_of": data.get("as_of"), **case, "folder": data["folder"]}
            yield pytest.param(said, id=f"{data['folder']}/{case['request']}")


def _calls(case: Mapping[str, Any]) -> Iterator[Call]:
    """The calls of one request: to each service that answers its hook."""
    text = (REQUESTS / case["folder"] / f"{case['request']}.json").read_text(encoding="utf-8")
    request = json.loads(text, parse_float=Decimal)
    resources: list[Mapping[str, Any]] = []
    for found in request["prefetch"].values():
        entries = (
            found.get("entry", ()) if found["resourceType"] == "Bundle" else ({"resource": found},)
        )
        resources.extend(entry["resource"] for entry in entries)
    if not any(resource["resourceType"] == "Patient" for resource in resources):
        patient = request["context"]["patientId"].removeprefix("Patient/")
        resources.append({"resourceType": "Patient", "id": patient})  # an EHR knows whom it opened
    hook = request["hook"]
    for service in SERVICES[case["folder"]].get(hook, ORDER_SERVICES[case["folder"]]):
        name = f"{case['request']} {service}"
        yield Call(service, hook, case["as_of"], name, request["context"], tuple(resources))


@pytest.fixture(scope="module")
def house() -> House:
    return House()


@pytest.mark.parametrize("case", list(_cases()))
def test_whole_request(case: Mapping[str, Any], house: House) -> None:
    said: dict[str, str] = {}
    bodies: list[dict[str, Any]] = []
    for call in _calls(case):
        answers = {road: house.ask(call, road) for road in REQUEST_ROADS}
        first = next(iter(answers.values()))
        assert {road.value: answer.status for road, answer in answers.items()} == {
            road.value: 200 for road in REQUEST_ROADS
        }
        assert all(answer.body == first.body for answer in answers.values())
        assert len(first.body["cards"]) <= 4
        assert faults(first, call) == []
        bodies.append(first.body)
        for name, one in met(first).items():
            said[name] = max(
                said.get(name, "info"),
                one.indicator.value,
                key=("info", "warning", "critical").index,
            )
    wanted = case.get("met", {})
    assert {name: said.get(name) for name in wanted} == {
        name: wanted[name] if isinstance(wanted, Mapping) else said.get(name, "met")
        for name in wanted
    }
    assert [name for name in case.get("silent", ()) if name in said] == []
    if "mme" in case:
        _check_total(case["mme"], bodies[-1])
    assert set(case.get("creates", ())) <= set(_created(bodies))


PAYER_ASKS = {  # what rests on claims themselves, not only on visits
    "review-point-reached",
    "review-turnaround-exceeded",
    "review-denied",
    "spine-surgery-visit-authorization",
    "session-limit-reached",
    "criteria-met",
}


@pytest.mark.parametrize("case", [c for c in _cases() if "low-back-pain" in (c.id or "")])
def test_a_server_without_claims_is_no_reason_for_a_notice(
    case: Mapping[str, Any], house: House
) -> None:
    """Most EHRs have none: what the chart itself shows is said, and nothing else."""
    for call in _calls(case):
        whole = house.ask(call, Road.PREFETCH)
        part = house.ask(replace(call, withheld=frozenset(CLAIM_NEEDS)), Road.FETCH)
        assert part.status == 200
        assert set(met(part)) - set(met(whole)) == set()
        if not any(r["resourceType"] == "Claim" for r in call.resources):
            assert set(met(whole)) - set(met(part)) <= PAYER_ASKS
        topics = [card["source"]["topic"]["code"] for card in part.body["cards"]]
        if call.hook == "patient-view":
            assert "could-not-check" not in topics


def _check_total(expected: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    found = body.get("extension", {}).get("cds-service.mme")
    if found is None:
        assert 0 in expected["per_day"], "no total, although an opioid was seen"
    elif found["isLowerBound"]:
        assert expected["lower_bound"], found
    else:
        per_day = Decimal(str(found["perDay"]))
        assert any(abs(per_day - Decimal(value)) <= TOLERANCE for value in expected["per_day"]), (
            found
        )


def _created(bodies: list[dict[str, Any]]) -> Iterator[str]:
    """The SNOMED CT codes of the resources that suggestions create."""
    for body in bodies:
        for card in body["cards"]:
            for suggestion in card.get("suggestions", ()):
                for action in suggestion["actions"]:
                    for coding in action.get("resource", {}).get("code", {}).get("coding", ()):
                        if coding["system"] == "http://snomed.info/sct":
                            yield f"SNOMED#{coding['code']}"
