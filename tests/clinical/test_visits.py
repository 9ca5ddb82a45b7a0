"""Visits and open requests by kind."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings

from cds_service.clinical.dates import fuzzy
from cds_service.clinical.facts import Claim, ClaimLine, Need
from cds_service.clinical.referrals import referrals
from cds_service.clinical.visits import KINDS, visits
from tests.changes import replace
from tests.clinical.spine_charts import (
    AS_OF,
    ago,
    chart,
    charts,
    code,
    concluded,
    procedure,
    request,
    visit,
    withheld,
    without,
)

PT = ("CPT#97110", "NUCC#225100000X")


def claim(use: str, status: str = "active", days: int | None = 5) -> Claim:
    line = ClaimLine(frozenset({code("CPT#97140")}), None if days is None else ago(days))
    return Claim("Claim/1", status=status, when=ago(1), use=use, lines=(line,))


def test_several_records_of_one_day_are_one_visit() -> None:
    facts = replace(
        chart(visit(1, PT[0], 5, PT[1]), procedure(1, "CPT#97110", 5)), claims=(claim("claim"),)
    )
    (seen,) = concluded(visits, facts).of("pt")
    assert seen.refs == ("Claim/1", "Encounter/1", "Procedure/1")


def test_what_is_no_visit() -> None:
    facts = chart(
        replace(visit(1, *PT[:1], 5, PT[1]), status="planned"),
        replace(procedure(1, "CPT#97110", 5), status="not-done"),
        visit(2, PT[0], -1, PT[1]),
        replace(visit(3, PT[0], 5, PT[1]), when=None),
    )
    assert concluded(visits, facts).of("pt") == ()


def test_a_claim_attests_a_visit_only_when_it_bills_one() -> None:
    for billed in (
        claim("preauthorization"),
        claim("claim", "cancelled"),
        claim("claim", days=None),
    ):
        assert concluded(visits, replace(chart(), claims=(billed,))).of("pt") == ()


def test_windows_include_both_ends() -> None:
    seen = concluded(visits, chart(visit(1, PT[0], 90, PT[1]), visit(2, PT[0], 0, PT[1])))
    assert len(seen.of("pt", 90)) == 2
    assert len(seen.of("pt", 89)) == 1


def test_a_specialty_makes_a_visit_where_there_is_no_code_for_one() -> None:
    seen = concluded(visits, chart(visit(1, "CPT#99213", 5, "NUCC#208VP0000X")))
    assert [kind for kind in KINDS if seen.of(kind)] == ["pain", "office"]


def test_a_referral_code_on_a_visit_is_not_attendance() -> None:
    seen = concluded(visits, chart(visit(1, "SNOMED#1254709001", 5)))
    assert seen.of("sud") == ()


def test_a_partial_date_counts_as_its_last_day_but_not_after_today() -> None:
    this_month = replace(visit(1, PT[0], 5, PT[1]), when=fuzzy("2025-06"))
    spring = replace(visit(2, PT[0], 5, PT[1]), when=fuzzy("2025-04"))
    days = [one.day.isoformat() for one in concluded(visits, chart(this_month, spring)).of("pt")]
    assert days == ["2025-04-30", AS_OF.isoformat()]


@settings(deadline=None)
@given(charts, withheld)
def test_unread_records_only_take_visits_away_and_are_named(
    facts: list[object], needs: set[Need]
) -> None:
    whole, part = concluded(visits, chart(*facts)), concluded(visits, without(chart(*facts), needs))
    for kind in KINDS:
        assert {v.day for v in part.of(kind)} <= {v.day for v in whole.of(kind)}
    assert set(part.unknown) == needs & {Need.ENCOUNTERS, Need.PROCEDURES}
    assert set(part.elsewhere) == needs & {Need.CLAIMS, Need.BENEFITS}


@settings(deadline=None)
@given(charts)
def test_the_order_of_the_chart_does_not_matter(facts: list[object]) -> None:
    there, back = (concluded(visits, chart(*each)) for each in (facts, reversed(facts)))
    assert [there.of(kind) for kind in KINDS] == [back.of(kind) for kind in KINDS]


def test_open_requests_by_code_or_specialty() -> None:
    by_code = request(1, "SNOMED#444831000124102", 5)
    by_specialty = replace(
        request(2, "SNOMED#306206005", 5), performer_types=frozenset({code("NUCC#111N00000X")})
    )
    found = concluded(referrals, chart(by_code, by_specialty))
    assert [r.ref for r in found.therapy()] == ["ServiceRequest/1", "ServiceRequest/2"]
    assert found.open("chiropractic") == (by_specialty,)
    assert found.unknown == ()


def test_requests_that_are_over_or_lie_ahead_are_not_open() -> None:
    over = (
        request(n, "SNOMED#308449000", 5, status)
        for n, status in enumerate(("completed", "revoked"))
    )
    ahead = request(9, "SNOMED#308449000", -3)
    assert concluded(referrals, chart(*over, ahead)).therapy() == ()


def test_a_draft_and_an_undated_request_are_of_today() -> None:
    draft = request(1, "SNOMED#308449000", 400, "active", draft=True)
    undated = request(3, "SNOMED#308449000", None)
    found = concluded(referrals, chart(draft, undated))
    assert [r.ref for r in found.open("chiropractic", 0)] == [
        "ServiceRequest/1",
        "ServiceRequest/3",
    ]


def test_a_request_that_is_done_was_made_when_it_says() -> None:
    kinds = ("chiropractic",)
    day = AS_OF - timedelta(days=5)
    for days, made in ((5, True), (6, False), (None, False), (-1, False)):
        done = request(1, "SNOMED#308449000", days, "completed")
        assert concluded(referrals, chart(done)).since(kinds, day) is made
    for days, made in ((5, True), (6, False), (None, True)):
        asked = request(1, "SNOMED#308449000", days)
        assert concluded(referrals, chart(asked)).since(kinds, day) is made
    assert not concluded(referrals, chart()).since(kinds, day)


def test_unread_requests_are_named() -> None:
    assert concluded(referrals, without(chart(), {Need.SERVICE_REQUESTS})).unknown == (
        Need.SERVICE_REQUESTS,
    )
