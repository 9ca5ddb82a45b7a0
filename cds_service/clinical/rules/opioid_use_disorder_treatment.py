"""Opioid use disorder on record and no medication for it."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.criteria import MET, UNKNOWN, WARNING, Criterion
from cds_service.clinical.dates import within
from cds_service.clinical.dispensed import HANDED_OUT
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.medications import medications
from cds_service.clinical.naloxone import naloxone_on_file
from cds_service.clinical.opioid_orders import requested
from cds_service.clinical.rule import Known, declared, rule
from cds_service.knowledge.drugs.model import Drug, Route

TREATING = frozenset({"buprenorphine", "methadone"})


@rule(
    hooks=("patient-view",),
    needs=(Need.PATIENT, Need.CONDITIONS),
    wants=(Need.MEDICATIONS, Need.STATEMENTS, Need.DISPENSES, Need.SERVICE_REQUESTS),
    uses=(medications, naloxone_on_file),
    numbers=("opioid.adult_age", "opioid.oud_recorded_window", "opioid.oud_treatment_window"),
    codes=(
        "opioid-misuse-disorders",
        "opioid-use-disorder",
        "opioid-use-disorder-remission",
        "sud-treatment-referral",
    ),
    criteria=(
        declared(
            "opioid-use-disorder-untreated",
            worst=WARNING,
            words=("since", "window", "referral_missing", "naloxone_missing"),
        ),
    ),
)
def opioid_use_disorder_treatment(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Offers medication treatment when opioid use disorder was recorded lately and none is on file.

    Adults only; remission does not count. Buprenorphine, methadone or extended-release naltrexone
    that is current, stated, or was ordered or dispensed in the window counts as treatment. An open
    referral leaves the card and takes its button away. A medication list that could not be read
    leaves it unknown.

    Source: cdc-2022, recommendation 12.
    """
    if facts.age is not None and known.number("opioid.adult_age").met_by(facts.age):
        return
    window = known.number("opioid.oud_recorded_window")
    sets = (known.codes("opioid-misuse-disorders"), known.codes("opioid-use-disorder"))
    remission = known.codes("opioid-use-disorder-remission")
    found = (c for c in facts.conditions_in(*sets) if not remission.any_of(c.codes))
    disorders = tuple(c for c in found if c.active(facts.as_of))
    recent = tuple(
        c for c in disorders if within(c.recorded or c.onset, facts.as_of, window.days) is not False
    )
    if not recent or _treated(facts, known):
        return
    referred = requested(
        facts,
        (known.codes("sud-treatment-referral"),),
        known.number("opioid.oud_treatment_window"),
    )
    words = {
        "since": recent[0].when,
        "window": window,
        "referral_missing": not referred,
        "naloxone_missing": not known.derived(naloxone_on_file),
    }
    missing = (Need.MEDICATIONS,) if facts.lacks(Need.MEDICATIONS) else ()
    refs = () if missing else tuple(c.ref for c in recent)
    yield Criterion(
        "opioid-use-disorder-untreated", UNKNOWN if missing else MET, WARNING, words, refs, missing
    )


def _treats(drug: Drug | None) -> bool:
    """Buprenorphine or methadone in any product, or naltrexone by itself unless it is swallowed."""
    if drug is None:
        return False
    names = {c.ingredient for c in drug.components}
    return bool(names & TREATING) or (names == {"naltrexone"} and drug.route is not Route.ORAL)


def _treated(facts: Facts, known: Known) -> bool:
    window = known.number("opioid.oud_treatment_window").days
    taken = known.derived(medications)
    if any(_treats(order.drug) for order in taken.active):
        return True
    if any(_treats(s.drug) and s.status in ("active", "intended") for s in facts.statements):
        return True
    ordered = any(
        _treats(o.drug)
        and not o.draft
        and o.meant
        and o.status in ("active", "completed")
        and within(o.when, facts.as_of, window) is not False
        for o in facts.orders
    )
    return ordered or any(
        _treats(d.drug) and d.status in HANDED_OUT and within(d.when, facts.as_of, window)
        for d in facts.dispenses
    )
