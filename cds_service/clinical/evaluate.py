"""Run the rules of one service and hook over the facts, and gather their criteria into findings.
Pure.

For each rule: payer gates and numbers; `applies`; needs; the rule (an exception becomes
not-evaluated); then list S, asked of the shared red flags; then one finding a card.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
from cds_service.clinical.rule import Asker, Call, Declared, Known, Rule, Withdrawn, all_reasoning
from cds_service.frozen import Frozen
from cds_service.knowledge.model import Knowledge, Payer

Failed = Callable[[str, Exception], None]
INTERNAL_ERROR = "internal error"  # why a rule that raised was not evaluated
_LIST_S = Asker("list S", (emergency,))


def unheard(rule: str, error: Exception) -> None:
    """Nobody listens for failures."""


def needs_of(rule: Rule) -> frozenset[Need]:
    """Every kind of data a rule needs or wants; a rule with a routine criterion inherits
    the red flags' wants.
    """
    found = rule.all_needs | rule.all_wants
    if rule.routine:
        found = found.union(*(r.needs | r.wants for r in all_reasoning((emergency,))))
    return found


def evaluate(
    rules: Iterable[Rule],
    facts: Facts,
    knowledge: Knowledge,
    payers: tuple[Payer, ...] = (),
    failed: Failed = unheard,
    call: Call | None = None,
) -> Evaluation:
    """Evaluate `rules` (those of the called service and hook, in card order); `failed` hears of
    exceptions.

    With a `call` of the same facts, knowledge and payers, what shared reasoning concludes stays
    readable there. Nothing is asked of a patient who has died.
    """
    if facts.patient is not None and facts.patient.deceased:
        return Evaluation()
    call = call or Call(facts, knowledge, payers)
    turned_on = frozenset().union(*(payer.turns_on for payer in payers))
    payers_unknown = _payers_unknown(facts)
    runs: list[_Run] = []
    for rule in rules:
        awake = _awake(rule, turned_on)
        if awake or payers_unknown:
            runs.append(_run(rule, awake, call, failed))
    is_emergency = any(map(_routine, runs)) and _emergency(call, failed)
    findings: list[Finding] = []
    silent: list[NotEvaluated] = []
    for run in runs:
        kept = run.criteria
        if is_emergency:
            kept = tuple(c for c in kept if c.name not in run.rule.routine)
        if kept:
            findings.append(Finding(run.rule.card, _worst(kept), kept))
        if run.why or kept:
            silent.extend(_not_evaluated(run, kept, is_emergency))
        if payers_unknown:
            silent.extend(_unasked(run))
    read = frozenset(call.read)
    trace = tuple([run.trace(read) for run in runs])
    return Evaluation(tuple(findings), tuple(silent), trace, _blocked(runs, facts), is_emergency)


def _payers_unknown(facts: Facts) -> bool:
    """Whether a payer may be in force of whom nothing is known."""
    if facts.lacks(Need.COVERAGES):
        return True
    return any(c.payor_unread and c.active(facts.as_of) for c in facts.coverages)


def _awake(rule: Rule, turned_on: frozenset[str]) -> Mapping[str, Declared]:
    """The criteria that may speak where payers turn these on."""
    if turned_on.isdisjoint(rule.criteria):
        return rule.ungated
    return {n: c for n, c in rule.criteria.items() if not c.gated or n in turned_on}


def _unasked(run: _Run) -> Iterator[NotEvaluated]:
    """What some payer might turn on while the payers are unknown: reported, no notice at
    the bedside.
    """
    if run.applies is not False:
        for name in run.rule.criteria:
            if name not in run.awake:
                yield NotEvaluated(name, run.rule.card, f"not available: {Need.COVERAGES.value}")


class _Run(Frozen):
    """How one rule went; `why` is set when it could not be evaluated, `lacked` when for
    want of a need.
    """

    rule: Rule
    awake: Mapping[str, Declared]
    applies: bool | None
    criteria: tuple[Criterion, ...] = ()
    why: str = ""
    lacked: bool = False
    microseconds: int = 0

    def trace(self, read: frozenset[str]) -> RuleTrace:
        """For those who ask how an answer came about."""
        return RuleTrace(
            self.rule.card,
            self.applies,
            tuple([(c.name, str(c.status)) for c in self.criteria]),
            self.rule.numbers,
            read,
            self.microseconds,
            self.why,
        )


def _routine(run: _Run) -> bool:
    """Whether list S could silence something of it."""
    routine = run.rule.routine
    if not routine:
        return False
    return not routine.isdisjoint(run.awake if run.why else [c.name for c in run.criteria])


def _run(rule: Rule, awake: Mapping[str, Declared], call: Call, failed: Failed) -> _Run:
    """Ask one rule; its exceptions cost only itself."""
    start = perf_counter_ns()
    known = Known(call, rule)
    applies: bool | None = None
    criteria: tuple[Criterion, ...] = ()
    why, lacked = "", False
    try:
        if call.in_force.withdrawn and (gone := rule.all_numbers & call.in_force.withdrawn):
            raise Withdrawn(min(gone))
        applies = rule.applies(call.facts, known)
        if applies is not False:
            missing = _lacking(rule, call.facts)
            why, lacked = ("not available: " + ", ".join(missing), True) if missing else ("", False)
        if applies is not False and not lacked:
            criteria = tuple(_yielded(rule, awake, call.facts, known))
    except Withdrawn as withdrawn_number:
        why = f"the number {withdrawn_number} is withdrawn"
    except Exception as error:  # one failing rule never silences the others
        failed(rule.card, error)
        criteria, why = (), INTERNAL_ERROR
    return _Run(rule, awake, applies, criteria, why, lacked, (perf_counter_ns() - start) // 1000)


def _yielded(
    rule: Rule, awake: Mapping[str, Declared], facts: Facts, known: Known
) -> Iterator[Criterion]:
    for criterion in rule.function(facts, known):
        if criterion.name not in rule.criteria:
            raise ValueError(f"{rule.card} does not declare the criterion {criterion.name}")
        if criterion.status is not NOT_MET and criterion.name in awake:
            yield criterion


def _blocked(runs: list[_Run], facts: Facts) -> tuple[Need, ...]:
    """The needs for want of which every rule that could have warned was not evaluated."""
    if not any(run.lacked for run in runs):
        return ()
    serious = (r for r in runs if r.awake and r.rule.worst.severity >= WARNING.severity)
    wanted = [r for r in serious if r.applies is not False]
    if not all(run.lacked for run in wanted):
        return ()
    return tuple(sorted({need for run in wanted for need in _lacking(run.rule, facts)}))


def _lacking(rule: Rule, facts: Facts) -> list[Need]:
    """The needs a rule lacks; without draft orders to read, its wants when it lacks every
    one of them.
    """
    wants, known = rule.all_wants, facts.available
    if not known.issuperset(rule.all_needs):
        return sorted(rule.all_needs - known)
    return sorted(wants) if wants and wants.isdisjoint(known) and not _drafting(facts) else []


def _drafting(facts: Facts) -> bool:
    """Whether there are draft orders to read."""
    requests = (*facts.requests, *facts.devices)
    return bool(facts.drafts) or any(request.draft for request in requests)


def _emergency(call: Call, failed: Failed) -> bool:
    """Whether list S is in force; a failure there silences nothing."""
    try:
        return Known(call, _LIST_S).derived(emergency)
    except Withdrawn:
        return False
    except Exception as error:
        failed("list S", error)
        return False


def _not_evaluated(
    run: _Run, kept: tuple[Criterion, ...], is_emergency: bool
) -> list[NotEvaluated]:
    """The criteria of a rule that did not run, and those left UNKNOWN for want of a need."""
    if run.why:
        return [
            NotEvaluated(name, run.rule.card, run.why, _serious(run, name))
            for name, c in run.awake.items()
            if not (is_emergency and c.routine)
        ]
    return [
        NotEvaluated(
            c.name, run.rule.card, "not available: " + ", ".join(c.missing), _serious(run, c.name)
        )
        for c in kept
        if c.missing and c.status is not MET
    ]


def _serious(run: _Run, name: str) -> bool:
    """Whether a criterion could have warned this patient's clinician."""
    return run.applies is not False and run.awake[name].worst.severity >= WARNING.severity


def _worst(criteria: tuple[Criterion, ...]) -> Indicator | None:
    met = [c.indicator for c in criteria if c.status is MET]
    return max(met, key=lambda i: i.severity) if met else None
