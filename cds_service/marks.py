"""What a card rests on, as marks that can be compared without the chart: more marks are worse news.
Pure.

A card that was set aside stays quiet while every mark of today is among those of then. The marks
are names of criteria, red flags and dose bands; drugs, orders and risk conditions go in by a hash
of the caller's. Of the red flags the opioid service knows the emergencies, the others all: no call
works out what its own rules do not ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from itertools import chain

from cds_service.clinical.criteria import MET, Finding
from cds_service.clinical.evidence import Sign
from cds_service.clinical.facts import Condition, Dispense, Fact, Facts, Order, Request, Statement
from cds_service.clinical.mme import daily_mme
from cds_service.clinical.red_flags import emergencies, red_flags
from cds_service.clinical.rule import Asker, Call, Known, Withdrawn
from cds_service.protocol.services import SERVICES

Hash = Callable[[str], str]
Named = Mapping[str, Sequence[Fact]]
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
    asked = tuple(findings)
    known = Known(call, Asker("marks", (daily_mme, emergencies, red_flags)))
    spine = any(f.card in _cards(False) for f in asked)
    named = _named(asked, call.facts)
    hashed = cache(hashed)
    doses = tuple(_doses(known)) if any(f.card in _cards(True) for f in asked) else ()
    flags = tuple(_flags(known, all_of_them=service != _OPIOID_SERVICE)) if spine else ()
    return {f.card: frozenset(_marks(f, named, doses, flags, hashed)) for f in asked}


def _marks(
    finding: Finding, named: Named, doses: Iterable[str], flags: Iterable[str], hashed: Hash
) -> Iterator[str]:
    facts = [fact for ref in _because(finding) for fact in named.get(ref, ())]
    yield from _criteria(finding)
    yield from (f"order {hashed(thing)}" for thing in _ordered(facts))
    opioid, spine = finding.card in _cards(True), finding.card in _cards(False)
    if opioid:
        yield from doses
        yield from (f"drug {hashed(drug)}" for drug in _drugs(facts))
    if spine:
        yield from flags
    elif opioid:
        yield from (f"risk {hashed(code)}" for code in _conditions(facts))


def _named(findings: Iterable[Finding], facts: Facts) -> Named:
    """The medications, requests and conditions that findings rest on, by reference."""
    refs = frozenset[str]().union(*map(_because, findings))
    found: dict[str, list[Fact]] = {}
    kinds = (
        facts.orders,
        facts.statements,
        facts.dispenses,
        facts.requests,
        facts.devices,
        facts.conditions,
    )
    for fact in chain.from_iterable(kinds):
        if fact.ref in refs:
            found.setdefault(fact.ref, []).append(fact)
    return found


def _because(finding: Finding) -> frozenset[str]:
    return frozenset(ref for c in finding.criteria if c.status is MET for ref in c.because)


def _criteria(finding: Finding) -> Iterator[str]:
    """A mark for each criterion and each level of severity up to its own."""
    for criterion in finding.criteria:
        if criterion.status is MET:
            for level in range(criterion.indicator.severity + 1):
                yield f"{criterion.name} {level}"


def _doses(known: Known) -> Iterator[str]:
    """A mark for each band the daily dose has reached; a dose that can no longer be told is
    worse.
    """
    mme = known.derived(daily_mme)
    yield from (f"mme {band}" for band in _BANDS if mme.per_day >= band)
    if mme.is_lower_bound:
        yield "mme at least"


def _flags(known: Known, *, all_of_them: bool) -> Iterator[str]:
    """A mark for each red flag that is met; none where a site has withdrawn one of their numbers."""
    try:
        found = known.derived(red_flags) if all_of_them else known.derived(emergencies)
    except Withdrawn:
        return
    for each in fields(found):
        sign = getattr(found, each.name)
        if isinstance(sign, Sign) and sign.met:
            yield f"flag {each.name}"


def _drugs(facts: Iterable[Fact]) -> Iterator[str]:
    """The ingredients of the medications, else what the chart calls them."""
    for fact in facts:
        if isinstance(fact, Order | Statement | Dispense):
            if fact.drug is not None and fact.drug.components:
                yield from (component.ingredient for component in fact.drug.components)
            else:
                yield fact.text.casefold()


def _ordered(facts: Iterable[Fact]) -> Iterator[str]:
    """What the draft requests are for; medications go by their ingredients."""
    for fact in facts:
        if isinstance(fact, Request) and fact.draft:
            yield from map(str, fact.codes)


def _conditions(facts: Iterable[Fact]) -> Iterator[str]:
    """The conditions that make an opioid riskier."""
    for fact in facts:
        if isinstance(fact, Condition):
            yield from map(str, fact.codes)
