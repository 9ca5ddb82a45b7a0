"""What the repeated parts of one call say, each worked out where its bytes are seen for the first
time.

Lives for one call: a part may hold words of a person, which must not outlive it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from cds_service.clinical.facts import Quantity
from cds_service.fhir.amounts import quantity
from cds_service.fhir.concepts import status_word
from cds_service.fhir.r4_chart import RANGES
from cds_service.fhir.r4_dosage import as_list
from cds_service.fhir.r4_parts import AMOUNT, CONCEPTS, STATUS
from cds_service.fhir.terms import Concept, Product
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.knowledge.codes import Code

V = TypeVar("V")


class Lookup(dict[bytes, V]):
    """Answers by the bytes they are read from; empty bytes are a member that was not sent.

    Raises msgspec.ValidationError for bytes that hold something else.
    """

    __slots__ = ("_read",)
    _read: Callable[[bytes], V]

    def __init__(self, read: Callable[[bytes], V]) -> None:
        self._read = read

    def __missing__(self, key: bytes) -> V:
        found = self[key] = self._read(key)
        return found


class Glossary:
    """The answers of one call, by kind."""

    __slots__ = ("amounts", "codes", "concepts", "days", "highs", "products", "statuses", "words")

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.days = vocabulary.days
        self.concepts: Lookup[Concept] = Lookup(vocabulary.concept)
        self.codes: Lookup[frozenset[Code]] = Lookup(partial(_codes, vocabulary))
        self.products: Lookup[Product] = Lookup(vocabulary.product_of)
        self.statuses: Lookup[str] = Lookup(_status)
        self.words: Lookup[frozenset[str]] = Lookup(_words)
        self.amounts: Lookup[Quantity | None] = Lookup(_amount)
        self.highs: Lookup[Quantity | None] = Lookup(_high)


def _codes(vocabulary: Vocabulary, raw: bytes) -> frozenset[Code]:
    """The codes of several concepts together."""
    return vocabulary.all_codes(CONCEPTS.read(raw) or ())


def _status(raw: bytes) -> str:
    return status_word(STATUS.read(raw))


def _words(raw: bytes) -> frozenset[str]:
    """The codes of several concepts without their systems, else their texts in lower case."""
    return frozenset(word for each in as_list(CONCEPTS.read(raw)) if (word := status_word(each)))


def _amount(raw: bytes) -> Quantity | None:
    """An amount."""
    return quantity(AMOUNT.read(raw))


def _high(raw: bytes) -> Quantity | None:
    """The first upper limit of several ranges."""
    highs = (quantity(each.high) for each in as_list(RANGES.read(raw)))
    return next((each for each in highs if each is not None), None)
