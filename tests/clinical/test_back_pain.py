"""The low back pain context."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings

from cds_service.clinical.back_pain import adult_back_pain, back_pain, has_back_pain
from cds_service.clinical.dates import fuzzy, on
from cds_service.clinical.facts import Facts, Need, Patient
from cds_service.clinical.rule import Asker, Call, Known
from cds_service.knowledge.drugs.model import DrugClass
from tests.changes import replace
from tests.clinical.spine_charts import (
    BACK_PAIN,
    ago,
    chart,
    charts,
    code,
    concluded,
    condition,
    knowledge,
    order,
    request,
    without,
)


def applied(facts: Facts, adult: bool = False) -> bool | None:
    known = Known(Call(facts, knowledge()), Asker("test", (back_pain,)))
    return adult_back_pain(facts, known) if adult else has_back_pain(facts, known)


def test_onset_is_the_earliest_of_the_active_conditions() -> None:
    later = condition(1, "ICD10CM#M5416", ago(12))
    resolved = condition(2, "ICD10CM#M5450", ago(300), "resolved")
    found = concluded(back_pain, chart(later, BACK_PAIN, resolved))
    assert (found.days, found.references) == (40, ("Condition/0", "Condition/1"))


def test_days_are_counted_from_the_latest_reading_of_a_partial_onset() -> None:
    found = concluded(back_pain, chart(condition(1, "ICD10CM#M5450", fuzzy("2025-05"))))
    assert found.days == 16
    this_year = concluded(back_pain, chart(condition(1, "ICD10CM#M5450", fuzzy("2025"))))
    assert this_year.days == 0


def test_onset_may_be_unknown() -> None:
    found = concluded(back_pain, chart(condition(1, "ICD10CM#M5450", None)))
    assert found.present and found.onset is None and found.days is None


@pytest.mark.parametrize("checked", ["provisional", "differential", "unconfirmed", "confirmed", ""])
def test_a_diagnosis_in_doubt_counts(checked: str) -> None:
    assert applied(chart(condition(1, "ICD10CM#M5450", ago(3), checked=checked))) is True


@pytest.mark.parametrize("checked", ["refuted", "entered-in-error"])
def test_a_diagnosis_taken_back_does_not(checked: str) -> None:
    assert applied(chart(condition(1, "ICD10CM#M5450", ago(3), checked=checked))) is False


def test_the_reason_of_a_draft_gives_the_context() -> None:
    drafted = replace(
        request(1, "CPT#72148", 0, "draft", draft=True), reasons=frozenset({code("ICD10CM#M4806")})
    )
    found = concluded(back_pain, chart(drafted, hook="order-sign"))
    assert (found.present, found.conditions, found.references) == (True, (), ("ServiceRequest/1",))
    assert applied(chart(replace(drafted, draft=False))) is False


def test_a_draft_may_name_its_reason_by_reference() -> None:
    resolved = condition(7, "ICD10CM#M5450", ago(300), "resolved")
    drafted = replace(order(1, DrugClass.NSAID, 0, 5), draft=True, reason_refs=("Condition/7",))
    assert concluded(back_pain, chart(resolved, drafted)).references == ("MedicationRequest/1",)


@pytest.mark.parametrize(
    ("born", "expected"), [(date(2007, 6, 16), True), (date(2007, 6, 17), False)]
)
def test_adults_are_eighteen(born: date, expected: bool) -> None:
    facts = chart(BACK_PAIN, patient=Patient("Patient/1", on(born)))
    assert concluded(back_pain, facts).adult is expected
    assert applied(facts, adult=True) is expected


def test_an_unknown_age_leaves_adulthood_open() -> None:
    facts = chart(BACK_PAIN, patient=None)
    assert concluded(back_pain, facts).adult is None
    assert applied(facts, adult=True) is True


@settings(deadline=None)
@given(charts)
def test_conditions_that_could_not_be_read_leave_the_context_open(facts: list[object]) -> None:
    unread = without(chart(*facts), {Need.CONDITIONS})
    assert applied(unread) is None
    assert concluded(back_pain, unread).missing == (Need.CONDITIONS,)
