"""One answer, and what becomes one where the rules could not speak."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from cds_service.clinical.criteria import Evaluation
from cds_service.clinical.evaluate import INTERNAL_ERROR
from cds_service.clinical.facts import Need
from cds_service.clinical.mme import DailyMme, daily_mme
from cds_service.clinical.opioid_course import Course, opioid_course
from cds_service.clinical.rule import Call, Known
from cds_service.protocol.outcome import outcome
from cds_service.recall import Rests
from cds_service.trace import Trace

Failed = Callable[[str, Exception], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """Status 200 with cards; 412 or 500 with an OperationOutcome."""

    status: int
    body: dict[str, Any]
    trace: Trace
    rests: Rests = field(default=dict, repr=False)  # worked out once the answer is given


def unspoken(evaluation: Evaluation, trace: Trace) -> Answer | None:
    """The answer where nothing could be evaluated: 412 for want of data, 500 where every rule
    failed.
    """
    if evaluation.blocked:
        return Answer(412, _missing(evaluation.blocked), trace)
    if evaluation.trace and all(rule.failed == INTERNAL_ERROR for rule in evaluation.trace):
        text = "No rule could be evaluated; the log names the cause."
        return Answer(500, outcome("exception", text), trace)
    return None


def opioids(call: Call, failed: Failed) -> tuple[DailyMme | None, Course | None]:
    """What there is to say of MME and course; a failure there costs only itself."""
    known = Known(call, "root extension", frozenset(), frozenset(), (daily_mme, opioid_course))
    try:
        return known.derived(daily_mme), known.derived(opioid_course)
    except Exception as error:  # logged as a failing rule is
        failed("root extension", error)
        return None, None


def _missing(needs: Iterable[Need]) -> dict[str, Any]:
    """Why nothing could be evaluated, and what to do."""
    keys = ", ".join(need.value for need in needs)
    text = f"Could not be obtained: {keys}. Send these prefetch keys or access to the FHIR server."
    return outcome("incomplete", text)
