"""What we ask a FHIR server for: one template a need, and the linter that keeps templates portable.

Templates stay inside the query subset that CDS Hooks 2.0 lets a service rely on: reads, searches of
one type by reference, token and date parameters, `_count` and `_sort`; the only tokens are those of
the context.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

from cds_service.clinical.facts import Need

TYPES: Mapping[Need, str] = {
    Need.PATIENT: "Patient",
    Need.MEDICATIONS: "MedicationRequest",
    Need.DISPENSES: "MedicationDispense",
    Need.STATEMENTS: "MedicationStatement",
    Need.CONDITIONS: "Condition",
    Need.OBSERVATIONS: "Observation",
    Need.PROCEDURES: "Procedure",
    Need.ENCOUNTERS: "Encounter",
    Need.SERVICE_REQUESTS: "ServiceRequest",
    Need.CARE_PLANS: "CarePlan",
    Need.COVERAGES: "Coverage",
    Need.CLAIMS: "Claim",
    Need.CLAIM_RESPONSES: "ClaimResponse",
    Need.BENEFITS: "ExplanationOfBenefit",
    Need.DOCUMENTS: "DocumentReference",
    Need.GOALS: "Goal",
    Need.ALLERGIES: "AllergyIntolerance",
    Need.QUESTIONNAIRE_RESPONSES: "QuestionnaireResponse",
    Need.DEVICES: "DeviceRequest",
}

_TOKEN = re.compile(r"\{\{(.*?)\}\}")
_USER_TOKENS = {
    "userPractitionerId": "Practitioner",
    "userPractitionerRoleId": "PractitionerRole",
    "userPatientId": "Patient",
    "userRelatedPersonId": "RelatedPerson",
}
_TOKENS = ("context.patientId", "context.userId", "context.encounterId", *_USER_TOKENS)
_SAFE_IN_IDS = "-._~"  # what a FHIR id may hold besides letters and digits
_LONGEST = 2000  # characters of an expanded template that servers and proxies still take
# Parameters of one resource type that are references, tokens or dates.
_PARAMETER = re.compile(r"^[a-z][a-z-]*(:in)?$")
_CONTROLS = ("_count", "_sort", "_id", "_lastUpdated")
_NOT_IN_SUBSET = ("ne", "sa", "eb", "ap")


def template(need: Need) -> str:
    """The prefetch template of a need: the patient is read, everything else searched by patient
    alone.

    >>> template(Need.PATIENT), template(Need.CONDITIONS)
    ('Patient/{{context.patientId}}', 'Condition?patient={{context.patientId}}')
    """
    kind = TYPES[need]
    if need is Need.PATIENT:
        return kind + "/{{context.patientId}}"
    return kind + "?patient={{context.patientId}}"


def expand(text: str, *, patient_id: str, user_id: str = "", encounter_id: str = "") -> str | None:
    """A template as the relative URL to ask for; None if a token has no value or is not ours to
    expand.

    Values are URL-encoded, except that `context.userId` keeps the slash between its type and its
    id.

    >>> expand("Condition?patient={{context.patientId}}", patient_id="a&b")
    'Condition?patient=a%26b'
    >>> expand("Encounter/{{context.encounterId}}", patient_id="1") is None
    True
    """
    user_type, _, user = user_id.rpartition("/")
    values = {
        "context.patientId": quote(patient_id, safe=_SAFE_IN_IDS),
        "context.encounterId": quote(encounter_id, safe=_SAFE_IN_IDS),
        "context.userId": "/".join(quote(part, safe=_SAFE_IN_IDS) for part in user_id.split("/")),
    }
    for name, kind in _USER_TOKENS.items():
        values[name] = quote(user, safe=_SAFE_IN_IDS) if user_type == kind else ""
    missing = [name for name in _TOKEN.findall(text) if not values.get(name)]
    if missing:
        return None
    return _TOKEN.sub(lambda found: values[found[1]], text)


def faults(text: str) -> tuple[str, ...]:
    """What makes a template unfit for CDS Hooks 2.0 clients; empty if nothing.

    >>> faults("Condition?patient={{context.patientId}}&_include=Condition:encounter")
    ('_include is outside the query subset',)
    """
    found = [
        f"{{{{{name}}}}} is not a prefetch token"
        for name in _TOKEN.findall(text)
        if name not in _TOKENS
    ]
    if text.startswith(("/", "http:", "https:")):
        found.append("the URL must be relative, without a leading slash")
    path, question, query = text.partition("?")
    if not question:
        if not re.fullmatch(r"[A-Z][A-Za-z]+/\{\{[^{}]+\}\}|\{\{context\.userId\}\}", path):
            found.append("a read is `Type/{{token}}`")
        return tuple(found)
    if not re.fullmatch(r"[A-Z][A-Za-z]+", path):
        found.append("a search is `Type?parameter=value`")
    if "{{context.userId}}" in query:
        found.append("{{context.userId}} holds a type and cannot be a search value")
    for name, value in parse_qsl(query, keep_blank_values=True):
        found.extend(_parameter_faults(name, value))
    if len(text) > _LONGEST:
        found.append(f"longer than {_LONGEST} characters")
    return tuple(found)


def _parameter_faults(name: str, value: str) -> list[str]:
    """What is wrong with one search parameter."""
    if name not in _CONTROLS and not _PARAMETER.match(name):
        return [f"{name} is outside the query subset"]
    if value[:2] in _NOT_IN_SUBSET and value[2:3].isdigit():
        return [f"the prefix {value[:2]} is outside the query subset"]
    return [] if value else [f"{name} has no value"]
