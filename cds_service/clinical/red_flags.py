"""Red flags of the spine, worked out once a request. Pure."""

from __future__ import annotations

from cds_service.clinical.back_pain import BackPain, back_pain
from cds_service.clinical.criteria import MET, NOT_MET, UNKNOWN
from cds_service.clinical.deficits import deficits
from cds_service.clinical.evidence import (
    ABSENT,
    Evidence,
    Sign,
    age,
    all_of,
    any_of,
    condition_evidence,
    ordered,
    sign,
    unless,
)
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.fractures import fractures
from cds_service.clinical.infection import infection, suspicion
from cds_service.clinical.malignancy import malignancy
from cds_service.clinical.problems import problems
from cds_service.clinical.rule import Known, reasoning
from cds_service.clinical.scores import scores
from cds_service.clinical.surgery import surgery
from cds_service.frozen import Frozen


class Emergencies(Frozen):
    """The red flags that send the patient to emergency care and silence routine cards, each with
    its evidence.
    """

    cauda_equina: Sign = ABSENT
    cord_deficit: Sign = ABSENT
    infection: Sign = ABSENT
    fracture: Sign = ABSENT
    complication: Sign = ABSENT

    @property
    def emergencies(self) -> tuple[Sign, Sign, Sign, Sign, Sign]:
        """Each of them, in order."""
        return (
            self.cauda_equina,
            self.cord_deficit,
            self.infection,
            self.fracture,
            self.complication,
        )


class RedFlags(Emergencies):
    """Each red flag with its evidence, the emergencies first; `context` is the back pain they need."""

    possible_infection: Sign = ABSENT
    malignancy: Sign = ABSENT
    possible_fracture: Sign = ABSENT
    postoperative_pain: Sign = ABSENT
    lasting_deficit: Sign = ABSENT
    context: tuple[str, ...] = ()

    @property
    def exempting(self) -> Sign:
        """What exempts from the payer's visit before surgery: all but a lasting deficit alone."""
        return any_of(
            *self.emergencies,
            self.possible_infection,
            self.malignancy,
            self.possible_fracture,
            self.postoperative_pain,
        )

    @property
    def exempt(self) -> bool:
        """Whether something exempts."""
        return self.exempting.met

    @property
    def any_met(self) -> bool:
        """Whether any red flag is met."""
        return self.exempt or self.lasting_deficit.met


@reasoning(
    wants=(Need.CONDITIONS,),
    uses=(back_pain, deficits, fractures, infection, problems, surgery, suspicion),
    numbers=("red-flags.complication_days",),
)
def emergencies(facts: Facts, known: Known) -> Emergencies:
    """Every emergency, at any age. Missing data never makes one, nor takes back one that other data
    shows.

    Source: cigna-lbp-guide, spine surgeon row; evidence sets from acp-imaging and hedis-lbp.
    """
    pain, nerves, after = known.derived(back_pain), known.derived(deficits), known.derived(surgery)
    context = _context(pain)
    if context.status is NOT_MET and after.recent.status is NOT_MET:
        return Emergencies()
    bones, germs = known.derived(fractures), known.derived(infection)
    spinal_infection = any_of(germs.spinal, _infected(germs.fever, known))
    complication = any_of(
        _complication(facts, known), germs.fever, nerves.cauda_equina, nerves.since_surgery
    )
    return Emergencies(
        cauda_equina=_shown(all_of(context, nerves.cauda_equina), pain),
        cord_deficit=_shown(all_of(context, nerves.cord), pain),
        infection=_shown(all_of(context, spinal_infection), pain),
        fracture=_shown(all_of(context, bones.acute), pain),
        complication=all_of(after.recent, complication),
    )


@reasoning(
    wants=(Need.CONDITIONS,),
    uses=(
        back_pain,
        deficits,
        emergencies,
        fractures,
        infection,
        malignancy,
        problems,
        scores,
        surgery,
        suspicion,
    ),
)
def red_flags(facts: Facts, known: Known) -> RedFlags:
    """Every red flag, the emergencies among them, as they are told.

    Source: cigna-lbp-guide, spine surgeon row; evidence sets from acp-imaging and hedis-lbp.
    """
    pain, after, urgent = (
        known.derived(back_pain),
        known.derived(surgery),
        known.derived(emergencies),
    )
    context = _context(pain)
    lasting = _lasting(known, context, urgent)
    if context.status is NOT_MET and after.recent.status is NOT_MET:
        return RedFlags(lasting_deficit=lasting)
    bones, germs = known.derived(fractures), known.derived(infection)
    suspect = known.derived(suspicion)
    possible = any_of(germs.fever, all_of(suspect.risk, suspect.marker))
    hurting = all_of(after.recent, _pain(facts, known, context))
    return RedFlags(
        *urgent.emergencies,
        possible_infection=_shown(unless(all_of(context, possible), urgent.infection), pain),
        malignancy=_shown(all_of(context, known.derived(malignancy).sign), pain),
        possible_fracture=_shown(unless(all_of(context, bones.possible), urgent.fracture), pain),
        postoperative_pain=unless(hurting, urgent.complication),
        lasting_deficit=lasting,
        context=pain.references,
    )


@reasoning(uses=(emergencies,))
def emergency(facts: Facts, known: Known) -> bool:
    """Whether an emergency red flag is met, so that routine cards are silent (list S)."""
    return any(flag.met for flag in known.derived(emergencies).emergencies)


def _infected(fever: Sign, known: Known) -> Sign:
    """Fever with a risk or a raised marker, which nobody needs to know of without fever."""
    if fever.status is NOT_MET:
        return ABSENT
    suspect = known.derived(suspicion)
    return all_of(fever, any_of(suspect.risk, suspect.marker))


def _context(pain: BackPain) -> Sign:
    """Low back pain itself: a sign that the flags need, with the conditions or drafts that
    show it.
    """
    if pain.present:
        return Sign(MET, _named(pain))
    return Sign(UNKNOWN, (), pain.missing) if pain.missing else Sign(NOT_MET)


def _named(pain: BackPain) -> tuple[Evidence, ...]:
    conditions = ordered(map(condition_evidence, pain.conditions))
    return conditions or tuple(
        Evidence(ref, "low back pain as the reason of the order") for ref in pain.drafts
    )


def _shown(flag: Sign, pain: BackPain) -> Sign:
    """The flag with its own evidence only: back pain is the context, not the alarm."""
    named = frozenset(_named(pain)) if flag.evidence else frozenset()
    own = tuple(e for e in flag.evidence if e not in named)
    return Sign(flag.status, own if own or not flag.met else flag.evidence, flag.missing)


def _complication(facts: Facts, known: Known) -> Sign:
    """A complication as a diagnosis; one without a date is treated as new."""
    window = known.number("red-flags.complication_days")
    found = (
        condition_evidence(c)
        for c in known.derived(problems).active("redflag-postop-complication")
        if age(c.when, facts.as_of, window) is not False
    )
    return sign(found, facts, Need.CONDITIONS)


def _pain(facts: Facts, known: Known, context: Sign) -> Sign:
    """Evidence that it still hurts: back pain, pain after the procedure, or a score."""
    listed = known.derived(problems).active("postprocedural-pain")
    named = sign(map(condition_evidence, listed), facts, Need.CONDITIONS)
    return any_of(context, named, known.derived(scores).pain)


def _lasting(known: Known, context: Sign, urgent: Emergencies) -> Sign:
    """A deficit with pain or poor function that no emergency already speaks for."""
    if urgent.cauda_equina.met or urgent.cord_deficit.met or urgent.complication.met:
        return ABSENT
    measured = known.derived(scores)
    return all_of(
        known.derived(deficits).lasting, any_of(context, measured.pain, measured.function)
    )
