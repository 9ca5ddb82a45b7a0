"""Who the opioid recommendations are not written for: children, cancer treatment, sickle
cell, end of life. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.dates import months_before, within
from cds_service.clinical.evidence import spreading_cancer
from cds_service.clinical.facts import (
    CarePlan,
    Condition,
    Encounter,
    Facts,
    Need,
    Observation,
    Procedure,
)
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen
from cds_service.knowledge.codes import Code, ValueSet


class Exclusion(Frozen):
    """One reason, in words a card may print, and what it rests on. `scope`: every | guideline."""

    reason: str
    references: tuple[str, ...]
    scope: str = "every"


class Exclusions(Frozen):
    """Why opioid advice does not apply. `unknown` names the needs that could not be read."""

    found: tuple[Exclusion, ...] = ()
    unknown: tuple[Need, ...] = ()

    @property
    def care(self) -> bool:
        """Under 18, cancer, sickle cell, palliative or hospice care or a limited life: no
        rule of the referral guide speaks.
        """
        return bool(self.found) and any(e.scope == "every" for e in self.found)

    @property
    def guideline(self) -> bool:
        """As `care`, with the guideline's own reading of cancer treatment."""
        return bool(self.found) and any(
            e.scope in ("every", "guideline") for e in self.found if e.reason != ANY_CANCER
        )

    def shared(self, hook: str) -> bool:
        """Whether a criterion of the referral guide and of the guideline is silent: its one rule by
        `care` on either order hook, the other by `guideline` when the order is signed.
        """
        return self.care and (self.guideline or hook != "order-sign")


ANY_CANCER = "active cancer"
DISEASES = (
    "sickle-cell-diseases",
    "palliative-or-sickle-exclusion",
    "conditions-likely-terminal-for-opioid-prescribing",
    "limited-life-expectancy-conditions",
)
END_OF_LIFE_CARE = (
    "therapies-indicating-end-of-life-care",
    "hospice-procedure",
    "hospice-finding",
)
CANCER = ("active-cancer", "active-cancer-snomed", "cdc-malignant-cancer-conditions")


@reasoning(
    needs=(),
    wants=(
        Need.PATIENT,
        Need.CONDITIONS,
        Need.ENCOUNTERS,
        Need.SERVICE_REQUESTS,
        Need.OBSERVATIONS,
        Need.PROCEDURES,
        Need.CARE_PLANS,
    ),
    numbers=(
        "opioid.adult_age",
        "opioid.end_of_life_order_window",
        "opioid.hospice_encounter_window",
        "opioid.cancer_encounters",
        "opioid.cancer_encounter_window",
    ),
    codes=(
        *DISEASES,
        *CANCER,
        "redflag-cancer-any-exclude",
        *END_OF_LIFE_CARE,
        "palliative-encounter",
        "hospice-care-question",
        "hospice-disposition",
        "answer-yes",
        "answer-no",
    ),
)
def exclusions(facts: Facts, known: Known) -> Exclusions:
    """Every reason found. Source: opioid-cds-r4 general inclusion criteria, with its
    unimplemented ones.
    """
    found = (
        *_too_young(facts, known),
        *_sickle_cell(facts, known),
        *_cancer(facts, known),
        *_end_of_life_conditions(facts, known),
        *_end_of_life_care(facts, known),
        *_prescribed_for(facts, known),
    )
    unknown = tuple(need for need in (Need.CONDITIONS,) if facts.lacks(need))
    return Exclusions(found, unknown)


def _too_young(facts: Facts, known: Known) -> Iterator[Exclusion]:
    if (
        facts.age is not None
        and facts.patient
        and known.number("opioid.adult_age").met_by(facts.age)
    ):
        yield Exclusion("under 18 years", (facts.patient.ref,))


def _sickle_cell(facts: Facts, known: Known) -> Iterator[Exclusion]:
    """Whatever the clinical status: the disease does not go away."""
    disease = known.codes("sickle-cell-diseases")
    refs = tuple(c.ref for c in facts.conditions_in(disease) if c.ever(facts.as_of))
    if refs:
        yield Exclusion("sickle cell disease", refs)


def _cancer(facts: Facts, known: Known) -> Iterator[Exclusion]:
    """Any active cancer for the referral guide; problem-list cancer or two visits in a year
    for the guideline.
    """
    found = facts.conditions_in(*(known.codes(name) for name in CANCER))
    active = [c for c in found if c.active(facts.as_of) and _is_cancer(c.codes, known)]
    if active:
        yield Exclusion(ANY_CANCER, tuple(c.ref for c in active))
    listed = [
        c for c in active if "encounter-diagnosis" not in c.categories or len(c.categories) > 1
    ]
    visits = tuple(_cancer_visits(found, facts, known))
    if listed or known.number("opioid.cancer_encounters").met_by(len(visits)):
        said = [c.ref for c in listed] or dict.fromkeys(ref for refs in visits for ref in refs)
        yield Exclusion("cancer treatment", tuple(said), scope="guideline")


def _cancer_visits(
    found: tuple[Condition, ...], facts: Facts, known: Known
) -> Iterator[tuple[str, ...]]:
    """What says so of each visit of the last year that was for cancer: a diagnosis that names the
    visit or that the visit names, else the visit itself by its reason.
    """
    start = months_before(facts.as_of, known.number("opioid.cancer_encounter_window").days)
    seen = [c for c in found if _diagnosed(c, facts, known)]
    for visit in facts.encounters:
        if not visit.held or visit.when is None or not start <= visit.when.last <= facts.as_of:
            continue
        diagnosed = tuple(
            c.ref for c in seen if c.encounter == visit.ref or c.ref in visit.reason_refs
        )
        if diagnosed:
            yield diagnosed
        elif visit.reasons and _is_cancer(visit.reasons, known):
            yield (visit.ref,)


def _diagnosed(condition: Condition, facts: Facts, known: Known) -> bool:
    """Cancer as what a visit was for, whether or not it is still marked active."""
    if condition.status == "remission" or not _is_cancer(condition.codes, known):
        return False
    return condition.active(facts.as_of) or (
        "encounter-diagnosis" in condition.categories and condition.ever(facts.as_of)
    )


def _is_cancer(codes: frozenset[Code], known: Known) -> bool:
    skin = known.codes("redflag-cancer-any-exclude")
    return spreading_cancer(codes, skin, *(known.codes(name) for name in CANCER))


def _end_of_life_conditions(facts: Facts, known: Known) -> Iterator[Exclusion]:
    terminal = known.codes("conditions-likely-terminal-for-opioid-prescribing")
    limited = known.codes("limited-life-expectancy-conditions")
    palliative = known.codes("palliative-or-sickle-exclusion")
    refs = tuple(c.ref for c in facts.conditions_in(terminal) if c.ever(facts.as_of))
    if refs:
        yield Exclusion("a condition likely to be terminal", refs)
    refs = tuple(c.ref for c in facts.conditions_in(limited) if c.active(facts.as_of))
    if refs:
        yield Exclusion("limited life expectancy", refs)
    care = (known.codes(name) for name in END_OF_LIFE_CARE)
    refs = tuple(c.ref for c in facts.conditions_in(palliative, *care) if c.active(facts.as_of))
    if refs:
        yield Exclusion("palliative care", refs)


def _prescribed_for(facts: Facts, known: Known) -> Iterator[Exclusion]:
    """An opioid that is ordered, or was and is active, whose reason is one of these diagnoses."""
    names = (*DISEASES, *END_OF_LIFE_CARE)
    refs = tuple(
        o.ref
        for o in facts.opioids
        if o.reasons
        and (o.draft or o.status == "active")
        and (
            _is_cancer(o.reasons, known)
            or any(known.codes(name).any_of(o.reasons) for name in names)
        )
    )
    if refs:
        yield Exclusion("what the opioid is prescribed for", refs)


def _any_of(sets: tuple[ValueSet, ...], *coded: frozenset[Code]) -> bool:
    return any(one.any_of(codes) for codes in coded if codes for one in sets)


def _answered(observation: Observation, flag: bool, codes: ValueSet) -> bool:
    return observation.value_flag is flag or codes.any_of(observation.value_codes)


def _care(known: Known) -> tuple[ValueSet, ...]:
    """What an order, a procedure or a visit for palliative or hospice care is coded with."""
    names = (*END_OF_LIFE_CARE[:2], "palliative-encounter")
    return tuple(known.codes(name) for name in names)


def _end_of_life_care(facts: Facts, known: Known) -> Iterator[Exclusion]:
    """Orders, procedures, findings, visits, discharge dispositions and care plans that show
    palliative or hospice care; what is under way counts whenever it began.
    """
    care = _care(known)
    window = known.number("opioid.end_of_life_order_window").days
    year = known.number("opioid.hospice_encounter_window").days
    refs = [
        r.ref
        for r in facts.requests
        if _any_of(care, r.codes, r.reasons, r.performer_types)
        and r.status in ("draft", "active", "on-hold", "completed")
        and (r.draft or within(r.when or r.occurs, facts.as_of, window) is not False)
    ]
    refs += [
        p.ref
        for p in facts.procedures_in(*care)
        if p.status in ("completed", "in-progress")
        and (_under_way(p, facts) or within(p.when, facts.as_of, window) is not False)
    ]
    refs += [o.ref for o in _hospice_findings(facts, known, year)]
    refs += [
        e.ref
        for e in facts.encounters
        if e.held
        and (_under_way(e, facts) or within(e.when, facts.as_of, year) is not False)
        and (
            known.codes("hospice-disposition").any_of(e.disposition)
            or _any_of(care, e.codes, e.specialties, e.reasons)
        )
    ]
    refs += [
        plan.ref
        for plan in facts.care_plans
        if plan.status == "active" and _goes_on(plan, facts) and _any_of(care, plan.codes)
    ]
    if refs:
        yield Exclusion("palliative or hospice care", tuple(refs))


def _under_way(care: Encounter | Procedure, facts: Facts) -> bool:
    """Begun and neither finished nor ended."""
    return care.status == "in-progress" and _goes_on(care, facts)


def _goes_on(care: CarePlan | Encounter | Procedure, facts: Facts) -> bool:
    """Begun, as is what has no date, and not ended before the as-of date."""
    begun = care.when is None or care.when.first <= facts.as_of
    return begun and (care.ended is None or care.ended.last >= facts.as_of)


def _hospice_findings(facts: Facts, known: Known, days: int) -> Iterator[Observation]:
    """Findings of hospice care, and the question about it where it was answered with yes."""
    finding = known.codes("hospice-finding")
    yes, no = known.codes("answer-yes"), known.codes("answer-no")
    for o in facts.observations_in(finding, known.codes("hospice-care-question")):
        if not o.counts or _answered(o, False, no) or within(o.when, facts.as_of, days) is False:
            continue
        if finding.any_of(o.codes) or finding.any_of(o.value_codes) or _answered(o, True, yes):
            yield o
