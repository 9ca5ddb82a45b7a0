"""Naloxone for a patient at higher risk of opioid overdose."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.criteria import INFO, MET, UNKNOWN, Criterion
from cds_service.clinical.dispensed import dispensed
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Condition, Facts, Need
from cds_service.clinical.medications import medications
from cds_service.clinical.mme import daily_mme
from cds_service.clinical.naloxone import naloxone_on_file
from cds_service.clinical.opioid_orders import opioid_drafted, opioid_orders
from cds_service.clinical.rule import Known, declared, rule
from cds_service.knowledge.drugs.model import DrugClass

MISUSE = (
    "conditions-documenting-substance-misuse",
    "substance-use-disorder",
    "opioid-use-disorder",
    "opioid-misuse-disorders",
)
OVERDOSE = ("opioid-overdose-history", "opioid-poisoning")


@rule(
    hooks=("order-select", "order-sign"),
    applies=opioid_drafted,
    needs=(Need.PATIENT,),
    wants=(Need.MEDICATIONS, Need.STATEMENTS, Need.DISPENSES, Need.CONDITIONS),
    uses=(opioid_orders, exclusions, daily_mme, medications, dispensed, naloxone_on_file),
    numbers=("opioid.dose_caution",),
    codes=(
        *MISUSE,
        *OVERDOSE,
        "conditions-documenting-sleep-disordered-breathing",
        "tobacco-use",
    ),
    criteria=(declared("naloxone-offer", worst=INFO, words=("factors", "mme")),),
)
def naloxone_offer(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Offers naloxone when an opioid is ordered for a patient with a risk factor and none is on
    file.

    Factors: the caution dose or more, a benzodiazepine, a substance use disorder or misuse at any
    time, a past overdose, sleep-disordered breathing; the last only when the order is signed. What
    is given on a ward is not taken at home. Products that combine naloxone with an opioid are no
    rescue naloxone.

    Source: cdc-2022, recommendation 8; fda-naloxone-2020.
    """
    if known.derived(exclusions).shared(facts.hook) or known.derived(naloxone_on_file):
        return
    factors = tuple(_factors(facts, known))
    missing = tuple(n for n in (Need.MEDICATIONS, Need.CONDITIONS) if facts.lacks(n))
    drafts = known.derived(opioid_orders).references
    words = {"factors": tuple(reason for reason, _ in factors), "mme": known.derived(daily_mme)}
    if factors and not facts.lacks(Need.MEDICATIONS):
        refs = tuple(dict.fromkeys((*drafts, *(ref for _, found in factors for ref in found))))
        yield Criterion("naloxone-offer", MET, INFO, words, refs)
    elif missing:
        yield Criterion("naloxone-offer", UNKNOWN, INFO, words, (), missing)


def _factors(facts: Facts, known: Known) -> Iterator[tuple[str, tuple[str, ...]]]:
    mme, limit = known.derived(daily_mme), known.number("opioid.dose_caution")
    if limit.met_by(mme.per_day):
        yield f"{limit} MME/day or more", mme.references
    sedatives = known.derived(medications).exposures(DrugClass.BENZODIAZEPINE, drafts=True)
    refs = [s.ref for s in sedatives if not s.inpatient]
    refs += [
        d.ref
        for d in known.derived(dispensed)
        if d.drug is not None and d.drug.is_a(DrugClass.BENZODIAZEPINE)
    ]
    if refs:
        yield "a benzodiazepine", tuple(refs)
    breathing = facts.conditions_in(
        known.codes("conditions-documenting-sleep-disordered-breathing")
    )
    overdose = facts.conditions_in(*(known.codes(name) for name in OVERDOSE))
    substances = facts.conditions_in(*(known.codes(name) for name in MISUSE))
    misuse = tuple(c.ref for c in substances if c.ever(facts.as_of) and _misuse(c, known))
    if misuse:
        yield "substance use disorder or misuse", misuse
    past = tuple(c.ref for c in overdose if c.ever(facts.as_of))
    if past:
        yield "a past overdose", past
    asleep = tuple(c.ref for c in breathing if c.active(facts.as_of))
    # The guideline's own factor: its recommendation is about the order that is signed.
    if asleep and facts.hook == "order-sign" and not known.derived(exclusions).guideline:
        yield "sleep-disordered breathing", asleep


def _misuse(condition: Condition, known: Known) -> bool:
    """Any substance but tobacco; an overdose is told as one."""
    other = tuple(known.codes(name) for name in ("tobacco-use", *OVERDOSE))
    sets = tuple(known.codes(name) for name in MISUSE)
    return any(
        any(code in s for s in sets) and not any(code in s for s in other)
        for code in condition.codes
    )
