"""The prescription drug monitoring programme has not been checked."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.criteria import INFO, MET, UNKNOWN, Criterion
from cds_service.clinical.dates import within
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Facts, Need, Observation
from cds_service.clinical.opioid_orders import (
    opioid_drafted,
    opioid_orders,
    requested,
    supply_reaches,
)
from cds_service.clinical.rule import Known, declared, rule


@rule(
    hooks=("order-sign",),
    applies=opioid_drafted,
    needs=(Need.PATIENT,),
    wants=(Need.PROCEDURES, Need.OBSERVATIONS, Need.CONDITIONS, Need.SERVICE_REQUESTS),
    uses=(opioid_orders, exclusions),
    numbers=("opioid.chronic_supply", "opioid.pdmp_window"),
    codes=("pdmp-review-procedure", "pdmp-data-reviewed-finding", "answer-no"),
    criteria=(declared("pdmp-review-due", worst=INFO, words=("window",)),),
)
def pdmp_review(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Notes that no check of the prescription drug monitoring programme is on file for the window.

    Asked for opioid orders of four weeks or more. Either code counts as a procedure or as an
    observation, unless it says no; an open request for a check keeps it quiet. Procedures or
    observations that could not be read leave it unknown.

    Source: cdc-2022, recommendation 9.
    """
    excluded, window = known.derived(exclusions), known.number("opioid.pdmp_window")
    limit = known.number("opioid.chronic_supply")
    drafts = tuple(o.ref for o in known.derived(opioid_orders).all if supply_reaches(o, limit))
    if excluded.guideline or not drafts:
        return
    reviews = (known.codes("pdmp-review-procedure"), known.codes("pdmp-data-reviewed-finding"))
    done = (
        *(p for p in facts.procedures_in(*reviews) if p.done),
        *(o for o in facts.observations_in(*reviews) if o.counts and not _denied(o, known)),
    )
    if any(within(f.when, facts.as_of, window.days) for f in done):
        return
    if requested(facts, reviews, window):
        return
    needs = (Need.PROCEDURES, Need.OBSERVATIONS, Need.CONDITIONS)
    missing = tuple(need for need in needs if facts.lacks(need))
    status = UNKNOWN if missing else MET
    yield Criterion(
        "pdmp-review-due", status, INFO, {"window": window}, () if missing else drafts, missing
    )


def _denied(review: Observation, known: Known) -> bool:
    """Whether it says that nobody has checked."""
    return review.value_flag is False or known.codes("answer-no").any_of(review.value_codes)
