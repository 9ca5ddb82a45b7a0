"""Whether a patient has naloxone or nalmefene for an overdose at home. Pure."""

from __future__ import annotations

from cds_service.clinical.dates import within
from cds_service.clinical.dispensed import HANDED_OUT
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.medications import medications
from cds_service.clinical.opioid_orders import rescue_antagonists
from cds_service.clinical.rule import Known, reasoning
from cds_service.knowledge.drugs.model import DrugClass


@reasoning(
    wants=(Need.MEDICATIONS, Need.STATEMENTS, Need.DISPENSES),
    uses=(medications,),
    numbers=("opioid.naloxone_on_file",),
)
def naloxone_on_file(facts: Facts, known: Known) -> bool:
    """Naloxone or nalmefene drafted, ordered for use at home, dispensed or stated inside the
    window.

    Products that combine naloxone with an opioid are no rescue naloxone. Source:
    fda-naloxone-2020.
    """
    window = known.number("opioid.naloxone_on_file").days
    ordered = any(
        o.meant
        and not o.inpatient
        and (
            o.draft
            or (
                o.status in ("active", "completed")
                and within(o.when, facts.as_of, window) is not False
            )
        )
        for o in rescue_antagonists(facts)
    )
    dispensed = any(
        d.drug is not None
        and d.drug.is_a(DrugClass.RESCUE_ANTAGONIST)
        and d.status in HANDED_OUT
        and within(d.when, facts.as_of, window) is not False
        for d in facts.dispenses
    )
    current = known.derived(medications).exposures(DrugClass.RESCUE_ANTAGONIST)
    return ordered or dispensed or any(not each.inpatient for each in current)
