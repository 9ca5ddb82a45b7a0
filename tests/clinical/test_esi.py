"""The checklist of an epidural injection."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings

from cds_service.clinical.criteria import NOT_MET, UNKNOWN
from cds_service.clinical.dates import on
from cds_service.clinical.esi_checklist import ALL_MET, EsiChecks, esi_checks, units
from cds_service.clinical.esi_course import EsiCourse, esi_course
from cds_service.clinical.facts import Need, Quantity, Request
from cds_service.knowledge.drugs.model import DrugClass
from tests.changes import replace
from tests.clinical.spine_charts import (
    AS_OF,
    ago,
    chart,
    charts,
    code,
    concluded,
    condition,
    order,
    procedure,
    request,
    result,
    visit,
    withheld,
    without,
)

RADICULAR = condition(1, "ICD10CM#M5416", ago(60))
PT = visit(1, "CPT#97110", 45, "NUCC#225100000X")
DRAFT = replace(
    request(9, "CPT#62323", None, "draft", draft=True), reasons=frozenset({code("ICD10CM#M5416")})
)
CHECKED = {
    Need.CONDITIONS,
    Need.OBSERVATIONS,
    Need.PROCEDURES,
    Need.ENCOUNTERS,
    Need.MEDICATIONS,
    Need.ALLERGIES,
}


def checks(*facts: object) -> EsiChecks:
    return concluded(esi_checks, chart(DRAFT, *facts, hook="order-sign"))


def course(*facts: object) -> EsiCourse:
    return concluded(esi_course, chart(DRAFT, *facts, hook="order-sign"))


@settings(deadline=None)
@given(charts, withheld)
def test_criteria_are_never_met_while_something_could_not_be_read(
    facts: list[object], needs: set[Need]
) -> None:
    whole = chart(DRAFT, RADICULAR, PT, *facts, hook="order-sign")
    known = concluded(esi_checks, without(whole, needs))
    assert not (needs & CHECKED) or known.result != ALL_MET
    for check in known.checks.values():
        assert check.broken.status is not UNKNOWN or check.item.settle
        assert (check.item.state == "met") is (check.broken.status is NOT_MET)


@settings(deadline=None)
@given(charts)
def test_every_item_shows_what_it_rests_on(facts: list[object]) -> None:
    whole = chart(DRAFT, RADICULAR, PT, *facts, hook="order-sign")
    refs = {getattr(fact, "ref", "") for fact in (*facts, DRAFT, RADICULAR, PT)}
    for check in concluded(esi_checks, whole).checks.values():
        assert set(check.broken.refs) <= refs


def test_a_complete_chart_meets_every_criterion() -> None:
    found = checks(RADICULAR, PT)
    assert found.result == ALL_MET
    assert found.answers[0].value == ALL_MET
    assert [item.state for item in found.items] == ["met"] * len(found.items)


def test_a_reason_by_reference_counts_as_its_condition() -> None:
    named = replace(DRAFT, reasons=frozenset(), reason_refs=("Condition/1",))
    facts = chart(named, RADICULAR, hook="order-sign")
    assert concluded(esi_course, facts).indication.supported is True
    considered = replace(RADICULAR, verification="differential")
    assert concluded(esi_course, chart(named, considered)).indication.supported is False
    assert concluded(esi_course, without(facts, {Need.CONDITIONS})).indication.supported is None


@pytest.mark.parametrize(
    ("drug_class", "days", "documented"),
    [
        (DrugClass.NSAID, 28, True),
        (DrugClass.NSAID, 27, False),
        (DrugClass.MUSCLE_RELAXANT, 180, True),
        (DrugClass.OTHER_NONOPIOID, 181, False),
        (DrugClass.OPIOID, 60, False),
    ],
)
def test_what_counts_as_conservative_care(
    drug_class: DrugClass, days: int, documented: bool
) -> None:
    found = course(
        condition(1, "ICD10CM#M5416", ago(200)), order(1, drug_class, days, 14, "completed")
    )
    assert found.no_care.met is not documented


def test_orders_never_given_are_no_care() -> None:
    given_once = order(1, DrugClass.NSAID, 60, 14, "completed")
    for never in (
        replace(given_once, status="cancelled"),
        replace(given_once, intent="proposal"),
        replace(given_once, do_not_perform=True),
        replace(given_once, draft=True, status="draft"),
    ):
        assert course(RADICULAR, never).no_care.met


def test_an_injection_put_off_long_enough_is_not_too_early() -> None:
    early = condition(1, "ICD10CM#M5416", ago(20))
    assert course(early).short_pain.met
    assert course(early).earliest == AS_OF + timedelta(days=8)
    later = replace(DRAFT, occurs=on(AS_OF + timedelta(days=8)))
    assert not concluded(esi_course, chart(later, early)).short_pain.met


def test_the_oldest_condition_decides_how_long_there_has_been_pain() -> None:
    found = course(condition(1, "ICD10CM#M5416", ago(5)), condition(2, "ICD10CM#M5450", ago(40)))
    assert not found.short_pain.met
    in_doubt = condition(2, "ICD10CM#M5450", ago(40), checked="unconfirmed")
    assert course(condition(1, "ICD10CM#M5416", ago(5)), in_doubt).short_pain.met


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("8", "4", True),
        ("8", "4.1", False),
        ("0", "0", False),
        (">8", "<4", True),
        ("<8", "4", False),
        ("8", ">3", False),
    ],
)
def test_relief_is_half_of_the_score_before(before: str, after: str, kept: bool) -> None:
    scores = (
        result(1, "LOINC#72514-3", before, "{score}", 101),
        result(2, "LOINC#72514-3", after, "{score}", 10),
    )
    assert course(RADICULAR, procedure(1, "CPT#62323", 100), *scores).no_relief.met is not kept


def test_scores_of_two_instruments_make_no_pair() -> None:
    scores = (
        result(1, "LOINC#72514-3", "8", "{score}", 101),
        result(2, "LOINC#97909-6", "2", "%", 10),
    )
    assert course(RADICULAR, procedure(1, "CPT#62323", 100), *scores).no_relief.met


def test_relief_that_is_shown_stays_open_while_injections_could_not_be_read() -> None:
    facts = chart(
        DRAFT,
        RADICULAR,
        procedure(1, "CPT#62323", 100),
        result(1, "LOINC#72514-3", "8", "{score}", 101),
        result(2, "LOINC#72514-3", "2", "{score}", 10),
    )
    assert concluded(esi_course, facts).no_relief.status is NOT_MET
    assert concluded(esi_course, without(facts, {Need.ENCOUNTERS})).no_relief.status is UNKNOWN
    elsewhere = concluded(esi_course, without(facts, {Need.CLAIMS}))
    assert elsewhere.no_relief.status is NOT_MET
    assert (elsewhere.sessions.status, elsewhere.sessions.missing) == (UNKNOWN, (Need.CLAIMS,))


def test_units_without_a_number_are_one_and_parts_round_up() -> None:
    assert units(DRAFT) == 1
    assert units(Request("ServiceRequest/1", quantity=Quantity(Decimal("1.5")))) == 2
