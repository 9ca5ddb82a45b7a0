"""Neurological signs of the lumbar spine: cauda equina, cord and motor deficits, by onset. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.clinical.back_pain import back_pain
from cds_service.clinical.evidence import Evidence, Sign, age, any_of, condition_evidence, sign
from cds_service.clinical.facts import Condition, Facts, Need, Request
from cds_service.clinical.problems import problems
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen
from cds_service.knowledge.codes import Code
from cds_service.knowledge.numbers import Number

RETENTION = "redflag-urinary-retention"
# A drug, an operation or a chronic disorder explains it: one such coding of several is enough.
EXPLAINED = "redflag-urinary-retention-chronic-or-drug"
SACRAL_SIGNS = ("redflag-cauda-equina", "redflag-saddle-or-sphincter")
CAUDA_EQUINA = (*SACRAL_SIGNS, RETENTION)
DEFICITS = ("redflag-motor-deficit", "redflag-major-cord-deficit")
LASTING = (*SACRAL_SIGNS, *DEFICITS, "redflag-neurogenic-bladder")


class Deficits(Frozen):
    """`cauda_equina`, `cord`: new; `since_surgery`: motor or cord, in recent weeks; `lasting`: of
    any age.
    """

    cauda_equina: Sign
    cord: Sign
    since_surgery: Sign
    lasting: Sign


@reasoning(
    wants=(Need.CONDITIONS,),
    uses=(back_pain, problems),
    numbers=(
        "red-flags.new_onset_days",
        "red-flags.complication_days",
        "red-flags.predates_back_pain_days",
    ),
    codes=(EXPLAINED,),
)
def deficits(facts: Facts, known: Known) -> Deficits:
    """Active deficits; one without a date is treated as new, one long before the back pain as
    unrelated. A retention of urine that has an explanation does not count. Cauda equina as the
    reason of a draft is new unless the chart knows of it.
    """
    of, new = known.derived(problems).active, known.number("red-flags.new_onset_days")
    retention = [
        c
        for c in of(RETENTION)
        if not known.codes(EXPLAINED).any_of(c.codes) and not _predates(c, facts, known)
    ]
    others = (c for c in of(*LASTING) if not _predates(c, facts, known))
    lasting = map(condition_evidence, (*others, *retention))
    return Deficits(
        any_of(
            sign(_ordered_for(facts, known), facts),
            _recent([*of(*SACRAL_SIGNS), *retention], facts, new),
        ),
        _recent(of("redflag-major-cord-deficit"), facts, new),
        _recent(of(*DEFICITS), facts, known.number("red-flags.complication_days")),
        sign(lasting, facts, Need.CONDITIONS),
    )


def _recent(conditions: Iterable[Condition], facts: Facts, window: Number) -> Sign:
    found = (
        condition_evidence(c) for c in conditions if age(c.when, facts.as_of, window) is not False
    )
    return sign(found, facts, Need.CONDITIONS)


def _ordered_for(facts: Facts, known: Known) -> Iterator[Evidence]:
    """Drafts for a sign of cauda equina of which the chart holds no record, not even a refuted or
    a resolved one; a record of another sign tells nothing about it.
    """
    sorting = known.derived(problems).sorting

    def named(codes: frozenset[Code]) -> frozenset[str]:
        return sorting.of(codes).intersection(CAUDA_EQUINA)

    def asked(draft: Request) -> frozenset[str]:
        signs = named(draft.reasons)
        return signs - {RETENTION} if known.codes(EXPLAINED).any_of(draft.reasons) else signs

    drafts = [d for d in facts.requests if d.draft and asked(d)]
    alike = facts.conditions_alike().items() if drafts else ()
    kept = (
        codes for codes, found in alike if any(c.verification != "entered-in-error" for c in found)
    )
    recorded = frozenset[str]().union(*map(named, kept))
    for draft in drafts:
        if not asked(draft) <= recorded:
            yield Evidence(draft.ref, "a sign of cauda equina as the reason of the order")


def _predates(condition: Condition, facts: Facts, known: Known) -> bool:
    """Whether it is known to have begun too long before the back pain to belong to it."""
    onset = known.derived(back_pain).onset
    if condition.when is None or onset is None:
        return False
    return known.number("red-flags.predates_back_pain_days").met_by(
        (onset.first - condition.when.last).days
    )
