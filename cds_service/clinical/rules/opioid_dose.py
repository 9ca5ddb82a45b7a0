"""Daily opioid dose at or above the caution threshold."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from cds_service.clinical.criteria import MET, UNKNOWN, WARNING, Criterion, OrderChange
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Facts, Need, Order
from cds_service.clinical.mme import DailyMme, daily_mme
from cds_service.clinical.opioid_orders import opioid_drafted, opioid_orders
from cds_service.clinical.rule import Known, declared, rule
from cds_service.knowledge.numbers import Number


@rule(
    hooks=("order-select", "order-sign"),
    applies=opioid_drafted,
    needs=(Need.PATIENT,),
    wants=(Need.MEDICATIONS, Need.CONDITIONS),
    uses=(daily_mme, exclusions, opioid_orders),
    numbers=("opioid.dose_caution",),
    criteria=(
        declared("opioid-dose-threshold", worst=WARNING, words=("mme", "threshold", "lower")),
    ),
)
def opioid_dose(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Tells the prescriber when opioids, with this order, would total the caution dose or more.

    For adults outside cancer treatment, sickle cell disease and end-of-life care. An order whose
    dose cannot be read makes the total a lower bound; a bound that reaches the threshold meets it,
    one below leaves it unknown.

    Source: cdc-2022, recommendations 4 and 5; cigna-lbp-guide gives no dose for this step.
    """
    if known.derived(exclusions).care:
        return
    mme, limit = known.derived(daily_mme), known.number("opioid.dose_caution")
    words = {
        "mme": mme,
        "threshold": limit,
        "lower": _lower(known.derived(opioid_orders).pain, mme, limit),
    }
    if limit.met_by(mme.per_day):
        yield Criterion("opioid-dose-threshold", MET, WARNING, words, mme.references)
    elif facts.lacks(Need.MEDICATIONS):
        yield Criterion(
            "opioid-dose-threshold", UNKNOWN, WARNING, words, mme.references, (Need.MEDICATIONS,)
        )
    elif mme.is_lower_bound:
        yield Criterion("opioid-dose-threshold", UNKNOWN, WARNING, words, mme.references)


def _lower(drafts: tuple[Order, ...], mme: DailyMme, limit: Number) -> OrderChange | None:
    """One dose less often: the smallest whole frequency a day that leaves the total under the
    threshold.

    Only for a single counted draft of one instruction that says so many times a day; else no button
    is offered.
    """
    counted = {
        order.ref: order for order in mme.orders if order.draft and order.counted and order.per_day
    }
    if len(drafts) != 1 or len(counted) != 1 or drafts[0].ref not in counted:
        return None
    steps = drafts[0].sig.steps
    if drafts[0].sig.basis != "structured" or len(steps) != 1 or len(steps[0]) != 1:
        return None
    if drafts[0].sig.partly:
        return None
    dose, now = steps[0][0], counted[drafts[0].ref].per_day
    if dose.per_day.denominator != 1 or dose.cap is not None or dose.unit == "mcg/h" or not now:
        return None
    others = mme.per_day - now
    for times in range(int(dose.per_day) - 1, 0, -1):
        if not limit.met_by(others + now * Fraction(times) / dose.per_day):
            repeat = {"frequency": times, "period": 1, "periodUnit": "d"}
            path = "dosageInstruction.0"
            return OrderChange(
                drafts[0].ref, {f"{path}.timing": {"repeat": repeat}, f"{path}.text": None}
            )
    return None
