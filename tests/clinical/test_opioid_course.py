"""How long opioids have been taken, and how long the order being signed makes it."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.clinical.dates import FAR_PAST, FuzzyDate, Span, on
from cds_service.clinical.facts import Dispense, Order, Statement
from cds_service.clinical.opioid_course import Course, opioid_course
from cds_service.knowledge.codes import Code
from tests.clinical.prescriptions import AS_OF, chart, derived, dose, drug, facts, order

OXYCODONE_10, MORPHINE_15, SUBOXONE = "1049683", "892582", "1010604"
FOUR = dose(1, times=4)


def ago(number: int) -> date:
    """So many days before the as-of date."""
    return AS_OF - timedelta(days=number)


def course(*orders: Order, **more: object) -> Course | None:
    """The course these orders make."""
    return derived(opioid_course, facts(*orders, **more))  # type: ignore[arg-type]


def filled(start: int, supply: int, ref: str, **more: object) -> Order:
    """An order written `start` days ago for `supply` days."""
    return chart(OXYCODONE_10, FOUR, written=ago(start), supply=supply, ref=ref, **more)


def must(found: Course | None) -> Course:
    """The course, which there is."""
    assert found is not None
    return found


def test_a_first_order_starts_today() -> None:
    found = must(course(order(OXYCODONE_10, FOUR, supply=7)))
    assert (found.start, found.days, found.projected_days, found.phase, found.current) == (
        AS_OF,
        0,
        7,
        "acute",
        True,
    )
    assert must(course(order(OXYCODONE_10, FOUR))).projected_days == 0


def test_orders_chain_over_gaps_up_to_the_limit() -> None:
    joined = must(
        course(filled(60, 20, "a"), filled(26, 30, "b"), order(OXYCODONE_10, FOUR, supply=7))
    )
    assert (joined.start, joined.days, joined.projected_days) == (ago(60), 60, 67)
    assert joined.references == ("a", "b", "MedicationRequest/rx1")
    apart = must(
        course(filled(60, 20, "a"), filled(25, 30, "b"), order(OXYCODONE_10, FOUR, supply=7))
    )
    assert apart.start == ago(25)


def test_a_course_is_current_while_supply_lasts() -> None:
    assert must(course(filled(20, 30, "a"))).current
    ended = must(course(filled(40, 30, "a")))
    assert (ended.current, ended.days) == (False, 40)
    assert course(filled(60, 30, "a")) is None
    again = must(course(filled(60, 30, "a"), order(OXYCODONE_10, FOUR, supply=5)))
    assert again.start == AS_OF


def test_an_active_order_without_a_supply_length_runs_to_today() -> None:
    assert must(course(chart(OXYCODONE_10, FOUR, written=ago(100)))).phase == "chronic"
    assert (
        must(course(chart(OXYCODONE_10, FOUR, written=ago(10), status="completed"))).current
        is False
    )


def test_refills_lengthen_and_stopping_shortens() -> None:
    assert must(course(filled(50, 30, "a", refills=1))).current
    stopped = must(course(filled(50, 30, "a", refills=2, status="stopped")))
    assert not stopped.current
    assert must(course(order(OXYCODONE_10, FOUR, supply=10, refills=2))).projected_days == 30


@pytest.mark.parametrize(
    ("supply", "phase"), [(27, "acute"), (28, "subacute"), (90, "subacute"), (91, "chronic")]
)
def test_phases(supply: int, phase: str) -> None:
    assert must(course(order(OXYCODONE_10, FOUR, supply=supply))).phase == phase


def test_treatment_of_opioid_use_disorder_is_no_course() -> None:
    assert course(chart(SUBOXONE, dose(1, "film", times=2), written=ago(30))) is None
    reason = frozenset({Code("ICD10CM", "F1120")})
    assert course(order("864706", dose(1, times=3), reasons=reason)) is None
    handed = Dispense(
        "MedicationDispense/1",
        status="completed",
        when=on(ago(5)),
        drug=drug(SUBOXONE),
        opioid=True,
        supply_days=30,
    )
    assert course(dispenses=(handed,)) is None
    said = Statement("MedicationStatement/1", status="active", drug=drug(SUBOXONE), opioid=True)
    assert course(statements=(said,)) is None


def test_dispenses_and_statements_are_part_of_it() -> None:
    handed = Dispense(
        "MedicationDispense/1",
        status="completed",
        when=on(ago(40)),
        drug=drug(OXYCODONE_10),
        opioid=True,
        supply_days=30,
    )
    assert must(course(order(OXYCODONE_10, FOUR, supply=5), dispenses=(handed,))).days == 40
    assert must(course(dispenses=(handed,))).labels == (
        "oxycodone hydrochloride 10 MG Oral Tablet",
    )
    said = Statement(
        "MedicationStatement/1",
        text="oxycodone",
        status="active",
        drug=drug(OXYCODONE_10),
        opioid=True,
        span=Span(ago(70)),
    )
    found = must(course(statements=(said,)))
    assert (found.days, found.current) == (70, True)


def test_what_was_taken_before_is_part_of_it() -> None:
    def before(status: str, span: Span, when: FuzzyDate | None = None) -> int:
        said = Statement(
            "MedicationStatement/1",
            status=status,
            when=when,
            drug=drug(OXYCODONE_10),
            opioid=True,
            span=span,
        )
        return must(course(filled(10, 30, "a"), statements=(said,))).days

    assert before("completed", Span(ago(60), ago(20))) == 60
    assert before("active", Span(ago(60), ago(20))) == 60
    assert before("completed", Span(ago(60), ago(25))) == 10  # a gap of 15 days
    assert before("completed", Span(ago(60))) == 10  # over, and nobody says since when
    assert before("not-taken", Span(ago(60), ago(20))) == 10
    assert before("active", Span(ago(-5), ago(-9))) == 10  # still to come
    # Only the end is told: it covers that day, whenever it was reported.
    assert before("completed", Span(FAR_PAST, ago(20)), when=on(ago(15))) == 21


def test_orders_never_meant_to_be_taken_are_no_course() -> None:
    for status in ("cancelled", "entered-in-error", "draft"):
        assert course(filled(20, 30, "a", status=status)) is None
    assert course(filled(20, 30, "a", do_not_perform=True)) is None
    assert course(filled(20, 30, "a", intent="proposal")) is None


@st.composite
def histories(draw: st.DrawFn) -> list[Order]:
    """Some orders of the last year."""
    size = draw(st.integers(1, 8))
    return [
        filled(draw(st.integers(0, 365)), draw(st.integers(1, 60)), f"r{n}") for n in range(size)
    ]


@settings(max_examples=80, deadline=None)
@given(histories(), st.integers(0, 1000))
def test_the_order_of_orders_never_matters(orders: list[Order], seed: int) -> None:
    mixed = list(orders)
    random.Random(seed).shuffle(mixed)
    assert course(*orders) == course(*mixed)


@settings(max_examples=80, deadline=None)
@given(histories())
def test_one_more_order_never_shortens_a_course(orders: list[Order]) -> None:
    lengths = [found.days if (found := course(*orders[:n])) else -1 for n in range(len(orders) + 1)]
    assert lengths == sorted(lengths)
