"""Decision support for epidural steroid injections: the checklist on the draft order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cds_service.clinical.criteria import (
    CRITICAL,
    INFO,
    MET,
    NOT_MET,
    UNKNOWN,
    WARNING,
    Criterion,
    Indicator,
    OrderChange,
    Status,
)
from cds_service.clinical.esi_checklist import EsiChecks, esi_checks, units
from cds_service.clinical.esi_course import esi_course
from cds_service.clinical.evidence import Sign, described
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.rule import Known, declared, rule
from cds_service.clinical.spine_orders import spine_orders
from cds_service.frozen import replace
from cds_service.knowledge.codes import Code

WORDS = ("evidence", "checklist", "answers", "last")
# The criterion of each requirement, the most severe first, as the card lists them.
CRITERIA: Mapping[str, tuple[str, Indicator]] = {
    "bleeding": ("bleeding-risk", CRITICAL),
    "infection": ("active-infection", CRITICAL),
    "pregnancy": ("pregnancy", CRITICAL),
    "indication": ("indication-not-supported", WARNING),
    "duration": ("pain-under-four-weeks", WARNING),
    "conservative-care": ("conservative-care-not-documented", WARNING),
    "sessions": ("session-limit-reached", WARNING),
    "relief": ("repeat-without-relief", WARNING),
    "guidance": ("no-image-guidance", WARNING),
    "levels": ("levels-or-regions-exceeded", WARNING),
    "allergy": ("injectate-allergy", WARNING),
}
# The code with imaging guidance for each code without.
GUIDED = {"62320": "62321", "62322": "62323", "62324": "62325", "62326": "62327"}
RECORD = "decision-support-record-required"
# What is asked of an injection of any region; the rest is about the pain and care of the low back.
ANY_REGION = ("bleeding", "infection", "pregnancy", "guidance", "levels", "allergy")


def _applies(facts: Facts, known: Known) -> bool | None:
    """An epidural injection of any region is ordered."""
    return bool(known.derived(spine_orders).injections)


@rule(
    hooks=("order-select", "order-sign"),
    applies=_applies,
    wants=(
        Need.COVERAGES,
        Need.CONDITIONS,
        Need.MEDICATIONS,
        Need.OBSERVATIONS,
        Need.PROCEDURES,
        Need.ENCOUNTERS,
        Need.ALLERGIES,
        Need.QUESTIONNAIRE_RESPONSES,
    ),
    uses=(esi_checks, esi_course, spine_orders),
    numbers=("esi.sessions",),
    codes=("esi-without-imaging-guidance", "esi-transforaminal-addon-level", "esi-interlaminar"),
    criteria=(
        declared(RECORD, worst=WARNING, words=(*WORDS, "unrecorded"), gated=True),
        declared("indication-not-supported", worst=WARNING, words=(*WORDS, "reason")),
        declared("pain-under-four-weeks", worst=WARNING, words=(*WORDS, "earliest", "defer")),
        declared("conservative-care-not-documented", worst=WARNING, words=WORDS),
        declared("no-image-guidance", worst=WARNING, words=(*WORDS, "guided", "safe", "unsafe")),
        declared("session-limit-reached", worst=WARNING, words=(*WORDS, "limit")),
        declared("repeat-without-relief", worst=WARNING, words=WORDS),
        declared("levels-or-regions-exceeded", worst=WARNING, words=(*WORDS, "fewer")),
        declared("bleeding-risk", worst=CRITICAL, words=WORDS),
        declared("active-infection", worst=CRITICAL, words=(*WORDS, "lumbar")),
        declared("pregnancy", worst=CRITICAL, words=WORDS),
        declared("injectate-allergy", worst=WARNING, words=WORDS),
        declared("criteria-met", worst=INFO, words=(*WORDS, "unrecorded")),
    ),
)
def esi_decision_support(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Checks an epidural steroid injection against the coverage criteria, item by item.

    Indication by the reasons on the order, else by diagnoses that are not in doubt; four weeks of
    pain and of conservative care; image guidance; sessions, levels and regions; relief after the
    last injection; bleeding, infection, pregnancy and allergy. Missing documentation counts against
    the injection; a need that could not be read leaves its item unknown, and then the criteria are
    not called met. Where a payer asks for a record, a completed one of the last year satisfies it,
    whatever its result. Of a cervical or thoracic order only safety, image guidance and levels are
    asked: the pain and care of the low back say nothing about it.

    Source: healthpartners-esi; cms-lcd-esi; fda-esi-2014 for the note.
    """
    orders = known.derived(spine_orders)
    checks = known.derived(esi_checks)
    more = _more(known, checks)
    asked = CRITERIA if orders.lumbar_injections else ANY_REGION
    found = [c for link in asked for c in _said(link, checks.broken(link), more.get(link, {}))]
    if not orders.lumbar_injections:
        yield from _with_checklist(found, None, tuple(d.ref for d in orders.other_injections))
        return
    if asks_for_record(known):
        found += _record(facts, known, checks)
    found += _met(checks)
    drafts = tuple(d.ref for d in orders.lumbar_injections)
    yield from _with_checklist(found, checks, drafts, asks_for_record(known))


def asks_for_record(known: Known) -> bool:
    """Whether a payer in force asks for a record of decision support."""
    return any(RECORD in payer.turns_on for payer in known.payers)


def _said(link: str, broken: Sign, words: Mapping[str, Any]) -> Iterator[Criterion]:
    name, indicator = CRITERIA[link]
    yield from _criterion(name, broken, indicator, words)


def _criterion(
    name: str, broken: Sign, indicator: Indicator, words: Mapping[str, Any]
) -> Iterator[Criterion]:
    if broken.status is not NOT_MET:
        said = {"evidence": described(broken.evidence), **words}
        yield Criterion(name, broken.status, indicator, said, broken.refs, broken.missing)


def _record(facts: Facts, known: Known, checks: EsiChecks) -> Iterator[Criterion]:
    """Asked for radicular pain, stenosis and post-laminectomy: a note on selection, due on
    signing.
    """
    indication = known.derived(esi_course).indication
    indicator = WARNING if facts.hook == "order-sign" else INFO
    broken = checks.record
    if indication.radicular is None and broken.status is not NOT_MET:
        broken = Sign(UNKNOWN, (), (*broken.missing, Need.CONDITIONS))
    if indication.radicular is not False:
        yield from _criterion(RECORD, broken, indicator, {"unrecorded": True})


def _met(checks: EsiChecks) -> Iterator[Criterion]:
    """All requirements are kept; unknown when one of them is."""
    broken = checks.any_broken
    turned: Mapping[Status, Status] = {NOT_MET: MET, UNKNOWN: UNKNOWN}
    if broken.status in turned:
        refs = tuple(e.ref for e in checks.checks["indication"].shown if e.ref)
        unrecorded = checks.record.status is not NOT_MET
        words = {"evidence": checks.checks["indication"].item.evidence, "unrecorded": unrecorded}
        yield Criterion("criteria-met", turned[broken.status], INFO, words, refs, broken.missing)


def _with_checklist(
    found: list[Criterion],
    checks: EsiChecks | None,
    drafts: tuple[str, ...],
    recorded: bool = False,
) -> Iterator[Criterion]:
    """Each criterion with the words all share, resting on the order where nothing else shows it.

    The last one met, as the card orders them, has the checklist.
    """
    met = [c.name for c in found if c.status is MET]
    items = () if checks is None else (*((checks.record_item,) if recorded else ()), *checks.items)
    for criterion in found:
        last = bool(met) and criterion.name == met[-1]
        refs = criterion.because or drafts
        shared = {
            "checklist": items if last else (),
            "answers": checks.answers if checks else (),
            "last": last,
        }
        yield replace(criterion, words={**criterion.words, **shared}, because=refs)


def _more(known: Known, checks: EsiChecks) -> dict[str, dict[str, Any]]:
    """The words of single criteria, and the changes to the order that would settle them."""
    course = known.derived(esi_course)
    grave = (link for link, (_, indicator) in CRITERIA.items() if indicator is CRITICAL)
    unsafe = any(checks.broken(link).met for link in grave)
    return {
        "infection": {"lumbar": bool(known.derived(spine_orders).lumbar_injections)},
        "indication": {"reason": _reason(known)},
        "duration": {"earliest": course.earliest, "defer": _defer(known)},
        "guidance": {"guided": _guided(known), "safe": not unsafe, "unsafe": unsafe},
        "sessions": {"limit": known.number("esi.sessions")},
        "levels": {"fewer": _fewer(known)},
    }


def _reason(known: Known) -> OrderChange | None:
    """The order given for a condition of the chart that supports it."""
    better = known.derived(esi_course).indication.better
    if better is None:
        return None
    draft = known.derived(spine_orders).lumbar_injections[0]
    if draft.reasons:
        return OrderChange(draft.ref, {"reasonCode": tuple(sorted(better.codes))})
    return OrderChange(draft.ref, {"reasonReference": [{"reference": better.ref}]})


def _defer(known: Known) -> OrderChange | None:
    """The first order that is too early, put off until the pain has lasted long enough."""
    earliest = known.derived(esi_course).earliest
    drafts = known.derived(spine_orders).lumbar_injections
    early = [d for d in drafts if earliest and not (d.occurs and d.occurs.first >= earliest)]
    if not early:
        return None
    return OrderChange(early[0].ref, {"occurrence": earliest})


def _guided(known: Known) -> OrderChange | None:
    """The first order without imaging guidance, by the code that includes it."""
    codes = known.codes("esi-without-imaging-guidance")
    for draft in known.derived(spine_orders).injections:
        unguided_code = codes.match(draft.codes)
        if unguided_code is not None and unguided_code.code in GUIDED:
            code = Code(unguided_code.system, GUIDED[unguided_code.code])
            return OrderChange(draft.ref, {"code": code})
    return None


def _fewer(known: Known) -> OrderChange | None:
    """The first order of several units where one session allows one."""
    single = (known.codes("esi-transforaminal-addon-level"), known.codes("esi-interlaminar"))
    for draft in known.derived(spine_orders).injections:
        if units(draft) > 1 and any(codes.any_of(draft.codes) for codes in single):
            return OrderChange(draft.ref, {"quantity": Decimal(1)})
    return None
