"""The R4 resources we read as one tagged union, the Bundle that carries them, and its decoder.

One decoder serves searches, reads, drafts and contained resources: msgspec reads `resourceType`, decodes straight
into the struct of that name and skips all members the struct does not name.
"""

from __future__ import annotations

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
from cds_service.fhir.r4_dosage import CodeableConcept, Element
from cds_service.fhir.r4_orders import (
    CarePlan,
    DeviceRequest,
    Medication,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    ServiceRequest,
)
from cds_service.fhir.r4_payer import Claim, ClaimResponse, Coverage, ExplanationOfBenefit, Organization
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


class Search(Element, frozen=True):
    """Why an entry is in a search result."""

    mode: str | None = None


class Entry(Element, frozen=True):
    """One entry of a Bundle."""

    full_url: str | None = None
    resource: AnyResource | None = None
    search: Search | None = None


class Link(Element, frozen=True):
    """A link of a Bundle."""

    relation: str | None = None
    url: str | None = None


class Bundle(Element, frozen=True, tag_field="resourceType", tag=True):
    """A list of resources, or one page of it."""

    link: tuple[Link, ...] = ()
    entry: tuple[Entry, ...] = ()


TYPES: dict[str, type[Resource]] = {kind.__name__: kind for kind in AnyResource.__args__}
CONTENT: msgspec.json.Decoder[Bundle | AnyResource | None] = msgspec.json.Decoder(Bundle | AnyResource | None)

__all__ = ["CONTENT", "TYPES", "AnyResource", "Bundle", "CodeableConcept", "Entry", "Link", "OperationOutcome", "Search"]
