"""A long-acting opioid as the first opioid."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.criteria import MET, UNKNOWN, WARNING, Criterion
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.medications import label_of
from cds_service.clinical.opioid_orders import (
    long_acting,
    opioid_drafted,
    opioid_orders,
    recent_exposure,
    supply_reaches,
)
from cds_service.clinical.rule import Known, declared, rule


@rule(
    hooks=("order-sign",),
    applies=opioid_drafted,
    needs=(Need.PATIENT,),
    wants=(Need.MEDICATIONS, Need.DISPENSES, Need.STATEMENTS, Need.CONDITIONS),
    uses=(opioid_orders, exclusions, recent_exposure),
    numbers=("opioid.chronic_supply", "opioid.naive_window"),
    criteria=(
        declared("long-acting-start", worst=WARNING, words=("label", "supply", "naive_days")),
    ),
)
def opioid_long_acting_start(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Warns when an extended-release or long-acting opioid starts opioid treatment.

    Silent when an opioid was taken in the window, and for products labelled for opioid use disorder
    only. A medication or problem list that could not be read leaves it unknown, as does a supply
    whose length is not known.

    Source: cdc-2022, recommendation 3.
    """
    excluded, exposure = known.derived(exclusions), known.derived(recent_exposure)
    if excluded.guideline or exposure.exposed:
        return
    limit = known.number("opioid.chronic_supply")
    for order in known.derived(opioid_orders).pain:
        if not long_acting(order):
            continue
        longer = supply_reaches(order, limit)
        if longer is False:
            continue
        words = {
            "label": label_of(order),
            "supply": order.supply,
            "naive_days": known.number("opioid.naive_window"),
        }
        missing = (*exposure.missing, *excluded.unknown)
        certain = exposure.naive and longer is not None and not missing
        status = MET if certain else UNKNOWN
        yield Criterion("long-acting-start", status, WARNING, words, (order.ref,), missing)
