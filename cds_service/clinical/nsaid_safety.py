"""What speaks against an NSAID, and whether one is taken already. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.dispensed import HANDED_OUT, dispensed
from cds_service.clinical.evidence import age
from cds_service.clinical.facts import Dispense, Facts, Need
from cds_service.clinical.medications import medications
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen
from cds_service.knowledge.drugs.model import DrugClass

_THINNERS = (DrugClass.ANTICOAGULANT, DrugClass.ANTIPLATELET_P2Y12)


class NsaidSafety(Frozen):
    """Whether an NSAID is taken, handed out or ordered, and what the chart holds against one, in
    words a card may print.
    """

    taken: bool
    against: tuple[str, ...]


@reasoning(
    wants=(Need.MEDICATIONS, Need.DISPENSES, Need.STATEMENTS, Need.CONDITIONS),
    uses=(medications, dispensed),
    numbers=("esi.pregnancy_days", "opioid.episode_without_onset"),
    codes=(
        "anticoagulant-status",
        "antiplatelet-status",
        "pregnancy",
        "severe-kidney-disease",
        "ulcer-or-gi-bleeding",
        "heart-failure",
    ),
)
def nsaid_safety(facts: Facts, known: Known) -> NsaidSafety:
    """From orders, dispenses and conditions; allergies are not read.

    A medicine handed out without its days of supply counts for as long as an episode without an
    onset. Source: fda-naproxen, warnings, interactions and use in pregnancy.
    """
    return NsaidSafety(_taken(facts, known, DrugClass.NSAID), tuple(_against(facts, known)))


def _taken(facts: Facts, known: Known, *classes: DrugClass) -> bool:
    return (
        bool(known.derived(medications).exposures(*classes, drafts=True))
        or any(d.drug is not None and d.drug.is_a(*classes) for d in known.derived(dispensed))
        or any(
            d.drug is not None and d.drug.is_a(*classes) and _of_unknown_supply(d, facts, known)
            for d in facts.dispenses
        )
    )


def _of_unknown_supply(dispense: Dispense, facts: Facts, known: Known) -> bool:
    recent = age(dispense.when, facts.as_of, known.number("opioid.episode_without_onset"))
    return dispense.status in HANDED_OUT and dispense.supply_days is None and recent is not False


def _against(facts: Facts, known: Known) -> Iterator[str]:
    def active(*names: str) -> bool:
        sets = (known.codes(name) for name in names)
        return any(c.active(facts.as_of) for c in facts.conditions_in(*sets))

    if _taken(facts, known, *_THINNERS) or active("anticoagulant-status", "antiplatelet-status"):
        yield "an anticoagulant or antiplatelet"
    window = known.number("esi.pregnancy_days")
    if any(
        c.active(facts.as_of) and age(c.when, facts.as_of, window) is not False
        for c in facts.conditions_in(known.codes("pregnancy"))
    ):
        yield "pregnancy"
    if active("severe-kidney-disease"):
        yield "severe kidney disease"
    # Healed or not: who bled or had an ulcer bleeds ten times as often.
    if any(c.ever(facts.as_of) for c in facts.conditions_in(known.codes("ulcer-or-gi-bleeding"))):
        yield "an ulcer or gastrointestinal bleeding"
    if active("heart-failure"):
        yield "heart failure"
