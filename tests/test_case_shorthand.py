"""The shorthand of the cases: what a line becomes, and that a slip is told with file and line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cds_service.cases import load_cases
from cds_service.cases.chart import Chart, chart
from cds_service.cases.dosage import dosages
from cds_service.cases.responder import Responder, encode
from cds_service.cases.validity import faults_of
from cds_service.cases.words import LineError
from cds_service.errors import FhirNotFound, FhirReadError, KnowledgeError
from cds_service.fhir.client import Pages

SYSTEMS = {
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "LOINC": "http://loinc.org",
    "NUCC": "http://nucc.org/provider-taxonomy",
    "CPT": "http://www.ama-assn.org/go/cpt",
    "SNOMED": "http://snomed.info/sct",
}
LINES: tuple[dict[str, Any], ...] = (
    {
        "MedicationRequest": "RXNORM#1049621 oxycodone",
        "draft": True,
        "sig": "1 tablet 4 times a day",
        "refills": 1,
    },
    {
        "MedicationRequest": "oxycodone",
        "sig_text": "as directed",
        "supply": ["30 days", "60 tablets"],
        "replaces": "x",
    },
    {"MedicationDispense": "RXNORM#1049621 oxycodone", "on": "2026-02-01", "supply": "7 days"},
    {"MedicationStatement": "RXNORM#1049621 oxycodone", "from": "2026-02-01"},
    {
        "Condition": "ICD10CM#M54.50 Low back pain",
        "status": "active provisional",
        "from": "2026-01-01",
    },
    {"Observation": "LOINC#8310-5 Body temperature", "on": "2026-02-01", "value": "38.2 Cel"},
    {
        "Observation": "LOINC#3393-6 Cocaine",
        "on": "2026-02-01",
        "value": "SNOMED#10828004 Positive",
    },
    {"Observation": "LOINC#3393-6 Cocaine", "on": "2026-02-01", "value": "positive"},
    {"Observation": "LOINC#3393-6 Cocaine", "on": "2026-02-01", "value": True},
    {"Procedure": "CPT#63047 Laminectomy", "on": "2026-02-01"},
    {"Procedure": "CPT#63047 Laminectomy", "from": "2026-02-01", "to": "2026-02-02"},
    {
        "Encounter": "CPT#97110 Exercise",
        "on": "2026-02-01",
        "specialty": "NUCC#225100000X Physical Therapist",
    },
    {
        "ServiceRequest": "CPT#62323 Injection",
        "on": "2026-02-01",
        "value": 2,
        "reason": "ICD10CM#M54.16 Radiculopathy",
    },
    {"DeviceRequest": "L0631", "reason": ["ICD10CM#M54.50 Low back pain"]},
    {"CarePlan": "LOINC#80764-4 Plan", "on": "2026-02-01"},
    {"Coverage": "Cigna", "to": "2026-12-31"},
    {
        "Claim": "urn:cds-service:claim-type#therapy_mnr",
        "on": "2026-02-01",
        "value": True,
        "reason": "CPT#97110",
    },
    {"ClaimResponse": "urn:cds-service:claim-type#therapy_mnr", "on": "2026-02-09", "value": "A3"},
    {"DocumentReference": "LOINC#34832-6 Note", "on": "2026-02-01"},
    {"Goal": "walk", "on": "2026-02-01", "value": "improving"},
    {"AllergyIntolerance": "SNOMED#426722004 Contrast", "status": "active refuted"},
    {
        "QuestionnaireResponse": "urn:cds-service:questionnaire:fabq-w",
        "on": "2026-02-01",
        "value": 38,
    },
)


def drawn(*lines: dict[str, Any]) -> Chart:
    return chart({"born": "1970-01-01", "sex": "female"}, lines, SYSTEMS)


@pytest.mark.parametrize("line", LINES, ids=lambda line: next(iter(line)))
def test_a_line_becomes_valid_r4(line: dict[str, Any]) -> None:
    made = drawn(line)
    resource = (*made.resources, *made.drafts)[0]
    if resource["resourceType"] == "Claim":  # the library insists on members that no case needs
        assert resource["item"][0]["productOrService"]["coding"][0]["code"] == "97110"
        return
    assert faults_of(resource) == []


def test_lines_are_numbered_as_references() -> None:
    made = drawn(LINES[0], LINES[4], {"raw": {"resourceType": "Flag", "id": "f"}})
    assert made.references == ("MedicationRequest/line-1", "Condition/line-2", "Flag/f")
    assert [r["id"] for r in made.drafts] == ["line-1"]
    assert all(r["subject"]["reference"] == "Patient/case-patient" for r in made.resources)


@pytest.mark.parametrize(
    ("sig", "repeat"),
    [
        ("1 tablet every 6 hours", {"frequency": 1, "period": 6, "periodUnit": "h"}),
        (
            "1 tablet every 4 to 6 hours",
            {"frequency": 1, "period": 4, "periodMax": 6, "periodUnit": "h"},
        ),
        ("10 mg twice a day", {"frequency": 2, "period": 1, "periodUnit": "d"}),
        (
            "10 mg 3 to 4 times a day",
            {"frequency": 3, "frequencyMax": 4, "period": 1, "periodUnit": "d"},
        ),
        ("50 mg 2.97 times a day", {"frequency": 297, "period": 100, "periodUnit": "d"}),
        ("7.5 mg 4 times per 3 days", {"frequency": 4, "period": 3, "periodUnit": "d"}),
    ],
)
def test_a_sig_becomes_exact_timing(sig: str, repeat: dict[str, Any]) -> None:
    assert dosages(sig)[0]["timing"]["repeat"] == repeat


def test_a_sig_can_be_a_rate_a_range_a_maximum_and_steps() -> None:
    assert dosages("25 mcg/h")[0]["doseAndRate"][0]["rateQuantity"]["code"] == "ug/h"
    capped = dosages("1 to 2 tablets every 4 hours at most 8 tablets a day as needed")[0]
    assert capped["doseAndRate"][0]["doseRange"]["high"]["value"] == 2
    assert capped["maxDosePerPeriod"]["numerator"]["code"] == "{tablet}"
    assert capped["asNeededBoolean"] is True
    assert [
        d.get("sequence")
        for d in dosages("1 mg once a day and 2 mg once a day, then 1 mg once a day")
    ] == [1, 1, 2]
    assert dosages("0.5 mg once a day")[0]["doseAndRate"][0]["doseQuantity"]["value"] == Decimal(
        "0.5"
    )


@pytest.mark.parametrize(
    "line",
    [
        {"Condition": "ICD10CM#M54.50", "colour": "red"},
        {"Condition": "ICD10CM#M54.50", "Observation": "LOINC#1-1"},
        {"Condition": "NOSYSTEM#1 x"},
        {"MedicationRequest": "x", "sig": "a spoonful"},
        {"MedicationRequest": "x", "sig": "1 tablet now and again"},
        {"MedicationRequest": "x", "sig": "1 tablet once a day", "sig_text": "both"},
        {"MedicationRequest": "x", "supply": "plenty"},
    ],
)
def test_a_slip_in_a_line_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises(LineError):
        drawn(line)


def _file(tmp_path: Path, **change: str) -> Path:
    parts = {
        "rule": "rule: opioid-dose",
        "as_of": "as_of: 2026-03-01",
        "hook": "hook: order-sign",
        "name": "name: It speaks",
        "given": "given: []",
        "then": "then: []",
    } | change
    path = tmp_path / "opioid_dose.yaml"
    path.write_text(
        "\n".join([parts["rule"], parts["as_of"], parts["hook"], "cases:", f"  - {parts['name']}"])
        + f"\n    {parts['given']}\n    {parts['then']}\n"
    )
    return path


def test_a_good_file_loads(tmp_path: Path) -> None:
    (case,) = load_cases(_file(tmp_path), SYSTEMS)
    assert (case.service, case.line, str(case)) == (
        "opioid-safety",
        5,
        "opioid_dose.yaml:5 It speaks",
    )


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("rule", "rule: opioid-sose"),
        ("hook", "hook: patient-view"),
        ("as_of", "as_of: soon"),
        ("name", "title: It speaks"),
        ("given", "given: [{Condition: 'ICD10CM#M54.50', colour: red}]"),
        ("given", "withheld: [condition]"),
        ("then", "then: [{criterion: a, status: perhaps}]"),
        ("then", "then: [{criterion: a, indicator: loud}]"),
        ("then", "then: [{criterion: a, indicator: info, because: [1]}]"),
        ("then", "then: [{criterion: a, indicator: info, because: [oxycodone]}]"),
        ("then", "then: [{criterion: a, indicator: info, because: 1}]"),
        ("then", "then: [silent]"),
        ("then", "then: silent"),
        ("given", "given: {Condition: 'ICD10CM#M54.50'}"),
        ("given", "given: [oxycodone]"),
        ("given", "given: [{raw: {status: active}}]"),
        ("given", "given: [{raw: oxycodone}]"),
        ("given", "patient: 60"),
        ("given", "withheld: conditions"),
        ("given", "withheld: [[conditions]]"),
        ("hook", "hook: [order-sign]"),
        ("hook", "hook: order-select\npatient: {age: sixty}"),
    ],
)
def test_a_slip_in_a_file_is_told(tmp_path: Path, part: str, text: str) -> None:
    with pytest.raises(KnowledgeError, match=r"opioid_dose\.yaml:"):
        load_cases(_file(tmp_path, **{part: text}), SYSTEMS)


def test_the_responder_turns_pages_and_keeps_patients_apart() -> None:
    many = [
        {"resourceType": "Goal", "id": str(n), "subject": {"reference": "Patient/p"}}
        for n in range(25)
    ]
    other = {"resourceType": "Goal", "id": "x", "subject": {"reference": "Patient/q"}}
    server = Responder([{"resourceType": "Patient", "id": "p"}, other, *many], frozenset({"Claim"}))
    found = server.gather(
        {"a": "Patient/p", "b": "Goal?patient=p", "c": "Claim?patient=p", "d": "Patient/z"}
    )
    assert isinstance(found["a"], Pages)
    assert isinstance(found["b"], Pages)
    assert len(found["b"].bodies) == 2
    assert b'"x"' not in b"".join(found["b"].bodies)
    assert isinstance(found["c"], FhirReadError)
    assert isinstance(found["d"], FhirNotFound)


def test_numbers_travel_digit_for_digit() -> None:
    assert encode({"value": Decimal("2.970")}) == b'{"value":2.970}'
