"""The R4 resources we read, by type and as one tagged union, with their decoders.

msgspec decodes JSON straight into the struct and skips all members that the struct does not name.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cds_service.fhir.r4_chart import (
    AllergyIntolerance,
    Condition,
    DocumentReference,
    Encounter,
    Goal,
    Observation,
    Patient,
    PractitionerRole,
    Procedure,
    QuestionnaireResponse,
)
from cds_service.fhir.r4_dosage import Element
from cds_service.fhir.r4_orders import (
    CarePlan,
    DeviceRequest,
    Medication,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    ServiceRequest,
)
from cds_service.fhir.r4_payer import (
    Claim,
    ClaimResponse,
    Coverage,
    ExplanationOfBenefit,
    Organization,
)
from cds_service.fhir.r4_resource import Resource


class Issue(Element, frozen=True):
    """One issue of an OperationOutcome."""

    severity: str | None = None
    code: str | None = None


class OperationOutcome(Resource, frozen=True):
    """What a server says of a query besides its result."""

    issue: tuple[Issue, ...] | Issue = ()


AnyResource = (
    Patient
    | MedicationRequest
    | MedicationDispense
    | MedicationStatement
    | Medication
    | Condition
    | Observation
    | Procedure
    | Encounter
    | ServiceRequest
    | DeviceRequest
    | CarePlan
    | Coverage
    | Claim
    | ClaimResponse
    | ExplanationOfBenefit
    | DocumentReference
    | Goal
    | AllergyIntolerance
    | QuestionnaireResponse
    | Organization
    | PractitionerRole
    | OperationOutcome
)
TYPES: Mapping[str, type[Resource]] = {kind.__name__: kind for kind in AnyResource.__args__}
DECODERS: Mapping[str, msgspec.json.Decoder[Resource]] = {
    name: msgspec.json.Decoder(kind) for name, kind in TYPES.items()
}

__all__ = [
    "DECODERS",
    "TYPES",
    "AllergyIntolerance",
    "AnyResource",
    "CarePlan",
    "Claim",
    "ClaimResponse",
    "Condition",
    "Coverage",
    "DeviceRequest",
    "DocumentReference",
    "Encounter",
    "ExplanationOfBenefit",
    "Goal",
    "Issue",
    "Medication",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "OperationOutcome",
    "Organization",
    "Patient",
    "PractitionerRole",
    "Procedure",
    "QuestionnaireResponse",
    "ServiceRequest",
]
