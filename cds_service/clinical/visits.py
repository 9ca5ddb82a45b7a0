"""Visits by kind: what was attended, on distinct days, whoever recorded it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property

from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.facts import NO_CODES, Claim, Facts, Need, Procedure
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen, field
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


def _by_set(place: int) -> dict[str, tuple[str, ...]]:
    """The kinds that each set makes by its codes (0) or by its specialties (1)."""
    return {
        name: tuple(kind for kind, sets in KINDS.items() if name in sets[place]) for name in SETS
    }


_BY_CODE, _BY_SPECIALTY = _by_set(0), _by_set(1)
# A code of these systems on a visit names a service; others (SNOMED CT referrals) are orders, not
# attendance.
_SERVICE_SYSTEMS_OF = {"sud": ("CPT", "HCPCS")}


class Visit(Frozen):
    """One day on which a service was attended, and the records that show it."""

    day: date
    refs: tuple[str, ...]


class Record(Frozen):
    """What shows a visit: its reference, and when it was."""

    ref: str
    when: FuzzyDate | None


class Visits(Frozen, dict=True):
    """Visits by kind, put on their days when asked for; counts are least counts where something
    could not be read.

    `unknown`: records of this chart; without them no visit is no statement. `elsewhere`: claims and
    benefits, the further witness of what other practices did, which many servers never have.
    """

    as_of: date
    records: Mapping[str, Sequence[Record | Procedure]] = field(default_factory=dict)
    unknown: tuple[Need, ...] = ()
    elsewhere: tuple[Need, ...] = ()

    @cached_property
    def _days(self) -> dict[str, Mapping[date, set[str]]]:
        """The kinds that are on their days by now."""
        return {}

    def of(self, kind: str, most_days: int | None = None) -> tuple[Visit, ...]:
        """Visits of a kind, oldest first, at most `most_days` days ago (both ends included)."""
        return self.of_any((kind,), most_days)

    def of_any(self, kinds: tuple[str, ...], most_days: int | None = None) -> tuple[Visit, ...]:
        """Visits of any of `kinds` on distinct days, as `of`."""
        days: dict[date, set[str]] = {}
        for kind in kinds:
            for day, refs in self._on_days(kind).items():
                if most_days is None or (self.as_of - day).days <= most_days:
                    days.setdefault(day, set()).update(refs)
        return tuple(Visit(day, tuple(sorted(refs))) for day, refs in sorted(days.items()))

    def therapy(self, most_days: int | None = None) -> tuple[Visit, ...]:
        """Physical, occupational, chiropractic and acupuncture visits."""
        return self.of_any(THERAPIES, most_days)

    def _on_days(self, kind: str) -> Mapping[date, set[str]]:
        """The references of each day. A partial date counts as its last day: no span is
        overstated.
        """
        found = self._days.get(kind)
        if found is None:
            by_day: dict[date, set[str]] = {}
            for record in self.records[kind]:
                if record.when is not None and record.when.first <= self.as_of:
                    by_day.setdefault(min(record.when.last, self.as_of), set()).add(record.ref)
            found = self._days[kind] = by_day
        return found


@reasoning(
    wants=(*CHART_NEEDS, *CLAIM_NEEDS),
    codes=SETS,
)
def visits(facts: Facts, known: Known) -> Visits:
    """Finished encounters, completed procedures and lines of claims and benefits, by kind.

    Preauthorisations are requests, not visits.
    """
    sorting = known.sorting(SETS)
    records: dict[str, list[Record | Procedure]] = {kind: [] for kind in KINDS}
    for codes, procedures in facts.procedures_alike().items():
        kinds = _kinds(codes, NO_CODES, sorting)
        done = [each for each in procedures if each.status == "completed"] if kinds else ()
        for kind in kinds:
            records[kind] += done
    for codes, specialties, record in _others(facts):
        for kind in _kinds(codes, specialties, sorting):
            records[kind].append(record)
    return Visits(facts.as_of, records, _lacking(facts, CHART_NEEDS), _lacking(facts, CLAIM_NEEDS))


def _lacking(facts: Facts, needs: tuple[Need, ...]) -> tuple[Need, ...]:
    return tuple([need for need in needs if facts.lacks(need)])


def _kinds(codes: frozenset[Code], specialties: frozenset[Code], sorting: Sorting) -> set[str]:
    """The kinds of visit that these codes and specialties make."""
    found: set[str] = set()
    for name in sorting.of(codes):
        for kind in _BY_CODE.get(name, ()):
            systems = _SERVICE_SYSTEMS_OF.get(kind)
            if systems is None or name in sorting.of(
                frozenset(code for code in codes if code.system in systems)
            ):
                found.add(kind)
    for name in sorting.of(specialties) if specialties else ():
        found.update(_BY_SPECIALTY.get(name, ()))
    return found


def _others(facts: Facts) -> Iterator[tuple[frozenset[Code], frozenset[Code], Record]]:
    """What else shows visits: codes, specialties and the record."""
    for encounter in facts.encounters:
        if encounter.done:
            specialties = frozenset(code for code in encounter.specialties if code.system == "NUCC")
            codes = encounter.codes | encounter.specialties
            yield codes, specialties, Record(encounter.ref, encounter.when)
    for claim in facts.claims:
        if _attests(claim):
            # A line without its own date says nothing about when: the claim may be written weeks
            # later.
            for line in claim.lines:
                yield line.codes, NO_CODES, Record(claim.ref, line.when)


def _attests(claim: Claim) -> bool:
    return claim.use == "claim" and claim.status in ("active", "")
