"""Start of treatment and response to it."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings

from cds_service.clinical.dates import fuzzy
from cds_service.clinical.facts import Goal, Need, Observation
from cds_service.clinical.treatment import Response, Treatment, treatment
from cds_service.knowledge.drugs.model import DrugClass
from tests.changes import replace
from tests.clinical.spine_charts import (
    AS_OF,
    BACK_PAIN,
    ago,
    chart,
    charts,
    concluded,
    condition,
    goal,
    order,
    procedure,
    result,
    visit,
    withheld,
    without,
)

PT = visit(1, "CPT#97110", 30, "NUCC#225100000X")


def odi(ref: int, value: str, days: int) -> Observation:
    return result(ref, "LOINC#97909-6", value, "%", days)


def response(*facts: object) -> Response:
    return concluded(treatment, chart(BACK_PAIN, PT, *facts)).response


@settings(deadline=None)
@given(charts, withheld)
def test_data_that_could_not_be_read_never_makes_a_bad_response(
    facts: list[object], needs: set[Need]
) -> None:
    measures = needs & {Need.OBSERVATIONS, Need.GOALS}
    whole = concluded(treatment, chart(*facts)).response
    part = concluded(treatment, without(chart(*facts), measures)).response
    assert part.verdict in (whole.verdict, "unknown")
    if part.verdict != whole.verdict:
        assert part.missing


@settings(deadline=None)
@given(charts, withheld)
def test_visits_and_orders_that_could_not_be_read_never_make_a_bad_response(
    facts: list[object], needs: set[Need]
) -> None:
    records = needs - {Need.CONDITIONS, Need.OBSERVATIONS, Need.GOALS}
    whole = concluded(treatment, chart(*facts)).response
    part = concluded(treatment, without(chart(*facts), records)).response
    assert not part.inadequate or whole.inadequate


def test_an_earlier_score_could_be_the_baseline_of_a_treatment_that_could_not_be_read() -> None:
    """60 to 40 since day 100 is a gain of a third; 45 to 40 since the known start is none."""
    scores = (odi(1, "60", 100), odi(2, "45", 30), odi(3, "40", 2))
    back_pain = condition(7, "ICD10CM#M5450", ago(150))
    known = chart(back_pain, PT, *scores)
    assert concluded(treatment, known).response.inadequate
    part = concluded(treatment, without(known, {Need.CLAIMS})).response
    assert (part.verdict, part.missing) == ("unknown", (Need.CLAIMS,))
    same = chart(back_pain, PT, *scores[1:])
    assert concluded(treatment, without(same, {Need.CLAIMS})).response.inadequate


@settings(deadline=None)
@given(charts)
def test_the_order_of_the_chart_does_not_matter(facts: list[object]) -> None:
    assert concluded(treatment, chart(*facts)) == concluded(treatment, chart(*reversed(facts)))


@settings(deadline=None)
@given(charts, withheld)
def test_unread_records_only_make_treatment_look_later(
    facts: list[object], needs: set[Need]
) -> None:
    records = needs - {Need.CONDITIONS}
    whole, part = (
        concluded(treatment, chart(*facts)),
        concluded(treatment, without(chart(*facts), records)),
    )
    assert part.start is None or (whole.start is not None and whole.start <= part.start)


@pytest.mark.parametrize(
    "given_first",
    [
        order(1, DrugClass.OPIOID, 35, 5, "completed"),
        order(1, DrugClass.NSAID, 35, 5, "stopped"),
        order(1, DrugClass.GABAPENTINOID, 35, 60),
        procedure(1, "CPT#62323", 35),
        visit(2, "CPT#98940", 35),
    ],
)
def test_what_begins_treatment(given_first: object) -> None:
    found = concluded(treatment, chart(BACK_PAIN, PT, given_first))
    assert (found.start, found.days) == (AS_OF - timedelta(days=35), 35)
    assert len(found.tried) == 2


@pytest.mark.parametrize(
    "not_given",
    [
        replace(order(1, DrugClass.NSAID, 35, 5), status="cancelled"),
        replace(order(1, DrugClass.NSAID, 35, 5), intent="plan"),
        replace(order(1, DrugClass.NSAID, 35, 5), draft=True),
        replace(order(1, DrugClass.NSAID, 35, 5), do_not_perform=True),
        order(1, DrugClass.ANTICOAGULANT, 35, 5),
        replace(order(1, DrugClass.NSAID, 35, 5), span=None, when=None),
    ],
)
def test_what_does_not_begin_treatment(not_given: object) -> None:
    assert concluded(treatment, chart(BACK_PAIN, PT, not_given)).days == 30


def test_an_order_without_a_supply_begins_when_it_was_written() -> None:
    undated_end = replace(order(1, DrugClass.NSAID, 35, 5), span=None)
    assert concluded(treatment, chart(BACK_PAIN, PT, undated_end)).days == 35


def test_without_treatment_there_is_no_response() -> None:
    assert concluded(treatment, chart(BACK_PAIN, odi(1, "40", 30), odi(2, "40", 2))) == Treatment()
    scored = chart(BACK_PAIN, odi(1, "40", 30), odi(2, "40", 2))
    unread = concluded(treatment, without(scored, {Need.ENCOUNTERS}))
    assert unread.response.missing == (Need.ENCOUNTERS,)
    unscored = concluded(treatment, without(chart(BACK_PAIN), {Need.ENCOUNTERS}))
    assert unscored.response.missing == (), "without any score visits would settle nothing"


def test_the_change_is_exact() -> None:
    found = response(odi(1, "45", 30), odi(2, "32", 2))
    assert (found.verdict, found.change) == ("inadequate", Fraction(1300, 45))
    assert found.inadequate and not found.adequate
    assert found.references == ("Observation/1", "Observation/2")


def test_the_kinder_score_of_a_day_counts() -> None:
    found = response(odi(1, "40", 30), odi(2, "30", 30), odi(3, "36", 2), odi(4, "28", 2))
    assert (found.verdict, found.change) == ("adequate", Fraction(30))


def test_a_baseline_of_zero_says_nothing() -> None:
    assert response(odi(1, "0", 30), odi(2, "10", 2)).verdict == "unknown"


def test_a_score_without_a_value_is_left_out() -> None:
    empty = replace(odi(3, "40", 1), value=None)
    assert response(odi(1, "40", 30), odi(2, "10", 2), empty).verdict == "adequate"


@pytest.mark.parametrize(("first", "last"), [("<40", "38"), ("40", ">38")])
def test_a_score_that_is_only_known_to_lie_on_a_side_says_nothing(first: str, last: str) -> None:
    assert response(odi(1, first, 30), odi(2, last, 2)).verdict == "unknown"


def test_worse_is_inadequate() -> None:
    assert response(odi(1, "40", 30), odi(2, "50", 2)).change == -25


@pytest.mark.parametrize(
    ("goals", "verdict"),
    [
        ([goal(1, "improving", 3)], "adequate"),
        ([goal(1, "not-attainable", 3)], "inadequate"),
        ([goal(1, "in-progress", 3)], "unknown"),
        ([goal(1, "", 3)], "unknown"),
        ([goal(1, "achieved", 3), goal(2, "no-change", 3)], "unknown"),
        ([goal(1, "achieved", 3), goal(2, "no-change", 9)], "adequate"),
        ([goal(1, "no-progress", -3)], "unknown"),
        ([goal(1, "no-progress", 45)], "unknown"),
        ([replace(goal(1, "no-progress", 3), status="cancelled")], "unknown"),
        ([Goal("Goal/1", status="active", achievement="worsening")], "inadequate"),
    ],
)
def test_goals(goals: list[Goal], verdict: str) -> None:
    assert response(*goals).verdict == verdict


def test_without_an_onset_treatment_counts_for_half_a_year() -> None:
    undated = condition(0, "ICD10CM#M5450", None)
    early = order(1, DrugClass.NSAID, 180, 5, "completed")
    assert concluded(treatment, chart(undated, early)).days == 180
    assert (
        concluded(treatment, chart(undated, replace(early, span=None, when=ago(181)))).start is None
    )


def test_a_partial_date_of_this_month_began_before_today() -> None:
    written = replace(order(1, DrugClass.NSAID, 35, 5), span=None, when=fuzzy("2025-06"))
    assert concluded(treatment, chart(BACK_PAIN, written)).days == 0
