"""Lumbar imaging that is early for uncomplicated back pain, or was done within the year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cds_service.clinical.back_pain import back_pain
from cds_service.clinical.bone_health import bone_health
from cds_service.clinical.criteria import INFO, MET, UNKNOWN, WARNING, Criterion, OrderChange
from cds_service.clinical.evidence import (
    Evidence,
    Sign,
    age,
    any_of,
    coded,
    condition_evidence,
    described,
    name,
    sign,
)
from cds_service.clinical.facts import Facts, Need, Request
from cds_service.clinical.problems import problems
from cds_service.clinical.red_flags import red_flags
from cds_service.clinical.rule import Known, declared, rule
from cds_service.clinical.spine_orders import (
    ADVANCED_IMAGING,
    planned_day,
    reasons_of,
    spine_orders,
)

# Exclusions of the imaging measure: whatever the date, of the last year, of the last weeks.
EVER = ("hiv", "organ-transplant", "inflammatory-arthropathy", "post-laminectomy")
EVER_BESIDES = ("palliative-or-sickle-exclusion", "spine-surgery-history")
OF_THE_YEAR = (
    "iv-drug-use",
    "redflag-spinal-infection",
    "redflag-cauda-equina",
    "redflag-saddle-or-sphincter",
    "redflag-major-cord-deficit",
    "redflag-motor-deficit",
    "redflag-neurogenic-bladder",
)
DRUG_USE = "iv-drug-use-proxy"
INJURIES = ("redflag-trauma-event", "redflag-fracture-traumatic", "redflag-fracture-fragility")
OTHER_REASONS = ("redflag-cancer-any", "redflag-malignancy-spinal", "osteoporosis")
EXCLUDING = (*EVER, *EVER_BESIDES, *OF_THE_YEAR, DRUG_USE, *INJURIES, *OTHER_REASONS)


def _applies(facts: Facts, known: Known) -> bool | None:
    orders = known.derived(spine_orders)
    return bool(orders.imaging or orders.advanced_imaging)


@rule(
    hooks=("order-select", "order-sign"),
    applies=_applies,
    needs=(Need.CONDITIONS,),
    wants=(Need.PATIENT, Need.PROCEDURES, Need.MEDICATIONS),
    uses=(back_pain, bone_health, problems, red_flags, spine_orders),
    numbers=(
        "imaging.early_days",
        "imaging.soon_days",
        "imaging.history_days",
        "imaging.trauma_days",
        "imaging.repeat_days",
    ),
    codes=(*EXCLUDING, *ADVANCED_IMAGING, "spine-surgery-procedure"),
    criteria=(
        declared(
            "early-imaging",
            worst=WARNING,
            words=("days", "onset", "early", "soon", "defer", "until", "named"),
            routine=True,
        ),
        declared("repeat-imaging", worst=INFO, words=("evidence", "limit"), routine=True),
    ),
)
def lumbar_imaging(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Says that imaging in the first weeks of uncomplicated back pain rarely helps, and names an
    MRI or CT of the last year.

    Early imaging: adults whose order is for back pain, without a red flag and without any of the
    conditions that the imaging measure excludes. Without an onset it is silent; a partial onset
    date that leaves the window open, or an exclusion that could not be read, leaves it unknown.
    Silent with any red flag.

    Source: choosing-wisely, first six weeks; hedis-lbp, 28 days and exclusions.
    """
    flags = known.derived(red_flags)
    if flags.any_met:
        return
    alarm = any_of(flags.exempting, flags.lasting_deficit)
    yield from _early(facts, known, alarm)
    yield from _repeat(facts, known, alarm)


def _early(facts: Facts, known: Known, alarm: Sign) -> Iterator[Criterion]:
    orders, pain = known.derived(spine_orders), known.derived(back_pain)
    drafts = [d for d in orders.imaging if d.ref in orders.for_back | orders.without_reason]
    if not drafts or pain.adult is False or not pain.conditions or pain.onset is None:
        return
    excluded = _excluded(facts, known, drafts)
    if excluded.met:
        return
    early, soon = known.number("imaging.early_days"), known.number("imaging.soon_days")
    ages = {d.ref: pain.onset.age(planned_day([d], facts.as_of)) for d in drafts}
    drafts = [d for d in drafts if soon.met_by(max(ages[d.ref][0], 0))]
    if not drafts:
        return
    most = min(ages[d.ref][1] for d in drafts)
    missing = tuple(dict.fromkeys((*alarm.missing, *excluded.missing)))
    status = MET if soon.met_by(most) and not missing else UNKNOWN
    until = pain.onset.last + timedelta(days=soon.days + 1)
    words = {
        "days": most,
        "onset": pain.onset,
        "early": early,
        "soon": soon,
        "until": until,
        "named": name(drafts[0]) if len(drafts) > 1 else "",
        "defer": OrderChange(drafts[0].ref, {"occurrence": until}),
    }
    refs = (*(d.ref for d in drafts), *pain.references)
    indicator = WARNING if early.met_by(most) else INFO
    yield Criterion("early-imaging", status, indicator, words, refs, missing)


def _excluded(facts: Facts, known: Known, drafts: list[Request]) -> Sign:
    """A condition, operation or drug for which early imaging is right, in the chart or on
    the order.
    """
    listed = known.derived(problems)
    ever = [c for c in facts.conditions if c.ever(facts.as_of)]
    year, weeks = known.number("imaging.history_days"), known.number("imaging.trauma_days")
    of_the_year = (*listed.ever(*OF_THE_YEAR), *coded(ever, known.codes(DRUG_USE)))
    found = [
        *listed.ever(*EVER),
        *(c for group in EVER_BESIDES for c in coded(ever, known.codes(group))),
        *(c for c in of_the_year if age(c.when, facts.as_of, year) is not False),
        *(c for c in listed.ever(*INJURIES) if age(c.when, facts.as_of, weeks) is not False),
    ]
    reasons = frozenset().union(*(reasons_of(d, facts) for d in drafts))
    named = any(known.codes(group).any_of(reasons) for group in EXCLUDING)
    ordered_for = (Evidence(drafts[0].ref, "reason of the order"),) if named else ()
    operations = (
        Evidence(p.ref, name(p), p.when)
        for p in facts.procedures_in(known.codes("spine-surgery-procedure"))
        if p.done and age(p.when, facts.as_of) is not False
    )
    bones = known.derived(bone_health)
    return any_of(
        sign((*map(condition_evidence, found), *ordered_for), facts, Need.CONDITIONS),
        sign(operations, facts, Need.PROCEDURES),
        bones.osteoporosis,
        bones.corticosteroid,
    )


def _repeat(facts: Facts, known: Known, alarm: Sign) -> Iterator[Criterion]:
    drafts = known.derived(spine_orders).advanced_imaging
    if not drafts:
        return
    window = known.number("imaging.repeat_days")
    done = sign(
        (
            Evidence(p.ref, name(p), p.when)
            for p in facts.procedures
            if p.done
            and any(known.codes(group).any_of(p.codes) for group in ADVANCED_IMAGING)
            and age(p.when, facts.as_of, window)
        ),
        facts,
        Need.PROCEDURES,
    )
    if not done.met and not done.missing:
        return
    missing = tuple(dict.fromkeys((*done.missing, *alarm.missing)))
    words = {"evidence": described(done.evidence), "limit": window}
    refs = (*(d.ref for d in drafts), *done.refs)
    yield Criterion("repeat-imaging", UNKNOWN if missing else MET, INFO, words, refs, missing)
