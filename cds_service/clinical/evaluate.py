"""Run the rules of one service and hook over the facts, and gather their criteria into findings. Pure.

For each rule: payer gates and numbers; `applies`; needs; the rule (an exception becomes not-evaluated);
then list S, asked of the shared red flags; then one finding a card.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter_ns

from cds_service.clinical.criteria import (
    MET,
    NOT_MET,
    WARNING,
    Criterion,
    Evaluation,
    Finding,
    Indicator,
    NotEvaluated,
    RuleTrace,
)
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.red_flags import emergency
from cds_service.clinical.rule import Call, Declared, Known, Rule, Withdrawn
from cds_service.knowledge.model import Knowledge, Payer

Failed = Callable[[str, Exception], None]


def needs_of(rule: Rule) -> frozenset[Need]:
    """Every kind of data a rule needs or wants; a rule with a routine criterion inherits the red flags' wants."""
    found = rule.all_needs() | rule.all_wants()
    if any(c.routine for c in rule.criteria.values()):
        found |= _EMERGENCY.all_wants() | _EMERGENCY.all_needs()
    return found


def evaluate(
    rules: Iterable[Rule],
    facts: Facts,
    knowledge: Knowledge,
    payers: tuple[Payer, ...] = (),
    failed: Failed = lambda rule, error: None,
) -> Evaluation:
    """Evaluate `rules` (those of the called service and hook, in card order); `failed` hears of exceptions."""
    call = Call(facts, knowledge, payers)
    turned_on = frozenset().union(*(payer.turns_on for payer in payers))
    findings: list[Finding] = []
    silent: list[NotEvaluated] = []
    trace: list[RuleTrace] = []
    wanted: list[Rule] = []
    lacking: list[Rule] = []
    is_emergency = _emergency(call, failed)
    for rule in rules:
        awake = {n: c for n, c in rule.criteria.items() if not c.gated or n in turned_on}
        if not awake:
            continue
        start = perf_counter_ns()
        outcome = _run(rule, awake, call, failed)
        serious_rule = outcome.applies is not False
        if serious_rule and rule.worst.severity >= WARNING.severity:
            wanted.append(rule)
            if outcome.lacked:
                lacking.append(rule)
        kept = _kept(outcome.criteria, awake, is_emergency)
        silent.extend(_not_evaluated(rule, outcome, awake, kept, is_emergency))
        if kept:
            findings.append(Finding(rule.card, _worst(kept), kept))
        trace.append(
            RuleTrace(
                rule.card,
                outcome.applies,
                tuple((c.name, c.status.value) for c in outcome.criteria),
                tuple(sorted(n for n in rule.numbers if n in call.read)),
                (perf_counter_ns() - start) // 1000,
                outcome.why,
            )
        )
    blocked: tuple[Need, ...] = ()
    if wanted and len(lacking) == len(wanted):
        blocked = tuple(sorted({n for rule in lacking for n in rule.all_needs() if facts.lacks(n)}))
    return Evaluation(tuple(findings), tuple(silent), tuple(trace), blocked, is_emergency)


class _Outcome:
    """How one rule went; `why` is set when it could not be evaluated."""

    __slots__ = ("applies", "criteria", "lacked", "why")

    def __init__(
        self, applies: bool | None, criteria: tuple[Criterion, ...] = (), why: str = "", lacked: bool = False
    ) -> None:
        self.applies, self.criteria, self.why, self.lacked = applies, criteria, why, lacked


def _run(rule: Rule, awake: dict[str, Declared], call: Call, failed: Failed) -> _Outcome:
    known = Known(call, rule.card, rule.numbers, rule.codes, rule.uses)
    facts = call.facts
    applies: bool | None = None
    try:
        for name in sorted(rule.all_numbers()):
            call.number(name)
        applies = rule.applies(facts, known)
        if applies is False:
            return _Outcome(False)
        missing = sorted(need for need in rule.all_needs() if facts.lacks(need))
        if missing:
            return _Outcome(applies, why="not available: " + ", ".join(missing), lacked=True)
        found = tuple(c for c in rule.function(facts, known) if c.status is not NOT_MET)
        for criterion in found:
            if criterion.name not in rule.criteria:
                raise ValueError(f"{rule.card} does not declare the criterion {criterion.name}")
        return _Outcome(applies, tuple(c for c in found if c.name in awake))
    except Withdrawn as withdrawn:
        return _Outcome(applies, why=f"the number {withdrawn} is withdrawn")
    except Exception as error:  # one failing rule never silences the others
        failed(rule.card, error)
        return _Outcome(applies, why="internal error")


def _emergency(call: Call, failed: Failed) -> bool:
    """Whether list S is in force; a failure there silences nothing."""
    try:
        return Known(call, "list S", frozenset(), frozenset(), (emergency,)).derived(emergency)
    except Withdrawn:
        return False
    except Exception as error:
        failed("list S", error)
        return False


def _kept(
    criteria: tuple[Criterion, ...], awake: dict[str, Declared], is_emergency: bool
) -> tuple[Criterion, ...]:
    return tuple(c for c in criteria if not (is_emergency and awake[c.name].routine))


def _not_evaluated(
    rule: Rule,
    outcome: _Outcome,
    awake: dict[str, Declared],
    kept: tuple[Criterion, ...],
    is_emergency: bool,
) -> list[NotEvaluated]:
    """The criteria of a rule that did not run, and those left UNKNOWN for want of a need."""

    def serious(name: str) -> bool:
        return outcome.applies is not False and awake[name].worst.severity >= WARNING.severity

    if outcome.why:
        return [
            NotEvaluated(name, rule.card, outcome.why, serious(name))
            for name, c in awake.items()
            if not (is_emergency and c.routine)
        ]
    return [
        NotEvaluated(c.name, rule.card, "not available: " + ", ".join(c.missing), serious(c.name))
        for c in kept
        if c.status is not MET and c.missing
    ]


def _worst(criteria: tuple[Criterion, ...]) -> Indicator | None:
    met = [c.indicator for c in criteria if c.status is MET]
    return max(met, key=lambda i: i.severity) if met else None


_EMERGENCY = Rule(
    card="list-s",
    function=lambda facts, known: iter(()),
    hooks=(),
    applies=lambda facts, known: True,
    needs=frozenset(),
    wants=frozenset(),
    uses=(emergency,),
    numbers=frozenset(),
    codes=frozenset(),
    criteria={},
    doc="",
)
