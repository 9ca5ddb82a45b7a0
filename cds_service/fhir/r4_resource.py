"""What all R4 resources share, as far as we read it: identity, the patient they are about,
references.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cds_service.fhir.r4_dosage import CodeableConcept, Coding, Element

Concepts = tuple[CodeableConcept, ...] | CodeableConcept


class Identifier(Element, frozen=True):
    """A business identifier."""

    system: str | None = None
    value: str | None = None


class Reference(Element, frozen=True):
    """A reference to another resource, by URL, by identifier or in words."""

    reference: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Extension(Element, frozen=True):
    """An extension, as deep as the payer decisions nest it."""

    url: str | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_coding: Coding | None = None
    value_code: str | None = None
    extension: tuple[Extension, ...] = ()


class Meta(Element, frozen=True):
    """When the server last changed a resource."""

    last_updated: str | None = None


class Resource(Element, frozen=True, tag_field="resourceType", tag=True):
    """A resource; the class name is the resource type."""

    id: str | None = None
    contained: tuple[msgspec.Raw, ...] = ()

    @property
    def kind(self) -> str:
        """The resource type."""
        return type(self).__name__


class OfPatient(Resource, frozen=True, tag=True):
    """A resource of one patient; whatever R4 calls the member, here it is `subject`."""

    subject: Reference | None = None


def names(**special: str) -> Callable[[str], str]:
    """The JSON names of a resource: camel case, but for the members named here."""

    def name(member: str) -> str:
        first, *rest = member.split("_")
        return special.get(member) or first + "".join(part.capitalize() for part in rest)

    return name
