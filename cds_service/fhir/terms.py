"""What the vocabulary says of the parts of a resource: one frozen type a noun."""

from __future__ import annotations

from fractions import Fraction

from cds_service.clinical.dates import FuzzyDate, Span
from cds_service.clinical.facts import NO_CODES, Quantity, Sig
from cds_service.frozen import Frozen
from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.model import Identified

ProductKey = tuple[frozenset[Code], bytes]  # codes, and a digest of the names


class Coded(Frozen):
    """The codes of a concept, whether some rule declares one of them, and whether any is of a code
    system that we know.
    """

    codes: frozenset[Code]
    asked: bool
    known: bool


UNCODED = Coded(NO_CODES, False, False)


class Concept(Frozen):
    """What a concept says: its codes, what the sender calls it, whether some rule asks about it, and
    its name, of a concept without words the one that our value sets have.
    """

    codes: frozenset[Code]
    text: str
    asked: bool
    name: str


class Product(Frozen):
    """What is ordered: its codes and names, the drug they say, whether any rule may ask about it,
    whether it is an opioid by code or by name, and what it is called.
    """

    codes: frozenset[Code]
    names: tuple[str, ...]
    identified: Identified
    asked: bool
    opioid: bool
    key: ProductKey
    label: str


class Fill(Frozen):
    """How much a day, how long one fill lasts, how many more there are, how much is handed out;
    `whole_days` of one fill, `all_days` with refills, `bounds` its days where only they tell,
    `begins` the first day that the instructions name, `put_off` the same where each of them names one.
    """

    sig: Sig
    days: Fraction | None
    whole_days: int | None
    all_days: int | None
    refills: int
    quantity: Quantity | None
    bounds: Span | None = None
    begins: FuzzyDate | None = None
    put_off: FuzzyDate | None = None
