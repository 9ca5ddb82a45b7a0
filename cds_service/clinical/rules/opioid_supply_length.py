"""More days of an opioid than acute pain usually needs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from cds_service.clinical.criteria import INFO, MET, UNKNOWN, Criterion, OrderChange
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Facts, Need, Order
from cds_service.clinical.medications import label_of
from cds_service.clinical.opioid_orders import opioid_drafted, opioid_orders
from cds_service.clinical.rule import Known, declared, rule
from cds_service.knowledge.numbers import Number


@rule(
    hooks=("order-sign",),
    applies=opioid_drafted,
    needs=(Need.PATIENT,),
    wants=(Need.CONDITIONS,),
    uses=(opioid_orders, exclusions),
    numbers=("opioid.acute_supply", "opioid.chronic_supply"),
    criteria=(
        declared(
            "supply-longer-than-acute-need",
            worst=INFO,
            words=("supply", "limit", "label", "shorter"),
        ),
    ),
)
def opioid_supply_length(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Notes an acute opioid supply longer than the usual need, and offers a shorter one.

    One fill counts, refills do not. A supply of unknown length leaves it unknown.

    Source: cdc-2022, recommendation 6; the number of days is the reference implementation's.
    """
    excluded = known.derived(exclusions)
    if excluded.guideline:
        return
    acute, chronic = known.number("opioid.acute_supply"), known.number("opioid.chronic_supply")
    for order in known.derived(opioid_orders).pain:
        words: dict[str, Any] = {
            "supply": order.supply,
            "limit": acute,
            "label": label_of(order),
            "shorter": None,
        }
        if order.supply is None:
            yield Criterion("supply-longer-than-acute-need", UNKNOWN, INFO, words, (order.ref,))
        elif acute.met_by(order.supply) and not chronic.met_by(order.supply):
            words["shorter"] = _shorter(order, order.supply, acute)
            status = UNKNOWN if excluded.unknown else MET
            yield Criterion(
                "supply-longer-than-acute-need", status, INFO, words, (order.ref,), excluded.unknown
            )


def _shorter(order: Order, supply: Fraction, limit: Number) -> OrderChange | None:
    """The same order for as many days as the limit, the quantity cut in proportion to whole
    units, without refills.

    Not where the instruction gives its length in words, which would go on saying it.
    """
    followed = order.sig.bounds_days
    if order.sig.basis == "text" and followed is not None:
        return None
    changes: dict[str, Any] = {
        "dispenseRequest.expectedSupplyDuration": {
            "value": limit.days,
            "unit": "days",
            "system": "http://unitsofmeasure.org",
            "code": "d",
        }
    }
    if followed is not None and limit.met_by(followed):
        changes["followed"] = limit.days
    if order.refills:
        changes["dispenseRequest.numberOfRepeatsAllowed"] = 0
    if order.quantity is not None:
        amount = Fraction(order.quantity.value) * limit.days / supply
        if amount < 1:
            return None
        changes["dispenseRequest.quantity.value"] = int(amount)
    return OrderChange(order.ref, changes)
