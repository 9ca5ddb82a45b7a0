"""The checklist of an epidural injection: requirements met, not met or unknown, and their
record. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from cds_service.clinical.criteria import MET, UNKNOWN, Answer, Status
from cds_service.clinical.esi_course import EsiCourse, esi_course
from cds_service.clinical.esi_safety import esi_safety
from cds_service.clinical.evidence import (
    ABSENT,
    Evidence,
    Sign,
    age,
    any_of,
    described,
    sign,
)
from cds_service.clinical.facts import Facts, Need, Request
from cds_service.clinical.red_flags import red_flags
from cds_service.clinical.rule import Known, reasoning
from cds_service.clinical.spine_orders import spine_orders
from cds_service.frozen import Frozen

RECORD = "esi-decision-support-record"
RECORDED = ("completed", "amended")
STATES: Mapping[Status, str] = {
    Status.MET: "not met",
    Status.NOT_MET: "met",
    Status.UNKNOWN: "unknown",
}
RECORD_LABEL = "Decision-support record of the last year"
ALL_MET, NOT_ALL_MET, OPEN = "criteria met", "criteria not met", "not determined"


class Item(Frozen):
    """One requirement: `state` is met, not met or unknown; `settle` says what would settle
    an unknown one.
    """

    link: str
    label: str
    state: str
    evidence: tuple[str, ...] = ()
    settle: str = ""


class Check(Frozen):
    """One requirement as a sign that holds where it is not kept; `shown` is what speaks for
    it otherwise.
    """

    link: str
    label: str
    broken: Sign
    settle: str
    shown: tuple[Evidence, ...] = ()
    note: str = ""

    @property
    def item(self) -> Item:
        """The requirement as the checklist shows it."""
        unknown = self.broken.status is UNKNOWN
        seen = self.broken.evidence or (() if unknown else self.shown)
        words = (*described(seen), *((self.note,) if self.note else ()))
        return Item(
            self.link, self.label, STATES[self.broken.status], words, self.settle if unknown else ""
        )


class EsiChecks(Frozen):
    """Every requirement by link id; `record` is the decision-support record, apart from the
    clinical ones.
    """

    checks: Mapping[str, Check]
    record: Sign

    def broken(self, link: str) -> Sign:
        """Whether a requirement is not kept."""
        return self.checks[link].broken

    @property
    def any_broken(self) -> Sign:
        """Whether any requirement is not kept; unknown where one is."""
        return any_of(*(check.broken for check in self.checks.values()))

    @property
    def result(self) -> str:
        """The result of decision support in words."""
        status = self.any_broken.status
        return NOT_ALL_MET if status is MET else OPEN if status is UNKNOWN else ALL_MET

    @property
    def items(self) -> tuple[Item, ...]:
        """The checklist."""
        return tuple(check.item for check in self.checks.values())

    @property
    def record_item(self) -> Item:
        """The decision-support record as an item of the checklist."""
        return Check("record", RECORD_LABEL, self.record, "the questionnaires on file").item

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The record: the result, then each requirement with its evidence."""
        first = Answer("result", "Result of decision support", self.result)
        return (first, *(Answer(i.link, i.label, _recorded(i)) for i in self.items))


def _recorded(item: Item) -> str:
    return item.state + (": " + "; ".join(item.evidence) if item.evidence else "")


@reasoning(
    wants=(Need.QUESTIONNAIRE_RESPONSES,),
    uses=(esi_course, esi_safety, red_flags, spine_orders),
    numbers=("esi.record_days", "esi.addon_units", "esi.interlaminar_units"),
    codes=(
        "esi-without-imaging-guidance",
        "esi-transforaminal-addon-level",
        "esi-interlaminar",
        "esi-transforaminal",
        RECORD,
    ),
)
def esi_checks(facts: Facts, known: Known) -> EsiChecks:
    """The requirements for the injections being ordered, as one session.

    Source: healthpartners-esi for the record; cms-lcd-esi for the requirements.
    """
    course, safety, flags = (
        known.derived(esi_course),
        known.derived(esi_safety),
        known.derived(red_flags),
    )
    found = (
        *_course_checks(course),
        Check(
            "guidance",
            "Image guidance in the order",
            unguided(facts, known),
            "the code of the order",
        ),
        Check(
            "levels", "Levels and regions within one session", too_wide(facts, known), "the orders"
        ),
        Check(
            "bleeding",
            "No anticoagulant, P2Y12 inhibitor or bleeding disorder",
            safety.bleeding,
            "the medication list, and an INR or platelet count that can be read",
        ),
        Check("infection", "No active infection", safety.infection, "diagnoses and temperature"),
        Check("pregnancy", "No pregnancy", safety.pregnancy, "a pregnancy test or status"),
        Check(
            "allergy",
            "No allergy to contrast, steroid or local anesthetic",
            safety.allergy,
            "the allergy list",
        ),
        Check(
            "emergency", "No spinal emergency", any_of(*flags.emergencies), "diagnoses and results"
        ),
    )
    return EsiChecks({check.link: check for check in found}, _record(facts, known))


def _course_checks(course: EsiCourse) -> tuple[Check, ...]:
    return (
        Check(
            "indication",
            "Radicular pain, stenosis, post-laminectomy syndrome or zoster as the reason",
            _unsupported(course),
            "a reason on the order",
            course.indication.evidence,
        ),
        Check(
            "duration",
            "Pain for four weeks",
            course.short_pain,
            "the onset of the pain",
            course.onset,
        ),
        Check(
            "conservative-care",
            "Four weeks of conservative care without enough relief",
            course.no_care,
            "therapy visits and medication orders of the last half year, and scores",
            course.care,
            "not asked of a repeat injection" if course.repeat else "",
        ),
        Check(
            "sessions",
            "Sessions of the last twelve months within the limit",
            course.sessions,
            "procedures and claims of the last year",
            course.injections,
        ),
        Check(
            "relief",
            "Half the pain or disability relieved for three months after the last injection",
            course.no_relief,
            "a pain or ODI score before the last injection and one three months after it",
            course.relief,
            "" if course.repeat is not False else "first injection within a year",
        ),
    )


def _unsupported(course: EsiCourse) -> Sign:
    found = course.indication
    if found.supported is None:
        return Sign(UNKNOWN, found.evidence, (Need.CONDITIONS,))
    return ABSENT if found.supported else Sign(MET, found.evidence)


def unguided(facts: Facts, known: Known) -> Sign:
    """Orders, of any region, by a code without imaging guidance."""
    codes = known.codes("esi-without-imaging-guidance")
    drafts = (d for d in known.derived(spine_orders).injections if codes.any_of(d.codes))
    return sign(map(_ordered, drafts), facts)


def too_wide(facts: Facts, known: Known) -> Sign:
    """More levels, approaches or regions in the orders than one session allows; no quantity
    counts as one.
    """
    orders = known.derived(spine_orders)

    def of(name: str) -> list[Request]:
        return [d for d in orders.injections if known.codes(name).any_of(d.codes)]

    addon, straight, side = (
        of("esi-transforaminal-addon-level"),
        of("esi-interlaminar"),
        of("esi-transforaminal"),
    )
    broken: list[Request] = []
    if known.number("esi.addon_units").met_by(sum(map(units, addon))):
        broken += addon
    if known.number("esi.interlaminar_units").met_by(sum(map(units, straight))):
        broken += straight
    if straight and side:
        broken += [*straight, *side]
    if orders.lumbar_injections and orders.other_injections:
        broken += orders.injections
    drafts = tuple({draft.ref: draft for draft in broken}.values())
    totals: Counter[str] = Counter()
    for draft in drafts:
        totals[_procedure(draft)] += units(draft)
    found = (Evidence(d.ref, f"{_procedure(d)} x{totals[_procedure(d)]}") for d in drafts)
    return sign(found, facts)


def units(request: Request) -> int:
    """How many are ordered; one where the order does not say."""
    return (
        1
        if request.quantity is None
        else int(request.quantity.value.to_integral_value(rounding="ROUND_CEILING"))
    )


def _ordered(draft: Request) -> Evidence:
    return Evidence(draft.ref, f"{_procedure(draft)} x{units(draft)}")


def _procedure(draft: Request) -> str:
    return min((c.code for c in draft.codes if c.system == "CPT"), default="order")


def _record(facts: Facts, known: Known) -> Sign:
    """Holds where no decision-support record of late is on file."""
    window, forms = known.number("esi.record_days"), known.codes(RECORD)
    if any(
        r.status in RECORDED and r.form in forms and age(r.when, facts.as_of, window)
        for r in facts.questionnaire_responses
    ):
        return ABSENT
    need = Need.QUESTIONNAIRE_RESPONSES
    return Sign(UNKNOWN, (), (need,)) if facts.lacks(need) else Sign(MET)
