"""Visits by kind: what was attended, on distinct days, whoever recorded it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.facts import Claim, Facts, Need
from cds_service.clinical.rule import Known, reasoning
from cds_service.knowledge.codes import Code, Sorting

CHART_NEEDS = (Need.ENCOUNTERS, Need.PROCEDURES)
CLAIM_NEEDS = (Need.CLAIMS, Need.BENEFITS)
THERAPIES = ("pt", "ot", "chiropractic", "acupuncture")
# Kind -> the sets whose codes make a visit, and the sets whose specialties (NUCC) make an encounter
# one.
KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "pt": (("pt-visit",), ("pt-visit", "pt-order")),
    "ot": (("ot-visit",), ("ot-visit", "ot-order")),
    "chiropractic": (("chiropractic-visit",), ("chiropractic-visit", "chiropractic-order")),
    "acupuncture": (("acupuncture-visit",), ("acupuncture-visit", "acupuncture-order")),
    "pain": ((), ("pain-specialist-consult",)),
    "medical_spine": ((), ("medical-spine-consult",)),
    "behavioral": (
        ("behavioral-health-visit",),
        ("behavioral-health-visit", "behavioral-health-referral"),
    ),
    "sud": (("sud-treatment-referral",), ("sud-treatment-referral",)),
    "rheumatology": ((), ("rheumatology-consult",)),
    "surgeon": ((), ("spine-surgeon-consult-order",)),
    "office": (("office-visit", "new-patient-office-visit", "office-consultation"), ()),
    "reevaluation": (("pt-reevaluation", "ot-reevaluation"), ()),
    "lumbar_esi": (("esi-lumbar-sacral",), ()),
}
SETS = tuple(sorted({name for groups in KINDS.values() for group in groups for name in group}))
# A code of these systems on a visit names a service; others (SNOMED CT referrals) are orders, not
# attendance.
_SERVICE_SYSTEMS_OF = {"sud": ("CPT", "HCPCS")}


@dataclass(frozen=True, slots=True)
class Visit:
    """One day on which a service was attended, and the records that show it."""

    day: date
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits by kind; counts are least counts where something could not be read.

    `unknown`: records of this chart; without them no visit is no statement. `elsewhere`: claims and
    benefits, the further witness of what other practices did, which many servers never have.
    """

    as_of: date
    by_kind: Mapping[str, tuple[Visit, ...]] = field(default_factory=dict)
    unknown: tuple[Need, ...] = ()
    elsewhere: tuple[Need, ...] = ()

    def of(self, kind: str, most_days: int | None = None) -> tuple[Visit, ...]:
        """Visits of a kind, oldest first, at most `most_days` days ago (both ends included)."""
        return self.of_any((kind,), most_days)

    def of_any(self, kinds: tuple[str, ...], most_days: int | None = None) -> tuple[Visit, ...]:
        """Visits of any of `kinds` on distinct days, as `of`."""
        days: dict[date, list[str]] = {}
        for kind in kinds:
            for visit in self.by_kind[kind]:
                if most_days is None or (self.as_of - visit.day).days <= most_days:
                    days.setdefault(visit.day, []).extend(visit.refs)
        return tuple(Visit(day, tuple(sorted(set(refs)))) for day, refs in sorted(days.items()))

    def therapy(self, most_days: int | None = None) -> tuple[Visit, ...]:
        """Physical, occupational, chiropractic and acupuncture visits."""
        return self.of_any(THERAPIES, most_days)


class _Record(NamedTuple):
    ref: str
    day: date
    codes: frozenset[Code]
    specialties: frozenset[Code]


@reasoning(
    wants=(*CHART_NEEDS, *CLAIM_NEEDS),
    codes=SETS,
)
def visits(facts: Facts, known: Known) -> Visits:
    """Finished encounters, completed procedures and lines of claims and benefits, by kind.

    Preauthorisations are requests, not visits. A partial date counts as its last day: no span is
    overstated.
    """
    sorting = known.sorting(SETS)
    alike: dict[_Codes, list[_Record]] = {}
    for record in _records(facts):
        alike.setdefault((record.codes, record.specialties), []).append(record)
    days: dict[str, dict[date, set[str]]] = {kind: {} for kind in KINDS}
    for (codes, specialties), records in alike.items():
        for kind in _kinds(codes, specialties, sorting):
            for record in records:
                days[kind].setdefault(record.day, set()).add(record.ref)
    found = {kind: _in_order(by_day) for kind, by_day in days.items()}
    return Visits(facts.as_of, found, _lacking(facts, CHART_NEEDS), _lacking(facts, CLAIM_NEEDS))


def _lacking(facts: Facts, needs: tuple[Need, ...]) -> tuple[Need, ...]:
    return tuple(need for need in needs if facts.lacks(need))


_Codes = tuple[frozenset[Code], frozenset[Code]]  # codes and specialties


def _kinds(codes: frozenset[Code], specialties: frozenset[Code], sorting: Sorting) -> Iterator[str]:
    """The kinds of visit that these codes and specialties make."""
    named, attended = (
        sorting.of(codes),
        sorting.of(specialties) if specialties else frozenset[str](),
    )
    if not named and not attended:
        return
    for kind, (by_code, by_specialty) in KINDS.items():
        systems = _SERVICE_SYSTEMS_OF.get(kind)
        served = (
            named
            if systems is None
            else sorting.of(frozenset(c for c in codes if c.system in systems))
        )
        if not served.isdisjoint(by_code) or not attended.isdisjoint(by_specialty):
            yield kind


def _in_order(by_day: Mapping[date, set[str]]) -> tuple[Visit, ...]:
    return tuple(Visit(day, tuple(sorted(refs))) for day, refs in sorted(by_day.items()))


def _records(facts: Facts) -> Iterator[_Record]:
    for encounter in facts.encounters:
        if encounter.done and (day := _day(encounter.when, facts.as_of)):
            specialties = frozenset(code for code in encounter.specialties if code.system == "NUCC")
            yield _Record(encounter.ref, day, encounter.codes | encounter.specialties, specialties)
    for procedure in facts.procedures:
        if procedure.done and (day := _day(procedure.when, facts.as_of)):
            yield _Record(procedure.ref, day, procedure.codes, frozenset())
    for claim in facts.claims:
        if _attests(claim):
            for line in claim.lines:
                # A line without its own date says nothing about when: the claim may be written
                # weeks later.
                if day := _day(line.when, facts.as_of):
                    yield _Record(claim.ref, day, line.codes, frozenset())


def _attests(claim: Claim) -> bool:
    return claim.use == "claim" and claim.status in ("active", "")


def _day(when: FuzzyDate | None, as_of: date) -> date | None:
    if when is None or when.first > as_of:
        return None
    return min(when.last, as_of)
