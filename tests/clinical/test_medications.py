"""Which orders are being signed, current, coming, past or replaced."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service.clinical.dates import Span
from cds_service.clinical.facts import Facts, Order, Statement
from cds_service.clinical.medications import Medications, label_of, medications, same_drug
from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.model import DrugClass
from tests.changes import replace
from tests.clinical.prescriptions import AS_OF, chart, derived, dose, drug, facts, order

OXYCODONE_10, LORAZEPAM = "1049683", "197901"
FOUR = dose(1, times=4)


def sorted_out(*orders: Order, **more: object) -> Medications:
    """The medications of these orders."""
    given: Facts = facts(*orders, **more)  # type: ignore[arg-type]
    return derived(medications, given)


def refs(orders: tuple[Order, ...]) -> list[str]:
    """Their references."""
    return [o.ref for o in orders]


@pytest.mark.parametrize("status", ["draft", "active", "on-hold", "unknown", ""])
def test_a_draft_counts_whatever_its_status(status: str) -> None:
    assert sorted_out(order(OXYCODONE_10, FOUR, status=status)).drafts


def test_a_draft_not_to_be_carried_out_does_not() -> None:
    assert not sorted_out(order(OXYCODONE_10, FOUR, do_not_perform=True)).drafts


@pytest.mark.parametrize("intent", ["proposal", "plan"])
def test_a_proposal_counts_once_it_is_among_the_drafts(intent: str) -> None:
    assert sorted_out(order(OXYCODONE_10, FOUR, intent=intent)).drafts
    assert not sorted_out(chart(OXYCODONE_10, FOUR, intent=intent)).active


def test_chart_orders_by_time() -> None:
    ended = chart(OXYCODONE_10, FOUR, written=AS_OF - timedelta(days=30), supply=30, ref="ended")
    last_day = chart(OXYCODONE_10, FOUR, written=AS_OF - timedelta(days=29), supply=30, ref="last")
    later = chart(OXYCODONE_10, FOUR, written=AS_OF + timedelta(days=3), supply=30, ref="later")
    held = chart(OXYCODONE_10, FOUR, status="on-hold", ref="held")
    lost = chart(OXYCODONE_10, FOUR, status="", ref="lost")
    lost = Order(
        lost.ref, lost.codes, lost.text, "", lost.when, drug=lost.drug, sig=lost.sig, span=lost.span
    )
    found = sorted_out(ended, last_day, later, held, lost)
    assert refs(found.active_opioids) == ["last"]
    assert refs(found.coming) == ["later"]
    assert refs(found.past_opioids) == ["ended", "held"]
    assert refs(found.uncertain) == ["lost"]


def test_an_active_order_replaced_by_another_is_past() -> None:
    old = chart(OXYCODONE_10, FOUR, ref="old")
    assert refs(sorted_out(old, chart(OXYCODONE_10, FOUR, ref="new", prior="old")).active) == [
        "new"
    ]
    stopped = chart(OXYCODONE_10, FOUR, ref="new", prior="old", status="stopped")
    assert refs(sorted_out(old, stopped).active) == ["old"]
    circle = (
        chart(OXYCODONE_10, FOUR, ref="old", prior="new"),
        chart(OXYCODONE_10, FOUR, ref="new", prior="old"),
    )
    assert len(sorted_out(*circle).active) == 2


def test_a_draft_that_another_draft_renews_is_replaced_as_well() -> None:
    first = order(OXYCODONE_10, FOUR, ref="a", prior="0")
    second = order(OXYCODONE_10, dose(1, times=2), ref="b", prior="a")
    found = sorted_out(first, second, chart(OXYCODONE_10, FOUR, ref="0"))
    assert (refs(found.drafts), refs(found.replaced), found.active) == (["b"], ["0"], ())
    resigned = sorted_out(first, second, chart(OXYCODONE_10, FOUR, ref="a"))
    assert (refs(resigned.drafts), refs(resigned.active)) == (["b"], [])
    # The id may be that of another drug in the chart, which is the one that is renewed.
    elsewhere = sorted_out(first, second, chart(LORAZEPAM, FOUR, ref="a"))
    assert (refs(elsewhere.drafts), refs(elsewhere.active)) == (["a", "b"], [])
    twice = sorted_out(first, order(LORAZEPAM, FOUR, ref="a"), second)
    assert refs(twice.drafts) == ["a", "a", "b"]
    mutual = sorted_out(
        order(OXYCODONE_10, FOUR, ref="a", prior="b"),
        order(OXYCODONE_10, FOUR, ref="b", prior="a"),
    )
    assert refs(mutual.drafts) == ["a", "b"]


def test_a_draft_replaces_what_it_renews() -> None:
    current = chart(OXYCODONE_10, FOUR, ref="a")
    found = sorted_out(order(OXYCODONE_10, FOUR, ref="b", prior="a"), current)
    assert (refs(found.active), refs(found.replaced)) == ([], ["a"])
    same_id = sorted_out(order(OXYCODONE_10, FOUR, ref="a"), current)
    assert refs(same_id.replaced) == ["a"]
    other_drug = sorted_out(order(LORAZEPAM, FOUR, ref="a"), current)
    assert refs(other_drug.active) == ["a"]


def test_an_unknown_drug_that_is_signed_again_goes_by_its_name() -> None:
    current = chart(None, FOUR, ref="a")
    again = sorted_out(order(None, FOUR, ref="a"), current)
    assert (refs(again.active), refs(again.replaced)) == ([], ["a"])
    renamed = replace(order(None, FOUR, ref="a"), text="some drops")
    assert refs(sorted_out(renamed, current).active) == ["a"]
    assert refs(sorted_out(order(OXYCODONE_10, FOUR, ref="a"), current).active) == ["a"]


def test_an_id_twice_for_one_drug_is_one_order() -> None:
    assert len(sorted_out(chart(OXYCODONE_10, FOUR), chart(OXYCODONE_10, FOUR)).active) == 1
    assert len(sorted_out(chart(OXYCODONE_10, FOUR), chart(LORAZEPAM, FOUR)).active) == 2


def test_the_same_drug() -> None:
    assert same_drug(order("1049214", FOUR), order("1049216", FOUR)), "generic and brand"
    assert not same_drug(order(OXYCODONE_10, FOUR), order("1049502", FOUR))
    unknown = order(None, FOUR)
    assert same_drug(unknown, order(None, FOUR, ref="x"))
    assert not same_drug(unknown, order(OXYCODONE_10, FOUR))
    coded = frozenset({Code("RXNORM", "1")})
    assert same_drug(order(None, FOUR, codes=coded), order(OXYCODONE_10, FOUR, codes=coded))


def test_exposures_join_orders_and_statements() -> None:
    signed = order(OXYCODONE_10, FOUR, ref="d")
    taken = chart(LORAZEPAM, FOUR, ref="a", categories=frozenset({"inpatient"}))
    said = Statement("s", text="lorazepam", status="active", drug=drug(LORAZEPAM))
    other = Statement("t", status="active", drug=drug("106517"))
    based = Statement("u", status="active", drug=drug("106517"), based_on=("a",))
    ended = Statement(
        "v", status="active", drug=drug("106517"), span=Span(AS_OF - timedelta(days=9), AS_OF)
    )
    found = sorted_out(signed, taken, statements=(said, other, based, ended))
    sedatives = found.exposures(DrugClass.BENZODIAZEPINE)
    assert [(e.ref, e.basis, e.inpatient) for e in sedatives] == [
        ("a", "order", True),
        ("t", "statement", False),
    ]
    assert [e.draft for e in found.exposures(DrugClass.OPIOID, drafts=True)] == [True]
    assert found.exposures(DrugClass.OPIOID) == ()
    assert refs(found.opioid_drafts) == ["d"]


def test_an_opioid_by_name_is_an_opioid() -> None:
    named = order(None, FOUR, opioid=True)
    assert sorted_out(named).exposures(DrugClass.OPIOID, drafts=True)[0].label == "some tablets"
    assert label_of(Order("x")) == "unnamed medication"


def test_an_order_based_on_one_of_the_same_product_stands_for_it() -> None:
    """The request and what carries it out are one prescription; another product is a second one."""
    old = chart(OXYCODONE_10, FOUR, ref="old")
    new = order(OXYCODONE_10, dose(1, times=2), ref="new", based_on=("CarePlan/1", "old"))
    found = sorted_out(new, old)
    assert (refs(found.drafts), refs(found.active), refs(found.replaced)) == (["new"], [], ["old"])
    signed = chart(OXYCODONE_10, FOUR, ref="new", based_on=("old",))
    assert refs(sorted_out(old, signed).active) == ["new"]
    assert refs(sorted_out(new, replace(signed, ref="old")).active) == []
    other = chart(LORAZEPAM, FOUR, ref="old")
    assert refs(sorted_out(new, other).active) == ["old"]


def test_a_named_prior_counts_before_what_an_order_is_based_on() -> None:
    old, older = chart(OXYCODONE_10, FOUR, ref="old"), chart(OXYCODONE_10, FOUR, ref="older")
    new = order(OXYCODONE_10, FOUR, ref="new", prior="older", based_on=("old",))
    assert refs(sorted_out(new, old, older).replaced) == ["older"]
    own = chart(OXYCODONE_10, FOUR, ref="own", based_on=("own",))
    assert refs(sorted_out(own).active) == ["own"]
