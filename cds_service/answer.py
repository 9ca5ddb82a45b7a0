"""One answer, and what becomes one where the rules could not speak."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.clinical.criteria import MET, Evaluation, NotEvaluated
from cds_service.clinical.evaluate import INTERNAL_ERROR
from cds_service.clinical.facts import Need
from cds_service.clinical.mme import DailyMme, daily_mme
from cds_service.clinical.opioid_course import Course, opioid_course
from cds_service.clinical.rule import Asker, Call, Known
from cds_service.fhir.client import TIMED_OUT
from cds_service.frozen import replace
from cds_service.protocol.outcome import outcome
from cds_service.trace import Trace

Failed = Callable[[str, Exception], None]
_ROOT = Asker("root extension", (daily_mme, opioid_course))
_PASSING = re.compile(r"status (?:429|5\d\d)|no connection|busy|in time lately")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status 200 with cards; 412 or 500 with an OperationOutcome."""

    status: int
    body: dict[str, Any]
    trace: Trace
    marks: Mapping[str, str] = field(default_factory=dict, repr=False)  # of each card, by its uuid


def unspoken(evaluation: Evaluation, traced: Callable[[], Trace]) -> Answer | None:
    """The answer where nothing could be evaluated: 412 for want of data, 500 where every rule
    failed.
    """
    if evaluation.blocked:
        trace = traced()
        return Answer(412, _missing(evaluation.blocked, trace), trace)
    if evaluation.trace and all(rule.failed == INTERNAL_ERROR for rule in evaluation.trace):
        text = "No rule could be evaluated; the log names the cause."
        return Answer(500, outcome("exception", text), traced())
    return None


def unwritten(evaluation: Evaluation, lost: Mapping[str, Exception], failed: Failed) -> Evaluation:
    """The evaluation where the cards of `lost` could not be written: what they would have said was
    not evaluated, and their rules failed.
    """
    if not lost:
        return evaluation
    for card, error in lost.items():
        failed(card, error)
    unsaid = tuple(
        NotEvaluated(criterion.name, finding.card, INTERNAL_ERROR, serious=True)
        for finding in evaluation.findings
        for criterion in finding.criteria
        if finding.card in lost and criterion.status is MET
    )
    trace = tuple(
        replace(rule, failed=INTERNAL_ERROR) if rule.rule in lost else rule
        for rule in evaluation.trace
    )
    return replace(evaluation, not_evaluated=(*evaluation.not_evaluated, *unsaid), trace=trace)


def opioids(call: Call, failed: Failed) -> tuple[DailyMme | None, Course | None]:
    """What there is to say of MME and course; a failure there costs only itself."""
    known = Known(call, _ROOT)
    try:
        return known.derived(daily_mme), known.derived(opioid_course)
    except Exception as error:  # logged as a failing rule is
        failed("root extension", error)
        return None, None


def _missing(needs: Iterable[Need], trace: Trace) -> dict[str, Any]:
    """Why nothing could be evaluated, what each need lacks, and what to do."""
    lacking: dict[str, list[str]] = {}
    for need in needs:
        lacking.setdefault(trace.needs.get(need.value, "").partition(": ")[2], []).append(
            need.value
        )
    listed = "; ".join(f"{', '.join(keys)} ({why})" for why, keys in lacking.items())
    said = "".join(f" Note: {note}." for note in trace.notes)
    text = f"Could not be obtained: {listed}. Send prefetch or access to the FHIR server.{said}"
    return outcome(_code(" ".join(lacking)), text)


def _code(why: str) -> str:
    """The issue type: whether the same call may do better soon."""
    if TIMED_OUT in why:
        return "timeout"
    return "transient" if _PASSING.search(why) else "incomplete"
