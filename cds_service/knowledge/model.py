"""Everything we know, loaded and checked: the types. Pure; `knowledge/loader.py` fills them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from cds_service.knowledge.codes import Code, Sorting, ValueSet
from cds_service.knowledge.numbers import Boundary, Number


@dataclass(frozen=True, slots=True)
class Source:
    """A document we cite."""

    id: str
    title: str
    publisher: str
    date: str
    url: str


@dataclass(frozen=True, slots=True)
class DatedValue:
    """One dated value of a parameter; `value` None withdraws it from that date."""

    since: date
    value: Decimal | None
    source: str
    at: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number with its history, oldest first."""

    name: str
    says: str
    unit: str
    boundary: Boundary
    basis: str  # seed | public | ours
    values: tuple[DatedValue, ...]
    file: str = ""

    def on(self, as_of: date) -> DatedValue:
        """The latest value not after `as_of`; before the first date, the first."""
        current = self.values[0]
        for dated in self.values:
            if dated.since <= as_of:
                current = dated
        return current


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach a payer's programme."""

    label: str
    phone: str = ""
    url: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Payer:
    """A payer: how its coverage is recognised, what it turns on and what it overrides."""

    id: str
    name: str
    identifiers: frozenset[str] = frozenset()  # SYSTEM#value
    names: tuple[str, ...] = ()  # whole words, case ignored
    turns_on: frozenset[str] = frozenset()  # gated criteria
    overrides: Mapping[str, tuple[DatedValue, ...]] = field(default_factory=dict)
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    links: tuple[tuple[str, str], ...] = ()
    holidays: frozenset[date] = frozenset()  # weekdays on which the payer does not work


@dataclass(frozen=True, slots=True)
class FactorRow:
    """One conversion factor: MME per `per` of an ingredient given by one of `routes` (or
    `forms`).
    """

    ingredient: str
    factor: Decimal
    per: str = "mg"  # mg | mcg | mcg/h
    routes: frozenset[str] = frozenset()  # empty: oral and other enteral routes
    forms: tuple[str, ...] = ()  # dose form names, lower case; empty: any
    above: Decimal | None = None  # daily-dose tier on the patient's total: above (exclusive) ...
    up_to: Decimal | None = None  # ... up to (inclusive), mg a day
    exact: Fraction = field(init=False, compare=False, repr=False)  # the factor, to multiply by

    def __post_init__(self) -> None:
        object.__setattr__(self, "exact", Fraction(self.factor))


@dataclass(frozen=True, slots=True)
class FactorTable:
    """A named table of MME conversion factors; `never` says why an ingredient is never
    converted.
    """

    id: str
    label: str
    source: str
    rows: tuple[FactorRow, ...] = ()
    never: Mapping[str, str] = field(default_factory=dict)


_KEPT = 64  # days and sets of payers whose numbers are kept


@dataclass(frozen=True, slots=True)
class InForce:
    """The numbers of one day for one set of payers, and the names of those withdrawn."""

    numbers: Mapping[str, Number]
    withdrawn: frozenset[str]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All knowledge files, checked against each other."""

    parameters: Mapping[str, Parameter]
    valuesets: Mapping[str, ValueSet]
    sources: Mapping[str, Source]
    payers: tuple[Payer, ...]
    factors: FactorTable
    system_names: Mapping[str, str]  # URL or OID -> short name
    system_urls: Mapping[str, str]  # short name -> canonical URL
    version: str = ""  # digest of every file
    reviewed: Mapping[str, tuple[date, date]] = field(
        default_factory=dict
    )  # name -> when, and when again

    _numbers: dict[tuple[date, tuple[str, ...]], InForce] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def in_force(self, as_of: date, payers: tuple[Payer, ...] = ()) -> InForce:
        """Every number in force on `as_of` for `payers`; worked out once a day and set of
        payers.
        """
        key = (as_of, tuple(payer.id for payer in payers))
        found = self._numbers.get(key)
        if found is None:
            if len(self._numbers) >= _KEPT:
                self._numbers.clear()
            all_numbers = {name: self.number(name, as_of, payers) for name in self.parameters}
            found = InForce(
                {name: number for name, number in all_numbers.items() if number is not None},
                frozenset(name for name, number in all_numbers.items() if number is None),
            )
            self._numbers[key] = found
        return found

    def number(self, name: str, as_of: date, payers: tuple[Payer, ...] = ()) -> Number | None:
        """The number in force for `payers` (the first that overrides it wins), None if withdrawn.

        Raises KeyError for an unknown name.
        """
        parameter = self.parameters[name]
        dated = parameter.on(as_of)
        for payer in payers:
            begun = [v for v in payer.overrides.get(name, ()) if v.since <= as_of]
            if begun:
                dated = begun[-1]
                break
        if dated.value is None:
            return None
        return Number(
            name,
            dated.value,
            parameter.unit,
            parameter.boundary,
            dated.source,
            dated.at,
            dated.since,
        )

    _sortings: dict[tuple[str, ...], Sorting] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def sorting(self, names: tuple[str, ...]) -> Sorting:
        """Value sets to sort facts by, made once. Raises KeyError."""
        found = self._sortings.get(names)
        if found is None:
            found = self._sortings[names] = Sorting(self.valuesets[name] for name in names)
        return found

    def valueset(self, name: str) -> ValueSet:
        """A value set by name. Raises KeyError."""
        return self.valuesets[name]

    def code(self, system: str, code: str) -> Code:
        """A code as facts hold it: short system name, ICD-10-CM without dots, NDC in eleven
        digits, a number of HCPCS as what it is, CPT.
        """
        names = self.system_names  # spellings, as vendors vary in upper and lower case
        short = names.get(system) or names.get(system.rstrip("/").lower()) or system
        if short == "ICD10CM":
            return Code(short, code.replace(".", "").upper())
        if short == "NDC":
            return Code(short, ndc11(code))
        if short == "HCPCS" and code.isdigit():
            return Code("CPT", code)
        return Code(short, code)


def ndc11(text: str) -> str:
    """An NDC in eleven digits: 4-4-2, 5-3-2 and 5-4-1 get their zero; other text comes back as is.

    >>> ndc11("0023-6011-60"), ndc11("00023-601-60"), ndc11("00023601160")
    ('00023601160', '00023060160', '00023601160')
    """
    parts = text.strip().split("-")
    if len(parts) == 3 and all(p.isdigit() for p in parts):
        return parts[0].zfill(5) + parts[1].zfill(4) + parts[2].zfill(2)
    return text.strip()
