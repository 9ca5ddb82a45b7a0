"""What is worked out and recorded but not shown: silent cards, and users a roll-out has not
reached. Pure.

A silent finding is taken out before cards are composed: it takes no place of the four, folds
nowhere and leaves no line in another card. What is then not shown is told apart for the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cds_service.card_files import COULD_NOT_CHECK
from cds_service.card_suggestions import identity
from cds_service.clinical.criteria import INFO, MET, Evaluation, Finding
from cds_service.frozen import replace
from cds_service.trace import CardTrace

Shows = Callable[[str], bool]


def audible(evaluation: Evaluation, shows: Shows, folding: str) -> Evaluation:
    """The part of an evaluation whose cards are shown.

    `folding` is the service's card for info findings; where that is silent, so are they, while a
    warning that folds for want of a place is shown.
    """
    findings = tuple([each for each in evaluation.findings if _shown(each, shows, folding)])
    gaps = tuple([gap for gap in evaluation.not_evaluated if shows(gap.card)])
    if not shows(COULD_NOT_CHECK):
        gaps = tuple(replace(gap, serious=False) for gap in gaps)
    elif (len(findings), len(gaps)) == (len(evaluation.findings), len(evaluation.not_evaluated)):
        return evaluation
    return replace(evaluation, findings=findings, not_evaluated=gaps)


def silent(
    evaluation: Evaluation, heard: Evaluation, hook_instance: str, service: str
) -> Iterator[CardTrace]:
    """The cards that `heard` lacks of a whole evaluation, each as it would have stood alone."""
    spoken = {finding.card for finding in heard.findings}
    for finding in evaluation.findings:
        if finding.indicator is not None and finding.card not in spoken:
            met = tuple(c.name for c in finding.criteria if c.status is MET)
            uuid = identity(hook_instance, service, finding.card, 0)
            yield CardTrace(finding.card, uuid, finding.indicator.value, met, shown=False)
    if _serious(evaluation) and not _serious(heard):
        uuid = identity(hook_instance, service, COULD_NOT_CHECK, 0)
        yield CardTrace(COULD_NOT_CHECK, uuid, INFO.value, (), shown=False)


def _shown(finding: Finding, shows: Shows, folding: str) -> bool:
    return shows(finding.card) and (finding.indicator is not INFO or shows(folding))


def _serious(evaluation: Evaluation) -> bool:
    return any(gap.serious for gap in evaluation.not_evaluated)
