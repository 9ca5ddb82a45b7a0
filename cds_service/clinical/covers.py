"""Which insurance cover a request to a payer is made on. Pure."""

from __future__ import annotations

from cds_service.clinical.facts import Coverage, Facts, Need
from cds_service.clinical.rule import Known, reasoning
from cds_service.knowledge.model import Payer
from cds_service.knowledge.payers import recognise


@reasoning(wants=(Need.COVERAGES,))
def covers(facts: Facts, known: Known) -> dict[str, str]:
    """For each criterion that a payer turns on, the reference of that payer's one active coverage.

    A coverage that says nobody's name is the asking payer's when it is the only one left, as where
    a site's own mapping recognised it. Two that could be meant name none: a claim is not made on a
    guess.
    """
    active = tuple(c for c in facts.coverages if c.active(facts.as_of) and "/" in c.ref)
    found: dict[str, str] = {}
    for payer in known.payers:
        ref = _cover_of(payer, active, known.payers)
        for criterion in payer.turns_on if ref else ():
            found.setdefault(criterion, ref)
    return found


def _cover_of(payer: Payer, active: tuple[Coverage, ...], payers: tuple[Payer, ...]) -> str:
    mine = [c for c in active if payer in _named(c, payers)]
    unnamed = [c for c in active if not _named(c, payers)]
    meant = mine or unnamed
    refs = {c.ref for c in meant}  # one coverage may be sent twice
    return refs.pop() if len(refs) == 1 else ""


def _named(coverage: Coverage, payers: tuple[Payer, ...]) -> tuple[Payer, ...]:
    return recognise(payers, (*coverage.names, coverage.text), coverage.identifiers)
