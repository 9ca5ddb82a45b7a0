"""Typed R4 resources of what is ordered, dispensed and taken: only the members we read."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec

from cds_service.fhir.r4_dosage import (
    CodeableConcept,
    Element,
    Period,
    Quantity,
    Range,
    Ratio,
    Timing,
)
from cds_service.fhir.r4_parts import (
    ABSENT,
    ConceptPart,
    ConceptsPart,
    DosagesPart,
    Part,
    ReferencesPart,
)
from cds_service.fhir.r4_resource import Concepts, Meta, OfPatient, Reference, Resource


class DispenseRequest(Element, frozen=True):
    """What the prescriber lets the pharmacy hand out."""

    quantity: Quantity | None = None
    expected_supply_duration: Quantity | None = None
    number_of_repeats_allowed: Decimal | None = None


DISPENSE_REQUEST: Part[DispenseRequest] = Part(DispenseRequest)
DispenseRequestPart = Annotated[msgspec.Raw, DISPENSE_REQUEST]


class CodeableReference(Element, frozen=True):
    """A concept or a reference, as FHIR R5 has them in one member."""

    concept: CodeableConcept | None = None
    reference: Reference | str | None = None

    @property
    def named(self) -> Reference | None:
        """The reference, also where its text alone was sent."""
        sent = self.reference
        return Reference(reference=sent) if isinstance(sent, str) else sent


class MedicationRequest(OfPatient, frozen=True):
    """A prescription."""

    status: str | None = None
    intent: str | None = None
    category: ConceptsPart = ABSENT
    do_not_perform: bool | None = None
    reported_boolean: bool | None = None
    reported_reference: Reference | None = None
    medication_codeable_concept: ConceptPart = ABSENT
    medication_reference: Reference | None = None
    medication: CodeableReference | None = None
    authored_on: str | None = None
    requester: Reference | None = None
    recorder: Reference | None = None
    reason_code: ConceptsPart = ABSENT
    reason_reference: ReferencesPart = ABSENT
    dosage_instruction: DosagesPart = ABSENT
    dispense_request: DispenseRequestPart = ABSENT
    prior_prescription: Reference | None = None
    based_on: tuple[Reference, ...] | Reference = ()

    @property
    def reported(self) -> bool:
        """Whether it was reported: a plan then tells what is taken, and asks for nothing."""
        return self.reported_boolean is True or self.reported_reference is not None


class MedicationDispense(OfPatient, frozen=True):
    """What the pharmacy handed out."""

    status: str | None = None
    medication_codeable_concept: ConceptPart = ABSENT
    medication_reference: Reference | None = None
    medication: CodeableReference | None = None
    authorizing_prescription: tuple[Reference, ...] | Reference = ()
    quantity: Quantity | None = None
    days_supply: Quantity | None = None
    when_prepared: str | None = None
    when_handed_over: str | None = None
    dosage_instruction: DosagesPart = ABSENT


class MedicationStatement(OfPatient, frozen=True):
    """What the patient is said to take."""

    based_on: tuple[Reference, ...] | Reference = ()
    status: str | None = None
    medication_codeable_concept: ConceptPart = ABSENT
    medication_reference: Reference | None = None
    medication: CodeableReference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    date_asserted: str | None = None
    reason_code: Concepts = ()
    reason_reference: tuple[Reference, ...] | Reference = ()
    dosage: DosagesPart = ABSENT


class Ingredient(Element, frozen=True):
    """One ingredient of a medication."""

    item_codeable_concept: CodeableConcept | None = None
    strength: Ratio | None = None


class Medication(Resource, frozen=True):
    """A product that orders refer to."""

    code: CodeableConcept | None = None
    ingredient: tuple[Ingredient, ...] | Ingredient = ()


class ServiceRequest(OfPatient, frozen=True):
    """A referral, a test, an image or a procedure that is asked for."""

    status: str | None = None
    intent: str | None = None
    priority: str | None = None
    do_not_perform: bool | None = None
    code: CodeableConcept | None = None
    quantity_quantity: Quantity | None = None
    quantity_range: Range | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    occurrence_timing: Timing | None = None
    authored_on: str | None = None
    requester: Reference | None = None
    performer_type: CodeableConcept | None = None
    reason_code: Concepts = ()
    reason_reference: tuple[Reference, ...] | Reference = ()


class DeviceRequest(OfPatient, frozen=True):
    """A brace, a stimulator or another device that is asked for."""

    status: str | None = None
    intent: str | None = None
    priority: str | None = None
    code_codeable_concept: CodeableConcept | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    authored_on: str | None = None
    requester: Reference | None = None
    performer_type: CodeableConcept | None = None
    reason_code: Concepts = ()
    reason_reference: tuple[Reference, ...] | Reference = ()


class CarePlan(OfPatient, frozen=True):
    """A plan of care."""

    meta: Meta | None = None
    status: str | None = None
    intent: str | None = None
    category: Concepts = ()
    title: str | None = None
    period: Period | None = None
    created: str | None = None
    author: Reference | None = None
    contributor: tuple[Reference, ...] | Reference = ()
