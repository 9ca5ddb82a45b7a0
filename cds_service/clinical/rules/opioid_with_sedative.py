"""Opioids together with a benzodiazepine or another central nervous system depressant."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.criteria import MET, UNKNOWN, WARNING, Criterion
from cds_service.clinical.dispensed import dispensed, handed_out
from cds_service.clinical.exclusions import exclusions
from cds_service.clinical.facts import Facts, Need, Order, Statement
from cds_service.clinical.medications import Exposure, label_of, medications
from cds_service.clinical.naloxone import naloxone_on_file
from cds_service.clinical.oud_treatment import oud_treatment
from cds_service.clinical.rule import Known, declared, rule
from cds_service.knowledge.drugs.model import OPIOID_INGREDIENTS, DrugClass

SEDATIVES = (
    DrugClass.BENZODIAZEPINE,
    DrugClass.GABAPENTINOID,
    DrugClass.MUSCLE_RELAXANT,
    DrugClass.Z_DRUG,
    DrugClass.BARBITURATE,
    DrugClass.OTHER_CNS_DEPRESSANT,
)


def _applies(facts: Facts, known: Known) -> bool | None:
    """On the order hooks only when one of the two is being ordered."""
    if facts.hook == "patient-view":
        return True
    drafts = known.derived(medications).drafts
    return any(not o.inpatient and (o.opioid or o.is_a(*SEDATIVES)) for o in drafts)


@rule(
    hooks=("patient-view", "order-select", "order-sign"),
    applies=_applies,
    needs=(Need.PATIENT,),
    wants=(Need.MEDICATIONS, Need.STATEMENTS, Need.DISPENSES, Need.CONDITIONS),
    uses=(medications, dispensed, oud_treatment, exclusions, naloxone_on_file),
    criteria=(
        declared(
            "opioid-with-sedative",
            worst=WARNING,
            words=(
                "opioids",
                "sedatives",
                "opioid_names",
                "sedative_names",
                "oud",
                "all_oud",
                "any_for_pain",
                "naloxone_missing",
            ),
        ),
    ),
)
def opioid_with_sedative(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Warns when an opioid and a sedating drug are taken or ordered together, two new orders
    included.

    Benzodiazepines, gabapentinoids, muscle relaxants, Z-drugs, barbiturates and other depressants
    count, also where they were only dispensed. Treatment of opioid use disorder is named as such:
    it is not to be withheld because of a sedative. Where only the guideline's reading of cancer
    treatment silences it, an opioid ordered beside a benzodiazepine still warns. When the medication
    list cannot be read, a draft alone leaves the question unknown.

    Source: cdc-2022, recommendation 11.
    """
    excluded, on_order = known.derived(exclusions), facts.hook != "patient-view"
    if excluded.guideline and excluded.care:
        return
    opioids, sedatives = _together(facts, known)
    if excluded.guideline:
        # The referral guide's rule alone: an opioid is ordered beside a benzodiazepine.
        sedatives = tuple(s for s in sedatives if s.drug and s.drug.is_a(DrugClass.BENZODIAZEPINE))
        if not any(opioid.draft for opioid in opioids):
            return
    both = (*opioids, *sedatives)
    new = any(exposure.draft for exposure in both)
    if opioids and sedatives and (new or not on_order):
        treating = _treating(opioids, facts, known)
        words = {
            "opioids": _labels(opioids),
            "sedatives": _labels(sedatives),
            "opioid_names": _names(opioids, opioid=True),
            "sedative_names": _names(sedatives, opioid=False),
            "oud": bool(treating),
            "all_oud": len(treating) == len(opioids),
            "any_for_pain": len(treating) < len(opioids),
            "naloxone_missing": not known.derived(naloxone_on_file),
        }
        refs = tuple(dict.fromkeys(exposure.ref for exposure in both))
        yield Criterion("opioid-with-sedative", MET, WARNING, words, refs)
    elif facts.lacks(Need.MEDICATIONS):
        yield Criterion("opioid-with-sedative", UNKNOWN, WARNING, missing=(Need.MEDICATIONS,))


def _together(facts: Facts, known: Known) -> tuple[tuple[Exposure, ...], tuple[Exposure, ...]]:
    """The opioids and the sedatives taken or handed out, on the order hooks with those ordered."""
    on_order = facts.hook != "patient-view"
    taken, handed = known.derived(medications), known.derived(dispensed)
    opioids = _outpatient(taken.exposures(DrugClass.OPIOID, drafts=on_order))
    opioids += tuple(handed_out(d) for d in handed if d.opioid)
    sedatives = _outpatient(taken.exposures(*SEDATIVES, drafts=on_order))
    sedatives += tuple(handed_out(d) for d in handed if d.drug and d.drug.is_a(*SEDATIVES))
    # A product that is both is combined with another opioid, not with itself; two drugs may share
    # the id of their order.
    return opioids, tuple(s for s in sedatives if s not in opioids or _beside(s, opioids))


def _beside(exposure: Exposure, opioids: tuple[Exposure, ...]) -> bool:
    """Whether an opioid of other ingredients is taken or ordered as well: brand and strength make no
    second product.
    """
    own = _ingredients(exposure)
    return any(_ingredients(opioid) != own for opioid in opioids)


def _ingredients(exposure: Exposure) -> frozenset[str]:
    drug = exposure.drug
    return frozenset() if drug is None else frozenset(c.ingredient for c in drug.components)


def _treating(opioids: tuple[Exposure, ...], facts: Facts, known: Known) -> tuple[Exposure, ...]:
    """The opioids among them that treat opioid use disorder, by product or by the reason given."""
    oud = known.derived(oud_treatment)
    facts_of_opioids: tuple[Order | Statement, ...] = (
        *facts.opioids,
        *(stated for stated in facts.statements if stated.opioid),
    )
    given = {(fact.ref, label_of(fact)) for fact in facts_of_opioids if oud.given(fact)}
    return tuple(
        o for o in opioids if (o.drug is not None and o.drug.oud_only) or (o.ref, o.label) in given
    )


def _outpatient(exposures: tuple[Exposure, ...]) -> tuple[Exposure, ...]:
    return tuple(e for e in exposures if not e.inpatient)


def _labels(exposures: tuple[Exposure, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(e.label for e in exposures))


def _names(exposures: tuple[Exposure, ...], *, opioid: bool) -> tuple[str, ...]:
    """The ingredients of each, its opioids or what is beside them, else its label."""
    return tuple(dict.fromkeys(_name(exposure, opioid) for exposure in exposures))


def _name(exposure: Exposure, opioid: bool) -> str:
    contents = exposure.drug.components if exposure.drug is not None else ()
    named = (c.ingredient for c in contents if (c.ingredient in OPIOID_INGREDIENTS) is opioid)
    return "/".join(dict.fromkeys(named)) or exposure.label
