"""A case's shorthand chart, made FHIR R4 resources: one line a resource.

A line is `{<ResourceType>: <SYSTEM#code Display or words>, key: value, ...}`; `raw: {...}` stands
for itself. The resource of line 3 has the id `line-3` unless it says `id`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.cases.records import (
    allergy,
    condition,
    document,
    encounter,
    goal,
    observation,
    procedure,
    questionnaire_response,
)
from cds_service.cases.requests import (
    care_plan,
    claim,
    claim_response,
    coverage,
    medication_dispense,
    medication_request,
    medication_statement,
    request,
)
from cds_service.cases.words import HL7, Line, LineError, Resource, Words, concept, plain, put

PATIENT_ID = "case-patient"
_SUBJECT = {"reference": f"Patient/{PATIENT_ID}"}
KEYS = frozenset(
    {
        "status", "from", "to", "on", "value", "sig", "sig_text", "supply", "refills", "reason", "category",
        "specialty", "encounter", "id", "draft", "replaces",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chart:
    """The resources of one case: the chart, the drafts, and the reference of every line in
    order.
    """

    patient: Resource
    resources: tuple[Resource, ...]
    drafts: tuple[Resource, ...]
    references: tuple[str, ...]


def chart(patient: Line, given: tuple[Line, ...], systems: Mapping[str, str]) -> Chart:
    """The resources of a case; `systems` maps short code system names to URLs. Raises LineError."""
    resources: list[Resource] = []
    drafts: list[Resource] = []
    references: list[str] = []
    who = _patient(patient)
    for number, line in enumerate(given, start=1):
        resource = _resource(line, f"line-{number}", systems)
        references.append(f"{resource['resourceType']}/{resource['id']}")
        if resource["resourceType"] == "Patient":
            who = {**resource, "id": PATIENT_ID}
        else:
            (drafts if line.get("draft") else resources).append(resource)
    return Chart(who, tuple(resources), tuple(drafts), tuple(references))


def _patient(said: Line) -> Resource:
    unknown = set(said) - {"born", "sex"}
    if unknown:
        raise LineError(
            f"unknown patient key {sorted(unknown)[0]!r} (allowed: born, sex; else a raw Patient)"
        )
    resource: Resource = {
        "resourceType": "Patient",
        "id": PATIENT_ID,
        "name": [{"family": "Canaryfeather", "given": ["Case"]}],
    }
    return put(resource, birthDate=plain(said.get("born")), gender=said.get("sex"))


def _resource(line: Line, default_id: str, systems: Mapping[str, str]) -> Resource:
    if not isinstance(line, Mapping):
        raise LineError(f"{line!r} is no line (allowed: a mapping)")
    if "raw" in line:
        return {"id": default_id, **_raw(line["raw"])}
    kinds = [key for key in line if key in _MAKERS]
    unknown = [key for key in line if key not in _MAKERS and key not in KEYS]
    if len(kinds) != 1 or unknown:
        what = f"unknown key {unknown[0]!r}" if unknown else "not exactly one resource type"
        raise LineError(
            f"{what} in {dict(line)} (allowed: {', '.join(sorted(KEYS | set(_MAKERS)))}, raw)"
        )
    kind = kinds[0]
    resource: Resource = {"resourceType": kind, "id": str(line.get("id", default_id))}
    resource[_SUBJECT_MEMBER.get(kind, "subject")] = dict(_SUBJECT)
    if "encounter" in line:
        resource["encounter"] = {"reference": f"Encounter/{line['encounter']}"}
    if "category" in line and kind not in _OWN_CATEGORY:
        system = _CATEGORY_SYSTEM.get(kind)
        resource["category"] = [concept(line["category"], systems, system)]
    _MAKERS[kind](resource, line, Words(systems))
    return resource


def _raw(resource: Mapping[str, Any]) -> Resource:
    """A resource as written, its subject filled in when it names none."""
    if not isinstance(resource, Mapping) or not isinstance(resource.get("resourceType"), str):
        raise LineError(f"raw is {resource!r} (allowed: a resource with its resourceType)")
    member = _SUBJECT_MEMBER.get(resource["resourceType"], "subject")
    return {
        **({} if resource["resourceType"] == "Patient" else {member: dict(_SUBJECT)}),
        **resource,
    }


_SUBJECT_MEMBER = {
    "AllergyIntolerance": "patient",
    "Claim": "patient",
    "ClaimResponse": "patient",
    "ExplanationOfBenefit": "patient",
    "Coverage": "beneficiary",
}
_OWN_CATEGORY = ("Encounter", "Claim", "ClaimResponse")
_CATEGORY_SYSTEM = {
    "Condition": HL7 + "condition-category",
    "MedicationRequest": HL7 + "medicationrequest-category",
    "Observation": HL7 + "observation-category",
}
_MAKERS: dict[str, Callable[[Resource, Line, Words], None]] = {
    "AllergyIntolerance": allergy,
    "CarePlan": care_plan,
    "Claim": claim,
    "ClaimResponse": claim_response,
    "Condition": condition,
    "Coverage": coverage,
    "DeviceRequest": request,
    "DocumentReference": document,
    "Encounter": encounter,
    "Goal": goal,
    "MedicationDispense": medication_dispense,
    "MedicationRequest": medication_request,
    "MedicationStatement": medication_statement,
    "Observation": observation,
    "Procedure": procedure,
    "QuestionnaireResponse": questionnaire_response,
    "ServiceRequest": request,
}
