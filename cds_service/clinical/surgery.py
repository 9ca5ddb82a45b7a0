"""Recent spine surgery. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.clinical.evidence import Evidence, Sign, age, name, sign
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.rule import Known, reasoning
from cds_service.knowledge.numbers import Number


@dataclass(frozen=True, slots=True)
class Surgery:
    """`recent`: within the weeks after which the surgeon sees the patient first; `quarter`: within the infection window."""

    recent: Sign
    quarter: Sign

    @property
    def days(self) -> str:
        """Nothing."""
        return ""


@reasoning(
    wants=(Need.PROCEDURES,),
    numbers=("red-flags.surgery_days", "red-flags.spine_surgery_infection_days"),
    codes=("spine-surgery-procedure",),
)
def surgery(facts: Facts, known: Known) -> Surgery:
    """Completed lumbar spine surgery by date."""
    return Surgery(
        _within(facts, known, known.number("red-flags.surgery_days")),
        _within(facts, known, known.number("red-flags.spine_surgery_infection_days")),
    )


def _within(facts: Facts, known: Known, window: Number) -> Sign:
    found: list[Evidence] = []
    unsure: list[Evidence] = []
    for evidence in _operations(facts, known):
        inside = age(evidence.when, facts.as_of, window)
        if inside is not False:
            (found if inside else unsure).append(evidence)
    return sign(found, facts, Need.PROCEDURES, unsure=unsure)


def _operations(facts: Facts, known: Known) -> Iterator[Evidence]:
    codes = known.codes("spine-surgery-procedure")
    for procedure in facts.procedures:
        if procedure.done and codes.any_of(procedure.codes):
            yield Evidence(procedure.ref, name(procedure), procedure.when)
