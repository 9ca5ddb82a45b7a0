"""How rules and shared reasoning declare themselves, and the view of knowledge they get. Pure.

A rule sees only what it declares: asking `Known` for an undeclared number, value set or reasoning
raises `Undeclared`, which fails that rule (and the tests), never silently widens it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from cds_service.clinical.criteria import Criterion, Indicator
from cds_service.clinical.facts import Facts, Need
from cds_service.frozen import Frozen, field
from cds_service.knowledge.codes import Sorting, ValueSet
from cds_service.knowledge.model import FactorTable, Knowledge, Payer
from cds_service.knowledge.numbers import Number

T = TypeVar("T")
Judge = Callable[["Facts", "Known"], Iterator[Criterion]]  # what a rule works out


class Undeclared(Exception):
    """A rule asked for knowledge it does not declare."""


class Withdrawn(Exception):
    """A number a rule reads is withdrawn (`null`) on the as-of date."""


class Declared(Frozen):
    """A criterion as its rule declares it. `words` are the names its card may use, `kinds` the types
    of those that have parts and are no common ones (`card_words.py`).
    """

    name: str
    worst: Indicator
    words: tuple[str, ...] = ()
    routine: bool = False
    gated: bool = False
    kinds: Mapping[str, Any] = field(default_factory=dict)


def declared(
    name: str,
    *,
    worst: Indicator,
    words: tuple[str, ...] = (),
    routine: bool = False,
    gated: bool = False,
    kinds: Mapping[str, Any] = MappingProxyType({}),
) -> Declared:
    """Declare a criterion: `routine` is silenced by list S, `gated` unless a payer turns it on."""
    return Declared(name, worst, words, routine, gated, kinds)


class Declares(Protocol):
    """Who asks `Known`, and for what it may ask."""

    @property
    def name(self) -> str: ...
    @property
    def numbers(self) -> frozenset[str]: ...
    @property
    def codes(self) -> frozenset[str]: ...
    @property
    def uses(self) -> tuple[Callable[..., Any], ...]: ...


class Asker(Frozen):
    """One that asks `Known` without being a rule or reasoning."""

    name: str
    uses: tuple[Callable[..., Any], ...] = ()
    numbers: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()


class Reasoning(Frozen):
    """What a piece of shared reasoning declares."""

    function: Callable[[Facts, Known], Any]
    needs: frozenset[Need]
    wants: frozenset[Need]
    uses: tuple[Callable[..., Any], ...]
    numbers: frozenset[str]
    codes: frozenset[str]

    @property
    def name(self) -> str:
        """Of its function."""
        return self.function.__name__


class Rule(Frozen, dict=True):
    """What a rule declares; `card` is the module name with hyphens."""

    card: str
    function: Judge
    hooks: tuple[str, ...]
    applies: Callable[[Facts, Known], bool | None]
    needs: frozenset[Need]
    wants: frozenset[Need]
    uses: tuple[Callable[..., Any], ...]
    numbers: frozenset[str]
    codes: frozenset[str]
    criteria: Mapping[str, Declared]
    doc: str

    @property
    def name(self) -> str:
        """Its card."""
        return self.card

    @cached_property
    def ungated(self) -> Mapping[str, Declared]:
        """The criteria that no payer has to turn on."""
        return {name: c for name, c in self.criteria.items() if not c.gated}

    @cached_property
    def routine(self) -> frozenset[str]:
        """The names of the criteria that list S silences."""
        return frozenset(name for name, c in self.criteria.items() if c.routine)

    @cached_property
    def worst(self) -> Indicator:
        """The most severe indicator the rule can speak with."""
        return max((c.worst for c in self.criteria.values()), key=lambda i: i.severity)

    @cached_property
    def all_needs(self) -> frozenset[Need]:
        """Own needs and those of the shared reasoning."""
        return self.needs.union(*(r.needs for r in all_reasoning(self.uses)))

    @cached_property
    def all_wants(self) -> frozenset[Need]:
        """Own wants and those of the shared reasoning."""
        return self.wants.union(*(r.wants for r in all_reasoning(self.uses)))

    @cached_property
    def all_numbers(self) -> frozenset[str]:
        """Own numbers and those of the shared reasoning."""
        return self.numbers.union(*(r.numbers for r in all_reasoning(self.uses)))

    @cached_property
    def all_codes(self) -> frozenset[str]:
        """Own value sets and those of the shared reasoning."""
        return self.codes.union(*(r.codes for r in all_reasoning(self.uses)))


_NOT_YET: Any = object()  # worked out
_REASONING: dict[Callable[..., Any], Reasoning] = {}
_RULES: dict[str, Rule] = {}


def reasoning(
    *,
    needs: tuple[Need, ...] = (),
    wants: tuple[Need, ...] = (),
    uses: tuple[Callable[..., Any], ...] = (),
    numbers: tuple[str, ...] = (),
    codes: tuple[str, ...] = (),
) -> Callable[[Callable[[Facts, Known], T]], Callable[[Facts, Known], T]]:
    """Register shared reasoning: run at most once a request, through `known.derived(f)`."""

    def register(function: Callable[[Facts, Known], T]) -> Callable[[Facts, Known], T]:
        _REASONING[function] = Reasoning(
            function, frozenset(needs), frozenset(wants), uses, frozenset(numbers), frozenset(codes)
        )
        return function

    return register


def always(facts: Facts, known: Known) -> bool | None:
    """The default `applies`."""
    return True


def rule(
    *,
    hooks: tuple[str, ...],
    criteria: tuple[Declared, ...],
    applies: Callable[[Facts, Known], bool | None] = always,
    needs: tuple[Need, ...] = (),
    wants: tuple[Need, ...] = (),
    uses: tuple[Callable[..., Any], ...] = (),
    numbers: tuple[str, ...] = (),
    codes: tuple[str, ...] = (),
) -> Callable[[Judge], Judge]:
    """Register the reasoning of one card; the card id is the module name with hyphens."""

    def register(function: Judge) -> Judge:
        card = function.__module__.rpartition(".")[2].replace("_", "-")
        if card in _RULES:
            raise ValueError(f"two rules in one module: {card}")
        _RULES[card] = Rule(
            card=card,
            function=function,
            hooks=hooks,
            applies=applies,
            needs=frozenset(needs),
            wants=frozenset(wants),
            uses=uses,
            numbers=frozenset(numbers),
            codes=frozenset(codes),
            criteria={c.name: c for c in criteria},
            doc=function.__doc__ or "",
        )
        return function

    return register


def rules() -> Mapping[str, Rule]:
    """Every registered rule by card id; filled by importing `clinical.rules`."""
    return _RULES


def reasoning_of(function: Callable[..., Any]) -> Reasoning:
    """What a piece of shared reasoning declared."""
    return _REASONING[function]


@cache
def all_reasoning(uses: tuple[Callable[..., Any], ...]) -> tuple[Reasoning, ...]:
    """The shared reasoning reached from `uses`, each once."""
    seen: dict[Callable[..., Any], Reasoning] = {}
    for function in uses:
        seen[function] = _REASONING[function]
        seen |= {each.function: each for each in all_reasoning(_REASONING[function].uses)}
    return tuple(seen.values())


class Call:
    """The knowledge of one request: what is in force, and what has been worked out so far."""

    __slots__ = ("cache", "facts", "in_force", "knowledge", "payers", "read")

    def __init__(self, facts: Facts, knowledge: Knowledge, payers: tuple[Payer, ...] = ()) -> None:
        self.facts, self.knowledge, self.payers = facts, knowledge, payers
        self.in_force = knowledge.in_force(facts.as_of, payers)
        self.cache: dict[Callable[..., Any], Any] = {}
        self.read: set[str] = set()

    def number(self, name: str) -> Number:
        """The number in force. Raises Withdrawn for any other."""
        found = self.in_force.numbers.get(name)
        if found is None:
            raise Withdrawn(name)
        self.read.add(name)
        return found


class Known(Frozen):
    """What one rule or reasoning may know: declared numbers, codes and reasoning, and the payers."""

    _call: Call
    _may: Declares

    def number(self, name: str) -> Number:
        """A declared number in force. Raises Withdrawn, Undeclared."""
        if name not in self._may.numbers:
            raise Undeclared(f"{self._may.name} does not declare the number {name}")
        return self._call.number(name)

    def codes(self, name: str) -> ValueSet:
        """A declared value set. Raises Undeclared."""
        if name not in self._may.codes:
            raise Undeclared(f"{self._may.name} does not declare the value set {name}")
        return self._call.knowledge.valuesets[name]

    def sorting(self, names: tuple[str, ...]) -> Sorting:
        """Several declared value sets to sort facts by. Raises Undeclared."""
        if not self._may.codes.issuperset(names):
            raise Undeclared(f"{self._may.name} does not declare every value set it sorts by")
        return self._call.knowledge.sorting(names)

    def derived(self, function: Callable[[Facts, Known], T]) -> T:
        """What declared reasoning concludes, worked out once a request. Raises Undeclared."""
        if function not in self._may.uses:
            raise Undeclared(f"{self._may.name} does not declare {function.__name__}")
        call = self._call
        found: T = call.cache.get(function, _NOT_YET)
        if found is _NOT_YET:
            found = call.cache[function] = function(call.facts, Known(call, _REASONING[function]))
        return found

    @property
    def payers(self) -> tuple[Payer, ...]:
        """The payers in force, primary first."""
        return self._call.payers

    @property
    def factors(self) -> FactorTable:
        """The MME factor table chosen by the settings."""
        return self._call.knowledge.factors
