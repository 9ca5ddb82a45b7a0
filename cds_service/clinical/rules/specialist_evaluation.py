"""Diseases behind back pain that another specialist should rule out."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.back_pain import back_pain, has_back_pain
from cds_service.clinical.bone_health import bone_health
from cds_service.clinical.criteria import INFO, MET, UNKNOWN, Criterion
from cds_service.clinical.dates import years_between
from cds_service.clinical.evidence import (
    ABSENT,
    Evidence,
    Sign,
    age,
    all_of,
    any_of,
    condition_evidence,
    name,
    recorded,
    said,
    sign,
    unless,
)
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.fractures import fractures
from cds_service.clinical.infection import marker_amount
from cds_service.clinical.measures import held_against, says_something
from cds_service.clinical.problems import problems
from cds_service.clinical.referrals import referrals
from cds_service.clinical.rule import Known, declared, rule
from cds_service.clinical.visits import visits

MARKERS = ("esr", "crp")


@rule(
    hooks=("patient-view",),
    applies=has_back_pain,
    needs=(Need.CONDITIONS,),
    wants=(Need.PATIENT, Need.OBSERVATIONS, Need.PROCEDURES, Need.SERVICE_REQUESTS),
    uses=(back_pain, bone_health, fractures, problems, referrals, visits),
    numbers=(
        "red-flags.esr",
        "red-flags.crp",
        "specialist.young_onset_age",
        "specialist.lasting_days",
        "specialist.marker_days",
        "specialist.request_days",
        "specialist.visit_days",
        "specialist.densitometry_days",
    ),
    codes=("dxa", *MARKERS),
    criteria=(
        declared("inflammatory-arthropathy", worst=INFO, words=("evidence",), routine=True),
        declared("fibromyalgia", worst=INFO, words=("evidence",), routine=True),
        declared("lupus", worst=INFO, words=("evidence",), routine=True),
        declared(
            "metabolic-bone-disease", worst=INFO, words=("evidence", "scan_due"), routine=True
        ),
    ),
)
def specialist_evaluation(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Names diseases behind back pain for which rheumatology or the matching specialist is asked.

    A diagnosis that is only considered counts. Inflammatory disease is also suspected when pain
    that began young lasts with a raised marker or an associated disease. Silent with an open
    rheumatology request or a visit of the year; requests or visits that could not be read leave it
    unknown.

    Source: cigna-lbp-guide, other specialists row.
    """
    if known.derived(referrals).open("rheumatology", known.number("specialist.request_days").days):
        return
    if known.derived(visits).of("rheumatology", known.number("specialist.visit_days").days):
        return
    unread = known.derived(referrals).unknown + known.derived(visits).unknown
    care = Sign(UNKNOWN, (), unread) if unread else Sign(MET)
    inflammatory = any_of(
        _listed(facts, known, "inflammatory-arthropathy"), _suspected(facts, known)
    )
    scanned, pain = _scanned(facts, known), known.derived(back_pain).references
    bones = known.derived(bone_health).corticosteroid
    metabolic = any_of(
        _listed(facts, known, "metabolic-bone-disease"),
        known.derived(fractures).fragility,
        unless(bones, scanned) if not scanned.missing else all_of(bones, scanned),
    )
    yield from said("inflammatory-arthropathy", _with(care, inflammatory), INFO, pain)
    yield from said("fibromyalgia", _with(care, _listed(facts, known, "fibromyalgia")), INFO, pain)
    yield from said("lupus", _with(care, _listed(facts, known, "lupus")), INFO, pain)
    yield from said(
        "metabolic-bone-disease", _with(care, metabolic), INFO, pain, scan_due=not scanned.met
    )


def _with(care: Sign, disease: Sign) -> Sign:
    """The disease, unknown where it is not known that nobody cares for it yet."""
    return disease if care.met else all_of(care, disease)


def _listed(facts: Facts, known: Known, group: str) -> Sign:
    return sign(
        map(condition_evidence, known.derived(problems).active(group)), facts, Need.CONDITIONS
    )


def _suspected(facts: Facts, known: Known) -> Sign:
    pain = known.derived(back_pain)
    if (
        pain.days is None
        or pain.onset is None
        or not known.number("specialist.lasting_days").met_by(pain.days)
    ):
        return ABSENT
    if facts.patient is None or facts.patient.born is None:
        return Sign(UNKNOWN, (), (Need.PATIENT,) if facts.lacks(Need.PATIENT) else ())
    oldest = years_between(facts.patient.born.first, pain.onset.last)
    if not known.number("specialist.young_onset_age").met_by(oldest):
        return ABSENT
    young = Sign(MET, (Evidence("", f"onset at age {oldest}"),))
    return all_of(
        young, any_of(_raised(facts, known), _listed(facts, known, "inflammatory-associated"))
    )


def _raised(facts: Facts, known: Known) -> Sign:
    window = known.number("specialist.marker_days")
    raised: list[Evidence] = []
    unsure: list[Evidence] = []
    for test in MARKERS:
        results = filter(says_something, recorded(facts, known.codes(test), window))
        told = ((o, marker_amount(test, o)) for o in results)
        met, doubtful = held_against(known.number(f"red-flags.{test}"), told)
        raised += met
        unsure += doubtful
    return sign(raised, facts, Need.OBSERVATIONS, unsure=unsure)


def _scanned(facts: Facts, known: Known) -> Sign:
    """Bone density measured within the time in which no other is due."""
    window, codes = known.number("specialist.densitometry_days"), known.codes("dxa")
    done = [
        *(o for o in facts.observations if o.counts and codes.any_of(o.codes)),
        *(p for p in facts.procedures if p.done and codes.any_of(p.codes)),
    ]
    found = (Evidence(f.ref, name(f), f.when) for f in done if age(f.when, facts.as_of, window))
    return sign(found, facts, Need.OBSERVATIONS, Need.PROCEDURES)
