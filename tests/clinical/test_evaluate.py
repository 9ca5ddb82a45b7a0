"""What happens to an answer when a rule or its knowledge fails, and what a rule may ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest

from cds_service.clinical.criteria import (
    MET,
    NOT_MET,
    WARNING,
    Criterion,
    Evaluation,
    NotEvaluated,
)
from cds_service.clinical.evaluate import INTERNAL_ERROR, evaluate
from cds_service.clinical.facts import Coverage, Facts, Need
from cds_service.clinical.red_flags import emergency
from cds_service.clinical.rule import (
    Asker,
    Call,
    Declares,
    Known,
    Rule,
    Undeclared,
    Withdrawn,
    always,
    declared,
    reasoning_of,
    rule,
    rules,
)
from cds_service.clinical.rules import load_rules
from cds_service.knowledge.model import InForce
from tests.changes import replace
from tests.clinical.spine_charts import ADULT, AS_OF, BACK_PAIN, knowledge

CHART = Facts(AS_OF, "patient-view", patient=ADULT, conditions=(BACK_PAIN,))
DOSE = "opioid.dose_caution"
Heard = list[tuple[str, str]]


def speaking(name: str, says: str = "", *, routine: bool = False, reads: str = "") -> Rule:
    """A rule whose one criterion is met, yielded under the name `says`."""

    def function(facts: Facts, known: Known) -> Iterator[Criterion]:
        if reads:
            known.number(reads)
        yield Criterion(says or name, MET, WARNING)

    return Rule(
        card=f"{name}-card",
        function=function,
        hooks=("patient-view",),
        applies=always,
        needs=frozenset(),
        wants=frozenset(),
        uses=(),
        numbers=frozenset({reads} if reads else ()),
        codes=frozenset(),
        criteria={name: declared(name, worst=WARNING, routine=routine)},
        doc="",
    )


def run(*asked: Rule, call: Call | None = None) -> tuple[Evaluation, Heard]:
    heard: Heard = []
    found = evaluate(
        asked,
        CHART,
        knowledge(),
        failed=lambda name, error: heard.append((name, type(error).__name__)),
        call=call,
    )
    return found, heard


def without(*numbers: str) -> Call:
    """A call on a day on which these numbers are withdrawn."""
    call = Call(CHART, knowledge())
    left = {name: n for name, n in call.in_force.numbers.items() if name not in numbers}
    call.in_force = InForce(left, frozenset(numbers))
    return call


def named(found: Evaluation) -> list[str]:
    return [criterion.name for finding in found.findings for criterion in finding.criteria]


def test_a_criterion_that_is_not_declared_fails_its_rule_alone() -> None:
    found, heard = run(speaking("one", says="another"), speaking("two"))
    assert named(found) == ["two"]
    assert heard == [("one-card", "ValueError")]
    assert found.not_evaluated == (NotEvaluated("one", "one-card", INTERNAL_ERROR, True),)


def test_a_withdrawn_number_silences_what_is_built_on_it_and_says_so() -> None:
    found, heard = run(speaking("one", reads=DOSE), speaking("two"), call=without(DOSE))
    assert named(found) == ["two"]
    assert heard == []  # a decision of those who keep the numbers, no fault
    why = f"the number {DOSE} is withdrawn"
    assert found.not_evaluated == (NotEvaluated("one", "one-card", why, True),)
    assert [trace.failed for trace in found.trace] == [why, ""]


def test_a_number_that_shared_reasoning_withdraws_is_found_when_it_is_read() -> None:
    call = without(DOSE)
    asker = Asker("test", numbers=frozenset({DOSE}))
    with pytest.raises(Withdrawn, match=DOSE):
        Known(call, asker).number(DOSE)


def test_list_s_without_its_numbers_silences_nothing() -> None:
    numbers = tuple(Call(CHART, knowledge()).in_force.numbers)
    found, heard = run(speaking("one", routine=True), call=without(*numbers))
    assert named(found) == ["one"]
    assert heard == []
    assert not found.emergency


def test_list_s_that_fails_silences_nothing_and_is_heard_of() -> None:
    call = Call(CHART, knowledge())
    call.facts = None  # type: ignore[assignment]  # what no reasoning expects
    found, heard = run(speaking("one", routine=True), call=call)
    assert "list S" in [name for name, _ in heard]
    assert not found.emergency


def test_an_emergency_silences_routine_criteria_only() -> None:
    call = Call(CHART, knowledge())
    call.cache[emergency] = True
    found, _ = run(speaking("one", routine=True), speaking("two"), call=call)
    assert named(found) == ["two"]
    assert found.emergency


@pytest.mark.parametrize(
    "ask",
    [
        lambda known: known.number(DOSE),
        lambda known: known.codes("opioid-overdose"),
        lambda known: known.sorting(("opioid-overdose",)),
        lambda known: known.derived(emergency),
    ],
    ids=["number", "value set", "several value sets", "shared reasoning"],
)
def test_what_is_not_declared_cannot_be_asked_for(ask: Callable[[Known], object]) -> None:
    with pytest.raises(Undeclared, match="nobody"):
        ask(Known(Call(CHART, knowledge()), Asker("nobody")))


@pytest.mark.parametrize(
    ("asker", "name"),
    [(speaking("one"), "one-card"), (reasoning_of(emergency), "emergency")],
    ids=["rule", "shared reasoning"],
)
def test_the_fault_of_asking_undeclared_names_who_asked(asker: Declares, name: str) -> None:
    with pytest.raises(Undeclared, match=f"^{name} does not declare the number {DOSE}$"):
        Known(Call(CHART, knowledge()), asker).number(DOSE)


def test_a_criterion_that_is_not_met_is_neither_found_nor_missed() -> None:
    def function(facts: Facts, known: Known) -> Iterator[Criterion]:
        yield Criterion("one", NOT_MET, WARNING)

    found, _ = run(replace(speaking("one"), function=function))
    assert (found.findings, found.not_evaluated) == ((), ())
    assert found.trace[0].criteria == ()


def test_a_module_holds_one_rule() -> None:
    load_rules()
    taken = next(iter(rules().values()))
    with pytest.raises(ValueError, match="two rules in one module"):
        rule(hooks=("patient-view",), criteria=())(taken.function)


def test_the_numbers_of_many_days_are_not_all_kept() -> None:
    known = knowledge()
    first = known.in_force(date(2020, 1, 1))
    for days in range(70):
        known.in_force(date(2020, 1, 1) + timedelta(days=days))
    assert known.in_force(date(2020, 1, 1)) == first


@pytest.mark.parametrize(
    ("cover", "reported"),
    [
        (Coverage("Coverage/1", status="active", payor_unread=True), True),
        (Coverage("Coverage/1", status="cancelled", payor_unread=True), False),
        (Coverage("Coverage/1", status="active", names=("Plan Seven",)), False),
    ],
)
def test_a_payer_that_could_not_be_read_might_have_turned_something_on(
    cover: Coverage, reported: bool
) -> None:
    chart = replace(CHART, coverages=(cover,), available=frozenset(Need))
    asked = speaking("one")
    gated = replace(asked, criteria={"one": declared("one", worst=WARNING, gated=True)})
    found = evaluate((gated,), chart, knowledge())
    why = "not available: coverages"
    assert found.not_evaluated == ((NotEvaluated("one", "one-card", why),) if reported else ())
    assert found.findings == ()
