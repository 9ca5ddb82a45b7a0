"""How texts of a resource become codes, days, drugs and doses, with the answers kept for the next
call.

One `Vocabulary` lives as long as the process. It holds codes with their displays, dates and drugs,
nothing of a patient: a text that someone may have written stands in it as a digest only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, tzinfo
from hashlib import blake2b
from secrets import token_bytes
from typing import Protocol, TypeVar

from cds_service.clinical.dates import FuzzyDate, fuzzy
from cds_service.clinical.facts import NO_CODES
from cds_service.fhir.concepts import (
    LONGEST_KEPT,
    label,
    names_codes_only,
    names_of,
    says_codes_only,
)
from cds_service.fhir.r4_dosage import CodeableConcept, Coding, as_list
from cds_service.fhir.r4_parts import CONCEPT
from cds_service.fhir.r4_resource import Concepts
from cds_service.fhir.terms import UNCODED, Coded, Concept, Fill, Product, ProductKey
from cds_service.knowledge.codes import Code, Names, ValueSet
from cds_service.knowledge.drugs.model import Identified
from cds_service.knowledge.model import Knowledge

_MOST_KEPT = 8_192  # answers of one kind; beyond it they are forgotten and worked out anew
_A_DATE = 10  # characters of a whole date
_LONGEST_DATE = 40  # characters; with nanoseconds and an offset a dateTime has 35

K = TypeVar("K")
V = TypeVar("V")
_DIGEST = 16  # bytes


class Drugs(Protocol):
    """The drug table, as far as readers ask it."""

    def identify(self, codes: Iterable[Code], text: str) -> Identified:
        """What codings and text say together."""


class Days(dict[str, "FuzzyDate | None"]):
    """The days that a date, partial date or dateTime may mean, by its text; None for any other. Of a date
    as much is kept as tells the day, of other words nothing; `told_by` is that much of a text.
    """

    __slots__ = ("_zone", "told_by")

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone, self.told_by = zone, slice(_A_DATE if zone is None else _LONGEST_DATE)

    def __missing__(self, text: str) -> FuzzyDate | None:
        key = text[self.told_by]
        if key in self:
            return self[key]
        found = self._read(text[:_LONGEST_DATE])
        if found is not None or not key:
            _keep(self, key, found)
        return found

    def _read(self, text: str) -> FuzzyDate | None:
        if self._zone is not None and "T" in text:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                return fuzzy(text)
            if moment.tzinfo is not None:
                return _day_in(self._zone, moment)
        return fuzzy(text)


class Vocabulary:
    """Codes of `knowledge`, drugs of `drugs`; `wanted` are the value sets that make a Condition,
    Observation or Procedure a fact.

    A dateTime with an offset is a day in `zone` where one is given, else the day as written.
    """

    __slots__ = (
        "_coded",
        "_concepts",
        "_drugs",
        "_fills",
        "_identified",
        "_knowledge",
        "_names",
        "_products",
        "_salt",
        "_wanted",
        "days",
    )

    def __init__(
        self,
        knowledge: Knowledge,
        drugs: Drugs,
        wanted: Iterable[ValueSet],
        zone: tzinfo | None = None,
    ) -> None:
        self._knowledge, self._drugs, self._wanted = knowledge, drugs, tuple(wanted)
        self._names = Names(self._wanted)
        self._coded: dict[Coding | tuple[Coding, ...], Coded] = {}
        self.days = Days(zone)
        self._concepts: dict[bytes, Concept] = {}
        self._products: dict[bytes, Product] = {}
        self._identified: dict[ProductKey, Identified] = {}
        self._fills: dict[tuple[ProductKey, bytes], Fill] = {}
        self._salt = token_bytes(_DIGEST)

    def coded(self, concept: CodeableConcept | None) -> Coded:
        """The codes of a concept, all codings, and whether some rule declares one of them."""
        if concept is None or concept.coding is None:
            return UNCODED
        found = self._coded.get(concept.coding)
        return self._new_codes(concept.coding) if found is None else found

    def codes(self, concept: CodeableConcept | None) -> frozenset[Code]:
        """The codes of a concept, all codings; where we know the system of none, also those that our
        value sets call by its words.
        """
        if concept is None:
            return NO_CODES
        coded = self.coded(concept)
        return coded.codes if coded.known else coded.codes | self._called(concept)

    def _called(self, concept: CodeableConcept) -> frozenset[Code]:
        """The codes of the text that was sent, or else of what the codings are called."""
        names = (concept.text,) if concept.text else names_of(concept)
        return NO_CODES.union(*map(self._names.of, names))

    def code(self, coding: Coding) -> frozenset[Code]:
        """One coding as a set of one code; empty without a code."""
        found = self._coded.get(coding)
        return (self._new_codes(coding) if found is None else found).codes

    def _new_codes(self, coding: Coding | tuple[Coding, ...]) -> Coded:
        texts = (
            ((each.system or "").strip(), (each.code or "").strip()) for each in as_list(coding)
        )
        codes = frozenset(self._knowledge.code(system, code) for system, code in texts if code)
        asked = any(code in valueset for valueset in self._wanted for code in codes)
        known = any(code.system in self._knowledge.system_urls for code in codes)
        found = Coded(codes, asked, known)
        if names_codes_only(coding):
            _keep(self._coded, coding, found)
        return found

    def concept(self, sent: bytes) -> Concept:
        """What a concept says, by the bytes it was sent as. Raises msgspec.ValidationError
        if it is none.
        """
        found = self._concepts.get(sent)
        if found is None:
            read = CONCEPT.read(sent)
            coded, text = self.coded(read), label(read)
            called = NO_CODES if read is None or coded.known else self._called(read)
            name = text or (self._name(coded.codes) if coded.asked else "")
            found = Concept(coded.codes | called, text, coded.asked or bool(called), name)
            if says_codes_only(read, sent):
                _keep(self._concepts, sent, found)
        return found

    def _name(self, codes: frozenset[Code]) -> str:
        """What the wanted value sets call the codes: the closest name, of several the shortest; with
        the code itself where it is only that of its category.
        """
        named = (
            (-length, len(name), name, code)
            for code in codes
            for length, name in (valueset.called(code) for valueset in self._wanted)
            if length
        )
        length, _, name, code = min(named, default=(0, 0, "", None))
        return name if code is None or -length == len(code.code) else f"{name} ({code.written})"

    def all_codes(self, concepts: Concepts) -> frozenset[Code]:
        """The codes of several concepts together."""
        if not concepts:
            return NO_CODES
        return NO_CODES.union(*map(self.codes, as_list(concepts)))

    def product(self, concept: CodeableConcept) -> Product:
        """The drug that codings and the first name say together, else the one that another
        name says.
        """
        coded, names = self.coded(concept), tuple(dict.fromkeys(names_of(concept)))
        codes = coded.codes
        key = (codes, self._digest(repr(names).encode()))
        drug = self._identified.get(key)
        if drug is None:
            drug = self._identify(codes, names)
            if _is_short(codes):
                _keep(self._identified, key, replace(drug, label="") if names else drug)
        asked = coded.asked or not (codes or names) or _is_asked_about(drug)
        called = names[0] if names else drug.label
        return Product(codes, names, drug, asked, drug.opioid, key, called)

    def product_of(self, sent: bytes) -> Product:
        """The same of a concept by the bytes it was sent as.

        Raises msgspec.ValidationError if it is none.
        """
        found = self._products.get(sent)
        if found is None:
            read = CONCEPT.read(sent) or CodeableConcept()
            found = self.product(read)
            if says_codes_only(read, sent):
                _keep(self._products, sent, found)
        return found

    def _identify(self, codes: frozenset[Code], names: tuple[str, ...]) -> Identified:
        drug = self._drugs.identify(codes, names[0] if names else "")
        for name in names[1:]:
            if drug.drug is not None or drug.opioid_by_name:
                break
            drug = self._drugs.identify(codes, name)
        return drug

    def fill(self, product: ProductKey, sent: bytes, read: Callable[[], Fill]) -> Fill:
        """What an instruction and a dispense request say of a product, kept by a digest of both.

        Read once, unless it repeats words of a prescriber.
        """
        key = (product, self._digest(sent))
        found = self._fills.get(key)
        if found is None:
            found = read()
            if not found.sig.text and len(sent) <= LONGEST_KEPT and _is_short(product[0]):
                _keep(self._fills, key, found)
        return found

    def _digest(self, sent: bytes) -> bytes:
        return blake2b(sent, key=self._salt, digest_size=_DIGEST).digest()


def _is_asked_about(found: Identified) -> bool:
    """Whether a drug is of some class that rules ask about, or may be an opioid."""
    drug = found.drug
    return found.opioid or found.conflict is not None or (drug is not None and bool(drug.classes))


def _is_short(codes: frozenset[Code]) -> bool:
    return sum(len(code.system) + len(code.code) for code in codes) <= LONGEST_KEPT


def _day_in(zone: tzinfo, moment: datetime) -> FuzzyDate | None:
    try:
        return fuzzy(moment.astimezone(zone).date().isoformat())
    except OverflowError:
        return fuzzy(moment.date().isoformat())


def _keep(kept: dict[K, V], key: K, value: V) -> None:
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = value
