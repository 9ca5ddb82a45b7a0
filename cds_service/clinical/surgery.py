"""Recent spine surgery. Pure."""

from __future__ import annotations

from cds_service.clinical.evidence import Evidence, Sign, age, day_of, sign
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen
from cds_service.knowledge.numbers import Number


class Surgery(Frozen):
    """`recent`: in the weeks when the surgeon is called first, `days` ago; `infectious`:
    infection risk.
    """

    recent: Sign
    infectious: Sign
    days: int | None = None


@reasoning(
    wants=(Need.PROCEDURES,),
    numbers=("red-flags.surgery_days", "red-flags.spine_procedure_days"),
    codes=("spine-surgery-procedure",),
)
def surgery(facts: Facts, known: Known) -> Surgery:
    """Completed lumbar spine surgery; `days` is counted from the latest operation."""
    recent = _within(facts, known, known.number("red-flags.surgery_days"))
    ages = (
        [(facts.as_of - day_of(e.when, facts.as_of)).days for e in recent.evidence]
        if recent.met
        else []
    )
    infectious = _within(facts, known, known.number("red-flags.spine_procedure_days"))
    return Surgery(recent, infectious, min(ages, default=None))


def _within(facts: Facts, known: Known, window: Number) -> Sign:
    codes = known.codes("spine-surgery-procedure")
    found: list[Evidence] = []
    unsure: list[Evidence] = []
    for procedure in facts.procedures_in(codes):
        if not procedure.done:
            continue
        inside = age(procedure.when, facts.as_of, window)
        if inside is not False:
            (found if inside else unsure).append(
                Evidence(procedure.ref, procedure.text or "Spine surgery", procedure.when)
            )
    return sign(found, facts, Need.PROCEDURES, unsure=unsure)
