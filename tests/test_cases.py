"""Every worked case, by every road; and no number that a case would not notice."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.cases import REQUEST_ROADS, Case, House, Road, call_of, case_files, load_cases
from cds_service.knowledge.loader import load_knowledge
from cds_service.knowledge.model import Parameter

FOLDER = Path(__file__).parent / "cases"
KNOWLEDGE = load_knowledge()
CASES = tuple(
    case for file in case_files(FOLDER) for case in load_cases(file, KNOWLEDGE.system_urls)
)


@pytest.fixture(scope="module")
def house() -> House:
    return House()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case_by_the_direct_road(case: Case, house: House) -> None:
    assert not (found := house.run(case, Road.DIRECT)), f"{case}: {found}"


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_case_by_every_request_road_with_the_same_cards(case: Case, house: House) -> None:
    answers = [house.ask(call_of(case), road) for road in REQUEST_ROADS]
    first = answers[0]
    assert not (found := house.wrong(case, first)), f"{case}: {found}"
    for road, other in zip(REQUEST_ROADS[1:], answers[1:], strict=True):
        if case.withheld:  # why a need is missing is worded by the road
            assert not (found := house.wrong(case, other)), f"{case}: {found} by {road}"
        else:
            assert other.body == first.body, road


def test_an_answer_leaves_nothing_to_the_garbage_collector(house: House) -> None:
    """What is in a cycle outlives its call, chart and all, and costs time to find."""
    first = {(case.rule, case.hook): case for case in CASES}.values()
    calls = [call_of(case) for case in first]
    for call in calls:  # what is kept from call to call is made here
        house.ask(call, Road.PREFETCH)
    gc.collect()
    gc.freeze()
    try:
        for case, call in zip(first, calls, strict=True):
            house.ask(call, Road.PREFETCH)
            assert gc.collect() == 0, case
    finally:
        gc.unfreeze()


def nudged(parameter: Parameter) -> Iterator[Parameter]:
    """The parameter one unit of its last decimal place lower and higher."""
    for step in (-1, 1):
        values = tuple(
            one if one.value is None else replace(one, value=one.value + step * _unit(one.value))
            for one in parameter.values
        )
        yield replace(parameter, values=values)


def _unit(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return Decimal(1).scaleb(min(exponent, 0))


def _notices(case: Case, house: House, other: House) -> bool:
    """Whether the rule says something else; a case that looks into the answer looks there
    as well.
    """
    if other.direct(case) != house.direct(case):
        return True
    return bool(case.answer) and other.run(case, Road.PREFETCH) != []


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(KNOWLEDGE.parameters))
def test_some_case_notices_a_nudged_number(name: str, house: House) -> None:
    users = {card for card, rule in house.service.rules.items() if name in rule.all_numbers}
    concerned = [case for case in CASES if case.rule in users]
    assert concerned, "no rule that has cases reads it"
    for changed in nudged(KNOWLEDGE.parameters[name]):
        knowledge = replace(KNOWLEDGE, parameters={**KNOWLEDGE.parameters, name: changed})
        other = house.with_knowledge(knowledge)
        assert any(_notices(case, house, other) for case in concerned), (
            f"no case notices {name} = {changed.values[-1].value}"
        )
