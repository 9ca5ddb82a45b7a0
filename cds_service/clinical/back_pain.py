"""The low back pain context: which conditions, since when, and whether the patient is an
adult. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.facts import Condition, Facts, Need, Order, Request
from cds_service.clinical.problems import CONTEXT, problems
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen
from cds_service.knowledge.codes import Code


class BackPain(Frozen):
    """Low back pain in the chart, or given as the reason of a draft order.

    `days` since onset at the latest reading of a partial date; `missing` is set when conditions
    could not be read and no draft names back pain, so that its absence is not known.
    """

    conditions: tuple[Condition, ...] = ()
    drafts: tuple[str, ...] = ()
    onset: FuzzyDate | None = None
    days: int | None = None
    adult: bool | None = None
    missing: tuple[Need, ...] = ()

    @property
    def present(self) -> bool:
        """Whether there is low back pain in the chart or on a draft."""
        return bool(self.conditions or self.drafts)

    @property
    def references(self) -> tuple[str, ...]:
        """The conditions, else the drafts that name it."""
        return tuple(sorted(c.ref for c in self.conditions)) or self.drafts


@reasoning(
    wants=(Need.CONDITIONS, Need.PATIENT),
    uses=(problems,),
    numbers=("therapy.adult_age",),
    codes=CONTEXT,
)
def back_pain(facts: Facts, known: Known) -> BackPain:
    """Active low back pain, radiculopathy, stenosis or post-laminectomy, or such a reason on a
    draft order.

    Provisional, differential and unconfirmed diagnoses count. Onset is the earliest of the active
    conditions.
    """
    conditions = known.derived(problems).active(*CONTEXT)
    drafts = tuple(sorted(set(_draft_reasons(facts, known))))
    onsets = [c.when for c in conditions if c.when is not None]
    onset = FuzzyDate(min(o.first for o in onsets), min(o.last for o in onsets)) if onsets else None
    return BackPain(
        conditions,
        drafts,
        onset,
        None if onset is None else max(0, onset.age(facts.as_of)[0]),
        None if facts.age is None else known.number("therapy.adult_age").met_by(facts.age),
        (Need.CONDITIONS,)
        if facts.lacks(Need.CONDITIONS) and not conditions and not drafts
        else (),
    )


def has_back_pain(facts: Facts, known: Known) -> bool | None:
    """For `applies`: True with back pain, False without, None when conditions could not be read."""
    found = known.derived(back_pain)
    return True if found.present else None if found.missing else False


def adult_back_pain(facts: Facts, known: Known) -> bool | None:
    """For `applies`: as `has_back_pain`, and False for a patient known to be under age."""
    return False if known.derived(back_pain).adult is False else has_back_pain(facts, known)


def _in_context(codes: frozenset[Code], known: Known) -> bool:
    return bool(codes) and any(known.codes(name).any_of(codes) for name in CONTEXT)


def _draft_reasons(facts: Facts, known: Known) -> Iterator[str]:
    """Drafts whose reason, coded or by reference to a condition that is not refuted, is low
    back pain.
    """
    named = {c.ref for c in known.derived(problems).ever(*CONTEXT)}
    drafts: tuple[Request | Order, ...] = (*facts.requests, *facts.devices, *facts.orders)
    for draft in drafts:
        if draft.draft and (
            _in_context(draft.reasons, known) or not named.isdisjoint(draft.reason_refs)
        ):
            yield draft.ref
