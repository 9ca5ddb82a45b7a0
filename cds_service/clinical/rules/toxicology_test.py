"""A urine drug test is due, or one came back unexpected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cds_service.clinical.criteria import INFO, MET, UNKNOWN, WARNING, Criterion
from cds_service.clinical.dates import months_before
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Facts, Need, Order
from cds_service.clinical.medications import medications
from cds_service.clinical.opioid_orders import (
    opioid_orders,
    outpatient_opioid,
    requested,
    supply_reaches,
)
from cds_service.clinical.rule import Known, declared, rule
from cds_service.clinical.toxicology import unexpected_results


def _applies(facts: Facts, known: Known) -> bool | None:
    """An opioid is being signed; on patient-view the chart decides."""
    return True if facts.hook == "patient-view" else bool(known.derived(opioid_orders).all)


@rule(
    hooks=("patient-view", "order-sign"),
    applies=_applies,
    needs=(Need.PATIENT,),
    wants=(Need.MEDICATIONS, Need.OBSERVATIONS, Need.CONDITIONS, Need.SERVICE_REQUESTS),
    uses=(opioid_orders, exclusions, medications, unexpected_results),
    numbers=("opioid.chronic_supply", "opioid.toxicology_window", "opioid.toxicology_requested"),
    codes=(
        "all-urine-drug-screening-tests",
        "xylazine-urine-drug-screening-tests",
        "toxicology-test-order",
    ),
    criteria=(
        declared("toxicology-test-due", worst=INFO, words=("window", "test_missing")),
        declared("toxicology-result-unexpected", worst=WARNING, words=("results", "test_missing")),
    ),
)
def toxicology_test(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Notes that no urine drug test is on file for a year, and shows results that do not fit the
    prescriptions.

    Asked for opioid treatment of four weeks or more. An open request for a test keeps the first
    part quiet. Results are discussed, never a reason to dismiss the patient. Data that could not be
    read leaves both unknown.

    Source: cdc-2022, recommendation 10.
    """
    excluded = known.derived(exclusions)
    if excluded.guideline:
        return
    orders = _long_treatment(facts, known)
    refs = tuple(o.ref for o in orders)
    chart = (Need.OBSERVATIONS, Need.CONDITIONS, Need.MEDICATIONS)
    missing = tuple(need for need in chart if facts.lacks(need))
    if not orders and not (facts.hook == "patient-view" and facts.lacks(Need.MEDICATIONS)):
        return
    asked = _requested(facts, known)
    if not _tested(facts, known) and not asked:
        words = {"window": known.number("opioid.toxicology_window"), "test_missing": True}
        lacking = tuple(need for need in missing if need is not Need.MEDICATIONS or not orders)
        status = UNKNOWN if lacking else MET
        yield Criterion(
            "toxicology-test-due", status, INFO, words, () if lacking else refs, lacking
        )
    results = known.derived(unexpected_results)
    if results and not facts.lacks(Need.MEDICATIONS):
        found = tuple(dict.fromkeys((*(r.ref for r in results), *refs)))
        said = {"results": results, "test_missing": not asked}
        yield Criterion("toxicology-result-unexpected", MET, WARNING, said, found)
    elif missing:
        yield Criterion(
            "toxicology-result-unexpected", UNKNOWN, WARNING, {"results": results}, (), missing
        )


def _long_treatment(facts: Facts, known: Known) -> tuple[Order, ...]:
    """The opioids of four weeks or more: those ordered now, on patient-view those running."""
    limit = known.number("opioid.chronic_supply")
    if facts.hook == "patient-view":
        taken = known.derived(medications).active
    else:
        taken = known.derived(opioid_orders).all
    return tuple(o for o in taken if outpatient_opioid(o) and supply_reaches(o, limit))


def _tested(facts: Facts, known: Known) -> bool:
    """Any urine drug test in the window, whatever it looked for."""
    since = months_before(facts.as_of, known.number("opioid.toxicology_window").days) - timedelta(
        days=1
    )
    tests = (
        known.codes("all-urine-drug-screening-tests"),
        known.codes("xylazine-urine-drug-screening-tests"),
    )
    return any(
        o.status not in ("unknown", "entered-in-error", "cancelled")
        and o.when is not None
        and since <= o.when.last
        and o.when.first <= facts.as_of
        for o in facts.results_in(*tests)
    )


def _requested(facts: Facts, known: Known) -> bool:
    """A test is being ordered or was ordered lately."""
    tests = (known.codes("toxicology-test-order"), known.codes("all-urine-drug-screening-tests"))
    return requested(facts, tests, known.number("opioid.toxicology_requested"))
