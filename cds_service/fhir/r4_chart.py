"""Typed R4 resources of the chart: who the patient is, what was found and done. Only the
members we read.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec

from cds_service.fhir.r4_dosage import CodeableConcept, Coding, Element, Period, Quantity, Range
from cds_service.fhir.r4_parts import (
    ABSENT,
    AmountPart,
    ConceptPart,
    ConceptsPart,
    Part,
    ReferencesPart,
    StatusPart,
)
from cds_service.fhir.r4_resource import Concepts, Extension, OfPatient, Reference, Resource, names


class Patient(Resource, frozen=True):
    """The patient."""

    birth_date: str | None = None
    gender: str | None = None
    deceased_boolean: bool | None = None
    deceased_date_time: str | None = None
    extension: tuple[Extension, ...] = ()


class Condition(OfPatient, frozen=True):
    """A problem or a diagnosis."""

    clinical_status: StatusPart = ABSENT
    verification_status: StatusPart = ABSENT
    category: ConceptsPart = ABSENT
    code: ConceptPart = ABSENT
    encounter: Reference | None = None
    onset_date_time: str | None = None
    onset_period: Period | None = None
    onset_age: Quantity | None = None
    onset_range: Range | None = None
    onset_string: str | None = None
    abatement_date_time: str | None = None
    abatement_period: Period | None = None
    abatement_age: Quantity | None = None
    abatement_range: Range | None = None
    abatement_string: str | None = None
    abatement_boolean: bool | None = None
    recorded_date: str | None = None


class ReferenceRange(Element, frozen=True):
    """What is normal for a result."""

    high: Quantity | None = None


RANGES: Part[tuple[ReferenceRange, ...] | ReferenceRange] = Part(
    tuple[ReferenceRange, ...] | ReferenceRange
)
RangesPart = Annotated[msgspec.Raw, RANGES]


class Result(Element, frozen=True):
    """The value of a result, whole or of a component."""

    code: ConceptPart = ABSENT
    value_quantity: AmountPart = ABSENT
    value_codeable_concept: ConceptPart = ABSENT
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: Decimal | None = None
    interpretation: ConceptsPart = ABSENT
    reference_range: RangesPart = ABSENT


RESULTS: Part[tuple[Result, ...] | Result] = Part(tuple[Result, ...] | Result)
ResultsPart = Annotated[msgspec.Raw, RESULTS]


class Observation(OfPatient, frozen=True):
    """A result, a score, a vital sign."""

    status: str | None = None
    code: ConceptPart = ABSENT
    effective_date_time: str | None = None
    effective_period: Period | None = None
    effective_instant: str | None = None
    issued: str | None = None
    value_quantity: AmountPart = ABSENT
    value_codeable_concept: ConceptPart = ABSENT
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: Decimal | None = None
    interpretation: ConceptsPart = ABSENT
    reference_range: RangesPart = ABSENT
    component: ResultsPart = ABSENT
    has_member: ReferencesPart = ABSENT


class Performer(Element, frozen=True):
    """Who did something."""

    actor: Reference | None = None


class Procedure(OfPatient, frozen=True):
    """Something done."""

    status: str | None = None
    code: ConceptPart = ABSENT
    performed_date_time: str | None = None
    performed_period: Period | None = None
    performed_string: str | None = None
    performer: tuple[Performer, ...] | Performer = ()


class Participant(Element, frozen=True):
    """Who took part in an encounter."""

    individual: Reference | None = None


class Diagnosis(Element, frozen=True):
    """What an encounter was for."""

    condition: Reference | None = None


class Hospitalization(Element, frozen=True):
    """How a stay ended."""

    discharge_disposition: CodeableConcept | None = None


class Encounter(OfPatient, frozen=True):
    """A visit or a stay."""

    status: str | None = None
    type: Concepts = ()
    service_type: CodeableConcept | None = None
    participant: tuple[Participant, ...] | Participant = ()
    period: Period | None = None
    reason_code: Concepts = ()
    reason_reference: tuple[Reference, ...] | Reference = ()
    diagnosis: tuple[Diagnosis, ...] | Diagnosis = ()
    hospitalization: Hospitalization | None = None


class DocumentContext(Element, frozen=True):
    """When what a document describes took place."""

    period: Period | None = None


class DocumentReference(OfPatient, frozen=True):
    """A document on file."""

    status: str | None = None
    doc_status: str | None = None
    type: CodeableConcept | None = None
    date: str | None = None
    context: DocumentContext | None = None


class Goal(OfPatient, frozen=True):
    """What the patient and the team aim at."""

    lifecycle_status: str | None = None
    achievement_status: CodeableConcept | None = None
    description: CodeableConcept | None = None
    start_date: str | None = None
    status_date: str | None = None


class Reaction(Element, frozen=True):
    """What happened on exposure."""

    substance: CodeableConcept | None = None


class AllergyIntolerance(OfPatient, frozen=True, rename=names(subject="patient")):
    """An allergy or intolerance."""

    subject: Reference | None = None
    clinical_status: CodeableConcept | str | None = None
    verification_status: CodeableConcept | str | None = None
    code: CodeableConcept | None = None
    recorded_date: str | None = None
    onset_date_time: str | None = None
    reaction: tuple[Reaction, ...] | Reaction = ()


class AnswerItem(Element, frozen=True):
    """One answer of a questionnaire."""

    value_integer: Decimal | None = None
    value_decimal: Decimal | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_date: str | None = None
    value_coding: Coding | None = None
    value_quantity: Quantity | None = None
    item: tuple[Item, ...] = ()


class Item(Element, frozen=True):
    """One question with its answers, and the questions under it."""

    link_id: str | None = None
    answer: tuple[AnswerItem, ...] | AnswerItem = ()
    item: tuple[Item, ...] = ()


class QuestionnaireResponse(OfPatient, frozen=True):
    """A filled-in questionnaire."""

    questionnaire: str | None = None
    status: str | None = None
    authored: str | None = None
    item: tuple[Item, ...] | Item = ()


class PractitionerRole(Resource, frozen=True):
    """In which specialty someone works."""

    specialty: Concepts = ()
    code: Concepts = ()
