"""Four weeks of conservative care before an injection: therapy visits and medicines for pain. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.clinical.dates import on
from cds_service.clinical.dispensed import HANDED_OUT
from cds_service.clinical.evidence import Evidence, age, name, ordered
from cds_service.clinical.facts import Dispense, Facts, Need, Order, Statement
from cds_service.clinical.rule import Known, reasoning
from cds_service.clinical.treatment import GIVEN
from cds_service.clinical.visits import visits
from cds_service.knowledge.drugs.model import DrugClass

VISITS = ("pt", "ot", "chiropractic")
DRUGS = (DrugClass.NSAID, DrugClass.MUSCLE_RELAXANT, DrugClass.OTHER_NONOPIOID)


@reasoning(
    wants=(Need.MEDICATIONS, Need.DISPENSES, Need.STATEMENTS),
    uses=(visits,),
    numbers=("esi.care_from_days", "esi.care_to_days"),
)
def conservative_care(facts: Facts, known: Known) -> tuple[Evidence, ...]:
    """Visits and orders long enough ago to show four weeks of care and not too long; where there are
    none, what was handed out or is said to be taken.

    Source: cms-lcd-esi.
    """
    orders = (o for o in facts.orders if not o.draft and o.meant and o.status in GIVEN)
    arranged = ordered((*_attended(facts, known), *_eased(orders, facts, known)))
    if arranged:
        return arranged
    taken: tuple[Dispense | Statement, ...] = (
        *(d for d in facts.dispenses if d.status in HANDED_OUT),
        *(s for s in facts.statements if s.status in GIVEN),
    )
    return ordered(_eased(taken, facts, known))


def _attended(facts: Facts, known: Known) -> Iterator[Evidence]:
    since, until = known.number("esi.care_from_days"), known.number("esi.care_to_days")
    for visit in known.derived(visits).of_any(VISITS, until.days):
        if since.met_by((facts.as_of - visit.day).days):
            yield from (Evidence(ref, "therapy visit", on(visit.day)) for ref in visit.refs)


def _eased(
    given: Iterable[Order | Dispense | Statement], facts: Facts, known: Known
) -> Iterator[Evidence]:
    since, until = known.number("esi.care_from_days"), known.number("esi.care_to_days")
    for each in given:
        eases = each.drug is not None and each.drug.is_a(*DRUGS)
        if eases and age(each.when, facts.as_of, since, until):
            yield Evidence(each.ref, name(each), each.when)
