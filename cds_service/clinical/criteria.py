"""A criterion: one reason a card may speak, met, not met or unknown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

from cds_service.clinical.facts import Need
from cds_service.clinical.references import invented
from cds_service.frozen import Frozen, field, replace


class Status(StrEnum):
    """What the chart says of a criterion."""

    MET = "met"
    NOT_MET = "not-met"
    UNKNOWN = "unknown"


class Indicator(StrEnum):
    """How urgent a card is, as CDS Hooks names it."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @cached_property
    def severity(self) -> int:
        """0 info, 1 warning, 2 critical."""
        return list(Indicator).index(self)


MET, NOT_MET, UNKNOWN = Status.MET, Status.NOT_MET, Status.UNKNOWN
INFO, WARNING, CRITICAL = Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL


class OrderChange(Frozen):
    """A change to a draft order: the member paths (`dispenseRequest.quantity.value`) and their new
    JSON values.

    A `Code` stands for a concept, a tuple of codes for a list of concepts; the path `occurrence`
    with a day puts the order off to it, however the order says when; the path `quantity` asks for so
    many, where the order gives one number; the path `followed` with a number
    of days ends the only instruction of a prescription after them, where it says how long.
    """

    ref: str
    changes: Mapping[str, Any]


class Answer(Frozen):
    """One answer of a questionnaire that a suggestion fills in: its link id, the question
    and the answer.
    """

    link: str
    text: str
    value: str


class Criterion(Frozen):
    """One yielded criterion. `missing` names the needs that made it UNKNOWN."""

    name: str
    status: Status
    indicator: Indicator
    words: Mapping[str, Any] = field(default_factory=dict)
    because: tuple[str, ...] = ()
    missing: tuple[Need, ...] = ()

    def followable(self) -> Criterion:
        """The same, resting on nothing but references the caller can follow."""
        if not invented(" ".join(self.because)):
            return self
        return replace(self, because=tuple(ref for ref in self.because if not invented(ref)))


class Finding(Frozen):
    """The criteria of one card that are met or unknown; `indicator` is the most severe met
    one's, else None.
    """

    card: str
    indicator: Indicator | None
    criteria: tuple[Criterion, ...]

    @property
    def speaks(self) -> bool:
        """Whether any criterion is met, so that there is a card."""
        return self.indicator is not None


class RuleTrace(Frozen):
    """How one rule went: `applies`, the statuses it yielded, microseconds. `declared` are its own
    numbers, `read` those that anything in the call has read while the rules ran.
    """

    rule: str
    applies: bool | None
    criteria: tuple[tuple[str, str], ...] = ()
    declared: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    microseconds: int = 0
    failed: str = ""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers it read."""
        return tuple(sorted(self.declared & self.read))


class NotEvaluated(Frozen):
    """A criterion that could not be evaluated. `serious`: it could have warned this
    patient's clinician.
    """

    criterion: str
    card: str
    why: str
    serious: bool = False


class Evaluation(Frozen):
    """What the rules of one call found."""

    findings: tuple[Finding, ...] = ()
    not_evaluated: tuple[NotEvaluated, ...] = ()
    trace: tuple[RuleTrace, ...] = ()
    blocked: tuple[Need, ...] = ()  # the needs for want of which nothing could be evaluated: 412
    emergency: bool = False
