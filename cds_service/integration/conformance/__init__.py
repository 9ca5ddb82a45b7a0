"""The testable part of what CDS Hooks asks of a service, run against any service over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any

from cds_service.integration.conformance import (
    answers,
    discovery,
    edges,
    feedback,
    prefetch,
    requests,
)
from cds_service.integration.conformance.check import (
    CHECKS,
    Check,
    Level,
    Result,
    Skip,
    Subject,
    Verdict,
)
from cds_service.integration.remote import Remote, Unreachable

__all__ = ["Level", "Result", "Verdict", "conformance"]
AREAS = [area.__name__ for area in (discovery, requests, prefetch, answers, feedback, edges)]
_SHOWN = 3  # faults told of one requirement


def conformance(
    remote: Remote, given: Mapping[str, dict[str, Any]] | None = None, origin: str = ""
) -> Iterator[Result]:
    """The result of every check, in turn. Raises Unreachable if the service does not answer
    at all.
    """
    subject = Subject(remote, remote.discover().object, given or {})
    if origin:
        subject.origin = origin
    for each in sorted(CHECKS, key=lambda each: AREAS.index(each.look.__module__)):
        yield _result(each, subject)


def _result(each: Check, subject: Subject) -> Result:
    start = perf_counter()
    verdict, why = Verdict.PASS, ""
    try:
        faults = list(dict.fromkeys(each.look(subject)))
    except Skip as reason:
        verdict, why = Verdict.SKIP, str(reason)
    except Unreachable as error:
        verdict, why = Verdict.FAIL, str(error)
    else:
        if faults:
            verdict = Verdict.FAIL if each.level is Level.SHALL else Verdict.ADVICE
            more = len(faults) - _SHOWN
            why = "; ".join(faults[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
    return Result(
        each.requirement, each.says, each.level, verdict, why, (perf_counter() - start) * 1000
    )
