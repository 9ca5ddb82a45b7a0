"""Typed R4 resources of payers: cover, claims and their answers. Only the members we read."""

from __future__ import annotations

from decimal import Decimal

from cds_service.fhir.r4_dosage import CodeableConcept, Element, Period, Quantity
from cds_service.fhir.r4_resource import (
    Extension,
    Identifier,
    OfPatient,
    Reference,
    Resource,
    names,
)


class Organization(Resource, frozen=True):
    """A payer, a clinic or another organisation."""

    identifier: tuple[Identifier, ...] | Identifier = ()
    name: str | None = None
    alias: tuple[str, ...] | str = ()


class CoverageClass(Element, frozen=True):
    """The group, plan or other class of a cover."""

    name: str | None = None
    value: str | None = None


class Coverage(OfPatient, frozen=True, rename=names(subject="beneficiary", classes="class")):
    """An insurance cover."""

    subject: Reference | None = None
    identifier: tuple[Identifier, ...] | Identifier = ()
    status: str | None = None
    type: CodeableConcept | None = None
    payor: tuple[Reference, ...] | Reference = ()
    period: Period | None = None
    order: Decimal | None = None
    classes: tuple[CoverageClass, ...] | CoverageClass = ()


class Adjudication(Element, frozen=True):
    """A decision on a claim or on one of its lines."""

    category: CodeableConcept | None = None
    reason: CodeableConcept | None = None
    extension: tuple[Extension, ...] = ()


class ClaimItem(Element, frozen=True):
    """One line of a claim or of its answer."""

    product_or_service: CodeableConcept | None = None
    serviced_date: str | None = None
    serviced_period: Period | None = None
    quantity: Quantity | None = None
    adjudication: tuple[Adjudication, ...] | Adjudication = ()
    extension: tuple[Extension, ...] = ()


class SupportingInfo(Element, frozen=True):
    """What was sent along with a claim."""

    category: CodeableConcept | None = None
    code: CodeableConcept | None = None
    value_boolean: bool | None = None


class RelatedClaim(Element, frozen=True):
    """A claim that this one follows."""

    claim: Reference | None = None


class Claim(OfPatient, frozen=True, rename=names(subject="patient")):
    """A claim or a request for authorisation."""

    subject: Reference | None = None
    status: str | None = None
    type: CodeableConcept | None = None
    use: str | None = None
    billable_period: Period | None = None
    created: str | None = None
    related: tuple[RelatedClaim, ...] | RelatedClaim = ()
    supporting_info: tuple[SupportingInfo, ...] | SupportingInfo = ()
    item: tuple[ClaimItem, ...] | ClaimItem = ()


class ExplanationOfBenefit(Claim, frozen=True, rename=names(subject="patient")):
    """What the payer made of a claim."""

    subject: Reference | None = None


class ClaimResponse(OfPatient, frozen=True, rename=names(subject="patient")):
    """A payer's answer to a claim or to a request for authorisation."""

    subject: Reference | None = None
    status: str | None = None
    type: CodeableConcept | None = None
    use: str | None = None
    created: str | None = None
    request: Reference | None = None
    outcome: str | None = None
    disposition: str | None = None
    item: tuple[ClaimItem, ...] | ClaimItem = ()
    add_item: tuple[ClaimItem, ...] | ClaimItem = ()
    adjudication: tuple[Adjudication, ...] | Adjudication = ()
    extension: tuple[Extension, ...] = ()
