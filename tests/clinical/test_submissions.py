"""Requests to the payer, and what the payer decided."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.evaluate import evaluate
from cds_service.clinical.facts import Claim, ClaimResponse, Facts
from cds_service.clinical.rules import load_rules
from cds_service.clinical.submissions import Submission, business_days, submissions
from tests.changes import replace
from tests.clinical.spine_charts import AS_OF, BACK_PAIN, ago, chart, code, concluded, knowledge

KIND = frozenset({code("urn:cds-service:claim-type#therapy_mnr")})
OTHER = frozenset({code("urn:cds-service:claim-type#spine_office_visit_pa")})


def claim(ref: int, days: int, status: str = "active") -> Claim:
    return Claim(
        f"Claim/{ref}", KIND, status=status, when=ago(days), use="preauthorization", complete=True
    )


def answer(
    ref: int, days: int, *decisions: str, request: str = "", outcome: str = "complete"
) -> ClaimResponse:
    return ClaimResponse(
        f"ClaimResponse/{ref}",
        KIND,
        status="active",
        when=ago(days),
        request=request,
        outcome=outcome,
        decisions=frozenset(decisions),
    )


def found(*facts: Claim | ClaimResponse) -> tuple[Submission, ...]:
    claims = tuple(f for f in facts if isinstance(f, Claim))
    answers = tuple(f for f in facts if isinstance(f, ClaimResponse))
    whole: Facts = replace(chart(), claims=claims, claim_responses=answers)
    return concluded(submissions, whole).of("therapy_review")


@pytest.mark.parametrize(
    ("decisions", "outcome", "decision"),
    [
        (("A1",), "complete", "approved"),
        (("A2",), "complete", "partial"),
        (("A6",), "complete", "partial"),
        (("A3",), "complete", "denied"),
        (("A1", "A3"), "complete", "partial"),
        (("A4",), "complete", "pended"),
        ((), "queued", "pended"),
        ((), "complete", "answered"),
    ],
)
def test_what_the_payer_decided(decisions: tuple[str, ...], outcome: str, decision: str) -> None:
    (one,) = found(claim(1, 9), answer(1, 3, *decisions, request="Claim/1", outcome=outcome))
    assert one.decision == decision
    assert one.answered is (decision != "pended")
    assert one.refs == ("Claim/1", "ClaimResponse/1")


def test_the_latest_answer_stands() -> None:
    (one,) = found(
        claim(1, 9), answer(1, 6, "A3", request="Claim/1"), answer(2, 2, "A1", request="Claim/1")
    )
    assert one.decision == "approved"


def test_an_answer_without_a_request_belongs_to_the_last_one_before_it() -> None:
    first, second = found(claim(1, 30), claim(2, 9), answer(1, 20, "A3"))
    assert (first.decision, second.decision) == ("denied", "none")


def test_an_answer_to_a_request_that_is_not_on_file_stands_alone() -> None:
    (alone,) = found(answer(1, 5, "A3", request="Claim/77"))
    assert (alone.ref, alone.decision, alone.complete) == ("", "denied", None)
    (earlier,) = found(answer(1, 5, "A3"))
    assert earlier.decision == "denied"


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_an_answer_to_a_withdrawn_request_goes_with_it(status: str) -> None:
    assert found(claim(1, 9, status), answer(1, 5, "A3", request="Claim/1")) == ()


def test_a_request_names_the_earlier_ones_that_it_takes_up() -> None:
    first, second = found(claim(1, 9), replace(claim(2, 5), related=("Claim/1",)))
    assert (first.updates, second.updates) == ((), (first.ref,))


def test_a_request_that_a_later_one_takes_up_is_not_waited_for() -> None:
    rules = (load_rules()["therapy-medical-necessity-review"],)
    answered = answer(1, 3, "A1", request="Claim/2")

    def waited_for(later: Claim) -> bool:
        facts = replace(chart(BACK_PAIN), claims=(claim(1, 20), later), claim_responses=(answered,))
        findings = evaluate(rules, facts, knowledge(), knowledge().payers).findings
        said = {criterion.name for finding in findings for criterion in finding.criteria}
        return "review-turnaround-exceeded" in said

    assert waited_for(claim(2, 15))
    assert not waited_for(replace(claim(2, 15), related=("Claim/1",)))


def test_what_was_never_sent_or_lies_ahead_is_left_out() -> None:
    assert found(claim(1, 9, "cancelled"), claim(2, 9, "entered-in-error"), claim(3, -2)) == ()
    assert found(replace(claim(1, 9), codes=OTHER)) == ()


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(0, 400))
def test_business_days_are_five_a_week(since: date, days: int) -> None:
    until = since + timedelta(days=days)
    assert business_days(since, until + timedelta(days=7)) == business_days(since, until) + 5
    assert business_days(since, since) == 0


def test_a_payers_holidays_are_no_business_days() -> None:
    friday, monday = date(2026, 7, 3), date(2026, 7, 6)
    assert business_days(date(2026, 7, 2), monday) == 2
    assert business_days(date(2026, 7, 2), monday, frozenset({friday})) == 1


def test_a_draft_is_for_a_few_days_a_request_being_prepared() -> None:
    drafts = tuple(claim(days, days, "draft") for days in (0, 3, 4))
    later = claim(9, -1, "draft")
    known = concluded(submissions, replace(chart(), claims=(*drafts, later)))
    assert known.drafted == {
        "therapy_review": (AS_OF, AS_OF - timedelta(days=3)),
        "spine_visit": (),
    }
    assert known.of("therapy_review") == ()
