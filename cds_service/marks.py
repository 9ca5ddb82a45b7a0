"""What a card rests on, as marks that can be compared without the chart: more marks are worse news.
Pure.

A card that was set aside stays quiet while every mark of today is among those of then. The marks
are names of criteria, red flags and dose bands; drugs, orders and risk conditions go in by a hash
of the caller's. Of the red flags the opioid service knows the emergencies, the others all: no call
works out what its own rules do not ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from math import floor

from cds_service.clinical.criteria import MET, Finding, Indicator
from cds_service.clinical.evidence import Sign
from cds_service.clinical.facts import Condition, Dispense, Fact, Facts, Order, Request, Statement
from cds_service.clinical.mme import daily_mme
from cds_service.clinical.red_flags import emergencies, red_flags
from cds_service.clinical.rule import Asker, Call, Known, Withdrawn
from cds_service.protocol.services import SERVICES

Hash = Callable[[str], str]
_MEDICATIONS = (Order, Statement, Dispense)
_ASKER = Asker("marks", (daily_mme, emergencies, red_flags))
_Told = tuple[type[Fact], tuple[str, ...]]  # the kind of a fact, its marks
_OPIOID_SERVICE = "opioid-safety"
# MME a day: CDC's cautions of 2022 and 2016, the usual state limit, CMS's upper edit, then every
# hundred.
_BANDS = (50, 90, 120, 200, 300, 400, 500)


@cache
def _cards(opioid: bool) -> frozenset[str]:
    """The cards of the opioid service, or those of the others; a referral may be in both."""
    offers = [offer for offer in SERVICES if (offer.id == _OPIOID_SERVICE) is opioid]
    return frozenset(card for offer in offers for cards in offer.cards.values() for card in cards)


def marks_of(
    findings: Iterable[Finding], call: Call, service: str, hashed: Hash
) -> dict[str, frozenset[str]]:
    """The marks of each finding of a service by its card. Raises what shared reasoning raises."""
    rests = [(finding, _because(finding)) for finding in findings]
    cards = frozenset([finding.card for finding, _ in rests])
    known = Known(call, _ASKER)
    doses = tuple(_doses(known)) if cards & _cards(True) else ()
    flags = (
        tuple(_flags(known, all_of_them=service != _OPIOID_SERVICE))
        if cards & _cards(False)
        else ()
    )
    named = _named(frozenset().union(*[refs for _, refs in rests]), call.facts)
    told = _told(named, _Hashes(hashed))
    return {
        finding.card: frozenset(_marks(finding, _of(refs, told), doses, flags))
        for finding, refs in rests
    }


def _of(refs: Iterable[str], told: Mapping[str, list[_Told]]) -> set[_Told]:
    """What is told of these references, of alike ones once."""
    return {each for ref in refs if ref in told for each in told[ref]}


def _marks(
    finding: Finding, told: Iterable[_Told], doses: Iterable[str], flags: Iterable[str]
) -> set[str]:
    opioid, spine = finding.card in _cards(True), finding.card in _cards(False)
    found = set(_criteria(finding))
    for kind, marks in told:
        if kind is Request or (opioid and (kind is not Condition or not spine)):
            found.update(marks)
    if opioid:
        found.update(doses)
    if spine:
        found.update(flags)
    return found


def _named(refs: frozenset[str], facts: Facts) -> list[Fact]:
    """The medications, requests and conditions of these references."""
    kinds: tuple[tuple[Fact, ...], ...] = (
        facts.orders,
        facts.statements,
        facts.dispenses,
        facts.requests,
        facts.devices,
        facts.conditions,
    )
    return [fact for kind in kinds for fact in kind if fact.ref in refs]


def _because(finding: Finding) -> frozenset[str]:
    """The references it rests on."""
    return frozenset([ref for c in finding.criteria if c.status is MET for ref in c.because])


def _criteria(finding: Finding) -> Iterator[str]:
    """A mark for each criterion and each level of severity up to its own."""
    for criterion in finding.criteria:
        if criterion.status is MET:
            yield from _levels(criterion.name, criterion.indicator)


@cache
def _levels(name: str, indicator: Indicator) -> tuple[str, ...]:
    return tuple([f"{name} {level}" for level in range(indicator.severity + 1)])


def _doses(known: Known) -> Iterator[str]:
    """A mark for each band the daily dose has reached; a dose that can no longer be told is
    worse.
    """
    mme = known.derived(daily_mme)
    whole = floor(mme.per_day)  # bands are whole numbers
    yield from (f"mme {band}" for band in _BANDS if whole >= band)
    if mme.is_lower_bound:
        yield "mme at least"


def _flags(known: Known, *, all_of_them: bool) -> Iterator[str]:
    """A mark for each red flag that is met; none where a site has withdrawn one of their numbers."""
    try:
        found = known.derived(red_flags) if all_of_them else known.derived(emergencies)
    except Withdrawn:
        return
    for name in found.__struct_fields__:
        sign = getattr(found, name)
        if isinstance(sign, Sign) and sign.met:
            yield f"flag {name}"


def _told(facts: Iterable[Fact], hashes: Mapping[str, str]) -> dict[str, list[_Told]]:
    """What is marked of each fact, by its reference: of a medication its ingredients, else what the
    chart calls it; of a draft request what it is for; of a condition, which may make an opioid
    riskier, its codes. A chart repeats few drugs and codes many times.
    """
    found: dict[str, list[_Told]] = {}
    alike: dict[object, _Told] = {}
    for fact in facts:
        key: object
        if isinstance(fact, _MEDICATIONS):
            named = fact.drug is None or not fact.drug.components
            key = (Order, fact.text.casefold() if named else id(fact.drug))
        elif isinstance(fact, Condition) or (isinstance(fact, Request) and fact.draft):
            key = (type(fact), fact.codes)
        else:
            continue
        told = alike.get(key)
        if told is None:
            told = alike[key] = _told_of(fact, hashes)
        found.setdefault(fact.ref, []).append(told)
    return found


def _told_of(fact: Fact, hashes: Mapping[str, str]) -> _Told:
    if isinstance(fact, _MEDICATIONS):
        drug = fact.drug
        names = [c.ingredient for c in drug.components] if drug is not None else []
        return Order, tuple([f"drug {hashes[name]}" for name in names or [fact.text.casefold()]])
    kind, sort = (Condition, "risk") if isinstance(fact, Condition) else (Request, "order")
    return kind, tuple([f"{sort} {hashes[str(code)]}" for code in fact.codes])


class _Hashes(dict[str, str]):
    """The hash of each thing, worked out once."""

    def __init__(self, hashed: Hash) -> None:
        self._hashed = hashed

    def __missing__(self, thing: str) -> str:
        found = self[thing] = self._hashed(thing)
        return found
