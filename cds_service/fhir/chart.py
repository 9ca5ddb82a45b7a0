"""The facts of one call while they are being read: what readers know, and what they leave
behind.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from cds_service.clinical.dates import FuzzyDate, stands_for_none
from cds_service.clinical.facts import NO_CODES, Fact, Patient, Unread
from cds_service.fhir.fills import Fills
from cds_service.fhir.glossary import Glossary
from cds_service.fhir.r4_dosage import Period, as_list
from cds_service.fhir.r4_resource import Identifier, Reference, Resource
from cds_service.fhir.references import Directory
from cds_service.fhir.resources import contained
from cds_service.fhir.terms import Product
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.knowledge.codes import Code


class Chart:
    """One patient's chart on one day. `draft` is set while the orders being signed are read."""

    __slots__ = (
        "as_of",
        "directory",
        "draft",
        "dropped",
        "facts",
        "fills",
        "glossary",
        "mine",
        "named",
        "nameless",
        "patient",
        "products",
        "unread",
        "vocabulary",
    )

    def __init__(self, vocabulary: Vocabulary, as_of: date, patient_id: str) -> None:
        self.vocabulary, self.as_of = vocabulary, as_of
        self.mine = f"Patient/{patient_id}"
        self.patient: Patient | None = None
        self.directory = Directory()
        self.draft = False
        self.dropped = 0
        self.named: set[str] = set()  # reasons that the orders being signed refer to
        self.nameless = 0  # orders that are not over, of products that nothing tells
        self.facts: dict[str, list[Fact]] = {}
        self.unread: list[Unread] = []
        self.glossary = Glossary(vocabulary)
        self.fills = Fills(vocabulary)
        self.products: dict[tuple[bytes, Reference], Product] = {}  # of orders that refer to one

    def once(self, before: dict[str, int]) -> None:
        """Of the facts read since `before` keep each reference once, as pages may overlap.

        Orders keep theirs: two drugs under one id are two orders.
        """
        for kind, found in self.facts.items():
            if kind != "orders":
                start = before.get(kind, 0)
                found[start:] = {fact.ref: fact for fact in reversed(found[start:])}.values()

    def is_mine(self, subject: str | None) -> bool:
        """Whether a reference means the patient of the context; one that names nobody is
        taken to.
        """
        return not subject or subject == self.mine or self.directory.resolved(subject) == self.mine

    def lose(self, ref: str, why: str) -> None:
        """Name something that could not be read."""
        self.unread.append(Unread(ref, why))

    def when(self, ref: str, member: str, text: str | None) -> FuzzyDate | None:
        """The days a date member may mean; a text that is no date is named, but not one that says
        that there is none.
        """
        if not text:
            return None
        found = self.glossary.days[text]
        if found is None and not stands_for_none(text):
            self.lose(ref, f"{member} is not a date")
        return found

    def start(self, ref: str, member: str, period: Period | None) -> FuzzyDate | None:
        """The start of a period."""
        return None if period is None else self.when(ref, f"{member}.start", period.start)

    def end(self, ref: str, member: str, period: Period | None) -> FuzzyDate | None:
        """The end of a period."""
        return None if period is None else self.when(ref, f"{member}.end", period.end)

    def target(self, resource: Resource, reference: Reference | None) -> Any:
        """The resource a reference names: contained, or an entry of this call; None if
        there is none.
        """
        if reference is None or not reference.reference:
            return None
        if reference.reference.startswith("#"):
            return contained(resource.contained).get(reference.reference)
        return self.directory.find(reference.reference)

    def refs(self, references: tuple[Reference, ...] | Reference) -> tuple[str, ...]:
        """References as `Type/id`, those in words only left out."""
        if not references:
            return ()
        found = (self.directory.resolved(each.reference) for each in as_list(references))
        return tuple(ref for ref in found if ref)

    def ref(self, reference: Reference | None) -> str:
        """One reference as `Type/id`, empty if there is none."""
        return "" if reference is None else self.directory.resolved(reference.reference)

    def order_named(self, reference: Reference | None) -> str:
        """One prescription as `Type/id`, also one that only its business identifier names; empty if
        there is none.
        """
        if reference is None or reference.reference or reference.identifier is None:
            return self.ref(reference)
        return self.directory.identified("MedicationRequest", reference.identifier)


def identifiers(listed: Iterable[Identifier | None]) -> frozenset[str]:
    """Business identifiers as `SYSTEM#value`."""
    return frozenset(
        f"{each.system or ''}#{each.value}" for each in listed if each is not None and each.value
    )


def united(sets: Iterable[frozenset[Code]]) -> frozenset[Code]:
    """All codes of several sets."""
    return NO_CODES.union(*sets)
