"""Visits by kind: what was attended, on distinct days, whoever recorded it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.facts import Claim, Facts, Need
from cds_service.clinical.rule import Known, reasoning
from cds_service.knowledge.codes import Code, ValueSet

VISIT_NEEDS = (Need.ENCOUNTERS, Need.PROCEDURES, Need.CLAIMS, Need.BENEFITS)
THERAPIES = ("pt", "ot", "chiropractic", "acupuncture")
# Kind -> the sets whose codes make a visit, and the sets whose specialties (NUCC) make an encounter one.
KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "pt": (("pt-visit",), ("pt-visit", "pt-order")),
    "ot": (("ot-visit",), ("ot-visit", "ot-order")),
    "chiropractic": (("chiropractic-visit",), ("chiropractic-visit", "chiropractic-order")),
    "acupuncture": (("acupuncture-visit",), ("acupuncture-visit", "acupuncture-order")),
    "pain": ((), ("pain-specialist-consult",)),
    "medical_spine": ((), ("medical-spine-consult",)),
    "behavioral": (("behavioral-health-visit",), ("behavioral-health-visit", "behavioral-health-referral")),
    "sud": (("sud-treatment-referral",), ("sud-treatment-referral",)),
    "rheumatology": ((), ("rheumatology-consult",)),
    "surgeon": ((), ("spine-surgeon-consult-order",)),
    "office": (("office-visit", "new-patient-office-visit", "office-consultation"), ()),
    "reevaluation": (("pt-reevaluation", "ot-reevaluation"), ()),
    "lumbar_esi": (("esi-lumbar-sacral",), ()),
}
# A code of these systems on a visit names a service; others (SNOMED CT referrals) are orders, not attendance.
_SERVICE_SYSTEMS_OF = {"sud": ("CPT", "HCPCS")}


@dataclass(frozen=True, slots=True)
class Visit:
    """One day on which a service was attended, and the records that show it."""

    day: date
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits by kind. `unknown` names the kinds of record that could not be read: the counts are then least counts."""

    as_of: date
    by_kind: Mapping[str, tuple[Visit, ...]] = field(default_factory=dict)
    unknown: tuple[Need, ...] = ()

    def of(self, *kinds: str, most_days: int | None = None) -> tuple[Visit, ...]:
        """Visits of any of `kinds` on distinct days, oldest first, at most `most_days` days ago (both ends included)."""
        days: dict[date, list[str]] = {}
        for kind in kinds:
            for visit in self.by_kind[kind]:
                if most_days is None or (self.as_of - visit.day).days <= most_days:
                    days.setdefault(visit.day, []).extend(visit.refs)
        return tuple(Visit(day, tuple(sorted(set(refs)))) for day, refs in sorted(days.items()))

    def therapy(self, most_days: int | None = None) -> tuple[Visit, ...]:
        """Physical, occupational, chiropractic and acupuncture visits."""
        return self.of(*THERAPIES, most_days=most_days)


@dataclass(frozen=True, slots=True)
class _Record:
    ref: str
    day: date
    codes: frozenset[Code]
    specialties: frozenset[Code]


@reasoning(
    wants=VISIT_NEEDS,
    codes=tuple(sorted({name for groups in KINDS.values() for group in groups for name in group})),
)
def visits(facts: Facts, known: Known) -> Visits:
    """Finished encounters, completed procedures and lines of claims and benefits, by kind.

    Preauthorisations are requests, not visits. A partial date counts as its last day, so that no span is overstated.
    """
    records = tuple(_records(facts))
    found = {kind: _of_kind(records, kind, known) for kind in KINDS}
    return Visits(facts.as_of, found, tuple(need for need in VISIT_NEEDS if facts.lacks(need)))


def _of_kind(records: tuple[_Record, ...], kind: str, known: Known) -> tuple[Visit, ...]:
    by_code, by_specialty = KINDS[kind]
    services = tuple(known.codes(name) for name in by_code)
    specialties = tuple(known.codes(name) for name in by_specialty)
    days: dict[date, set[str]] = {}
    for record in records:
        if _served(record.codes, services, kind) or _attended(record, specialties):
            days.setdefault(record.day, set()).add(record.ref)
    return tuple(Visit(day, tuple(sorted(refs))) for day, refs in sorted(days.items()))


def _served(codes: frozenset[Code], services: tuple[ValueSet, ...], kind: str) -> bool:
    systems = _SERVICE_SYSTEMS_OF.get(kind)
    return any(
        code in service for service in services for code in codes if systems is None or code.system in systems
    )


def _attended(record: _Record, specialties: tuple[ValueSet, ...]) -> bool:
    return any(code.system == "NUCC" and code in one for one in specialties for code in record.specialties)


def _records(facts: Facts) -> Iterator[_Record]:
    for encounter in facts.encounters:
        if encounter.done and (day := _day(encounter.when, facts.as_of)):
            yield _Record(encounter.ref, day, encounter.codes | encounter.specialties, encounter.specialties)
    for procedure in facts.procedures:
        if procedure.done and (day := _day(procedure.when, facts.as_of)):
            yield _Record(procedure.ref, day, procedure.codes, frozenset())
    for claim in facts.claims:
        if _attests(claim):
            for line in claim.lines:
                # A line without its own date says nothing about when: the claim may be written weeks later.
                if day := _day(line.when, facts.as_of):
                    yield _Record(claim.ref, day, line.codes, frozenset())


def _attests(claim: Claim) -> bool:
    return claim.use == "claim" and claim.status in ("active", "")


def _day(when: FuzzyDate | None, as_of: date) -> date | None:
    if when is None or when.first > as_of:
        return None
    return min(when.last, as_of)
