"""What a card rests on, as marks that can be compared without the chart: more marks are worse news.
Pure.

A card that was set aside stays quiet while every mark of today is among those of then. The marks
are names of criteria, red flags and dose bands; drugs, orders and risk conditions go in by a hash
of the caller's. Of the red flags the opioid service knows the emergencies, the others all: no call
works out what its own rules do not ask.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from math import floor

from cds_service.clinical.criteria import MET, Finding, Indicator
from cds_service.clinical.evidence import Sign
from cds_service.clinical.facts import Condition, Dispense, Facts, Order, Request, Statement
from cds_service.clinical.mme import daily_mme
from cds_service.clinical.red_flags import emergencies, red_flags
from cds_service.clinical.rule import Asker, Call, Known, Withdrawn
from cds_service.frozen import Frozen
from cds_service.knowledge.codes import Code
from cds_service.protocol.services import SERVICES

Hash = Callable[[str], str]
Medication = Order | Statement | Dispense
_ASKER = Asker("marks", (daily_mme, emergencies, red_flags))
_OPIOID_SERVICE = "opioid-safety"
# MME a day: CDC's cautions of 2022 and 2016, the usual state limit, CMS's upper edit, then every
# hundred.
_BANDS = (50, 90, 120, 200, 300, 400, 500)


class _Told(Frozen):
    """What is marked of facts that are alike."""

    kind: type[Order | Condition | Request]
    refs: frozenset[str]
    marks: tuple[str, ...]


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
    told = _told(frozenset().union(*[refs for _, refs in rests]), call.facts, _Hashes(hashed))
    return {
        finding.card: frozenset(_marks(finding, _of(refs, told), doses, flags))
        for finding, refs in rests
    }


def _of(refs: frozenset[str], told: Iterable[_Told]) -> Iterator[_Told]:
    """What is told of any of these references."""
    return (each for each in told if not refs.isdisjoint(each.refs))


def _marks(
    finding: Finding, told: Iterable[_Told], doses: Iterable[str], flags: Iterable[str]
) -> set[str]:
    opioid, spine = finding.card in _cards(True), finding.card in _cards(False)
    found = set(_criteria(finding))
    for each in told:
        if each.kind is Request or (opioid and (each.kind is not Condition or not spine)):
            found.update(each.marks)
    if opioid:
        found.update(doses)
    if spine:
        found.update(flags)
    return found


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


def _told(refs: frozenset[str], facts: Facts, hashes: Mapping[str, str]) -> list[_Told]:
    """What is marked of the facts with these references: of a medication its ingredients, else what
    the chart calls it; of a draft request what it is for; of a condition, which may make an opioid
    riskier, its codes. A chart repeats few drugs and codes many times.
    """
    found = [_taken(alike, hashes) for alike in _medications(refs, facts)]
    for codes, conditions in facts.conditions_alike().items():
        if theirs := refs.intersection([each.ref for each in conditions]):
            found.append(_Told(Condition, theirs, _coded("risk", codes, hashes)))
    for request in (*facts.requests, *facts.devices):
        if request.draft and request.ref in refs:
            marks = _coded("order", request.codes, hashes)
            found.append(_Told(Request, frozenset((request.ref,)), marks))
    return found


def _medications(refs: frozenset[str], facts: Facts) -> Iterable[list[Medication]]:
    """The medications with these references, those of one drug or one name together."""
    alike: dict[int | str, list[Medication]] = defaultdict(list)
    for listed in (facts.orders, facts.statements, facts.dispenses):
        for each in listed:
            if each.ref in refs:
                drug = each.drug
                named = drug is None or not drug.components
                alike[each.text.casefold() if named else id(drug)].append(each)
    return alike.values()


def _taken(alike: list[Medication], hashes: Mapping[str, str]) -> _Told:
    drug, refs = alike[0].drug, frozenset([each.ref for each in alike])
    names = [c.ingredient for c in drug.components] if drug is not None else []
    names = names or [alike[0].text.casefold()]
    return _Told(Order, refs, tuple([f"drug {hashes[name]}" for name in names]))


def _coded(sort: str, codes: frozenset[Code], hashes: Mapping[str, str]) -> tuple[str, ...]:
    return tuple([f"{sort} {hashes[str(code)]}" for code in codes])


class _Hashes(dict[str, str]):
    """The hash of each thing, worked out once."""

    def __init__(self, hashed: Hash) -> None:
        self._hashed = hashed

    def __missing__(self, thing: str) -> str:
        found = self[thing] = self._hashed(thing)
        return found
