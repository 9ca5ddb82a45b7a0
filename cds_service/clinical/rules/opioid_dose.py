"""Daily opioid dose at or above the caution threshold."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from cds_service.clinical.criteria import MET, UNKNOWN, WARNING, Criterion, OrderChange
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Facts, Need, Order
from cds_service.clinical.mme import DailyMme, daily_mme
from cds_service.clinical.naloxone import naloxone_on_file
from cds_service.clinical.opioid_orders import long_acting, opioid_drafted, opioid_orders
from cds_service.clinical.rule import Known, declared, rule
from cds_service.knowledge.numbers import Number


@rule(
    hooks=("order-select", "order-sign"),
    applies=opioid_drafted,
    needs=(Need.PATIENT,),
    wants=(Need.MEDICATIONS, Need.CONDITIONS),
    uses=(daily_mme, exclusions, naloxone_on_file, opioid_orders),
    numbers=("opioid.dose_caution",),
    criteria=(
        declared(
            "opioid-dose-threshold",
            worst=WARNING,
            words=("mme", "threshold", "lower", "naloxone_missing"),
        ),
    ),
)
def opioid_dose(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Tells the prescriber when opioids, with this order, would total the caution dose or more.

    For adults outside cancer treatment, sickle cell disease and end-of-life care. An order whose
    dose cannot be read makes the total a lower bound; a bound that reaches the threshold meets it,
    one below leaves it unknown.

    Source: cdc-2022, recommendations 4 and 5; cigna-lbp-guide gives no dose for this step.
    """
    if known.derived(exclusions).shared(facts.hook):
        return
    mme, limit = known.derived(daily_mme), known.number("opioid.dose_caution")
    words: dict[str, Any] = {"mme": mme, "threshold": limit}
    if limit.met_by(mme.per_day):
        words["lower"] = _lower(known.derived(opioid_orders).pain, mme, limit)
        words["naloxone_missing"] = not known.derived(naloxone_on_file)
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

    Only for a single counted draft of one instruction that says so many times a day, and not of a
    product that is made to last until the next dose; else no button is offered.
    """
    counted = {
        order.ref: order for order in mme.orders if order.draft and order.counted and order.per_day
    }
    if len(drafts) != 1 or len(counted) != 1 or drafts[0].ref not in counted:
        return None
    steps = drafts[0].sig.steps
    if drafts[0].sig.basis != "structured" or len(steps) != 1 or len(steps[0]) != 1:
        return None
    if drafts[0].sig.partly or long_acting(drafts[0]):
        return None
    dose, now = steps[0][0], counted[drafts[0].ref].per_day
    if dose.per_day.denominator != 1 or dose.cap is not None or dose.unit == "mcg/h" or not now:
        return None
    others = mme.per_day - now
    for times in range(int(dose.per_day) - 1, 0, -1):
        if not limit.met_by(others + now * Fraction(times) / dose.per_day):
            less = _less(drafts[0], Fraction(times) / dose.per_day)
            return OrderChange(drafts[0].ref, {**_times_a_day(times), **less})
    return None


def _less(order: Order, share: Fraction) -> dict[str, Any]:
    """The quantity cut in proportion to whole units, so that fewer doses a day do not make a longer
    supply of it.
    """
    amount = 0 if order.quantity is None else int(Fraction(order.quantity.value) * share)
    return {"dispenseRequest.quantity.value": amount} if amount else {}


def _times_a_day(times: int) -> dict[str, Any]:
    """So many doses a day in place of how often the instruction said, in all its members; how long
    it is followed stays.
    """
    gone = ("timing.code", "timing.event", "text", "patientInstruction")
    rhythm = ("frequencyMax", "periodMax", "timeOfDay", "when", "offset")
    changes = {"frequency": times, "period": 1, "periodUnit": "d", **dict.fromkeys(rhythm)}
    return {
        **{f"dosageInstruction.0.timing.repeat.{name}": new for name, new in changes.items()},
        **{f"dosageInstruction.0.{name}": None for name in gone},
    }
