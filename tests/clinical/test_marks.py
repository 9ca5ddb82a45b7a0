"""What a card rests on, as marks: what of the chart goes into them, for which cards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cds_service.clinical.criteria import MET, UNKNOWN, WARNING, Criterion, Finding
from cds_service.clinical.facts import Condition, Facts, Order, Request
from cds_service.clinical.rule import Call
from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.model import Component, Drug
from cds_service.marks import marks_of
from tests.clinical.prescriptions import AS_OF, chart, dose, knowledge

EPIDURAL, DEPRESSION = Code("CPT", "62323"), Code("ICD10CM", "F329")
OXYCODONE = Drug("7804", "oxycodone", "IN", (Component("oxycodone", "7804"),))
BECAUSE = ("ServiceRequest/1", "ServiceRequest/2", "Condition/1", "MedicationRequest/a1")


def marked(card: str) -> Iterator[str]:
    """The marks of a finding that rests on a draft request, a request of the chart, a condition and
    an opioid; what is hashed stands in brackets.
    """
    facts = Facts(
        AS_OF,
        "order-sign",
        orders=(chart("1049683", dose(1, times=4)),),
        conditions=(Condition("Condition/1", frozenset({DEPRESSION}), "Depression"),),
        requests=(
            Request("ServiceRequest/1", frozenset({EPIDURAL}), "Injection", "draft", draft=True),
            Request("ServiceRequest/2", frozenset({Code("CPT", "97110")}), "Therapy", "active"),
        ),
    )
    criterion = Criterion("criterion", MET, WARNING, {}, BECAUSE)
    found = marks_of(
        [Finding(card, WARNING, (criterion,))],
        Call(facts, knowledge()),
        "any",
        lambda it: f"<{it}>",
    )
    yield from found[card]


@pytest.mark.parametrize(
    ("card", "kinds"),
    [
        ("opioid-dose", {"criterion", "mme", "order <CPT#62323>", "drug <oxycodone>", "risk <ICD10CM#F329>"}),
        ("esi-decision-support", {"criterion", "order <CPT#62323>"}),
        ("pain-specialist-referral", {"criterion", "mme", "order <CPT#62323>", "drug <oxycodone>"}),
    ],
)  # fmt: skip
def test_each_card_is_marked_by_what_can_make_it_worse(card: str, kinds: set[str]) -> None:
    assert {mark if "<" in mark else mark.split()[0] for mark in marked(card)} == kinds


def test_what_is_not_known_marks_nothing() -> None:
    """Else a card that was set aside would speak again without worse news."""
    order = Order("MedicationRequest/1", text="Oxycodone", drug=OXYCODONE)
    met = Criterion("met", MET, WARNING, {}, ("Condition/1",))
    unknown = Criterion("unknown", UNKNOWN, WARNING, {}, (order.ref,))
    found = marks_of(
        [Finding("opioid-dose", WARNING, (met, unknown))],
        Call(Facts(AS_OF, "order-sign", orders=(order,)), knowledge()),
        "any",
        lambda it: f"<{it}>",
    )
    assert {mark.split()[0] for mark in found["opioid-dose"]} == {"met"}


def test_a_card_is_marked_by_what_it_rests_on_alone() -> None:
    orders = (chart("1049683", dose(1, times=4)), chart("892582", dose(1, times=2), ref="b"))
    call = Call(Facts(AS_OF, "order-sign", orders=orders), knowledge())
    findings = [
        Finding(card, WARNING, (Criterion("c", MET, WARNING, {}, (order.ref,)),))
        for card, order in zip(("opioid-dose", "naloxone-offer"), orders, strict=True)
    ]
    found = marks_of(findings, call, "any", lambda it: it)
    drugs = {card: {m for m in marks if m.startswith("drug")} for card, marks in found.items()}
    assert drugs == {"opioid-dose": {"drug oxycodone"}, "naloxone-offer": {"drug morphine"}}


def test_alike_medicines_are_marked_once_and_unknown_ones_by_their_names() -> None:
    """Two orders of one drug, two of drugs known by text alone, and two products without contents."""
    bare = Drug("", "compounded", "NAME", ())
    orders = (
        Order("MedicationRequest/1", text="Oxycodone", drug=OXYCODONE),
        Order("MedicationRequest/2", text="OxyIR", drug=OXYCODONE),
        Order("MedicationRequest/3", text="Pain Pill"),
        Order("MedicationRequest/4", text="pain pill"),
        Order("MedicationRequest/5", text="Cream A", drug=bare),
        Order("MedicationRequest/6", text="Cream B", drug=bare),
    )
    criterion = Criterion("c", MET, WARNING, {}, tuple(order.ref for order in orders))
    hashed: list[str] = []

    def hash_of(thing: str) -> str:
        hashed.append(thing)
        return thing

    call = Call(Facts(AS_OF, "order-sign", orders=orders), knowledge())
    found = marks_of([Finding("opioid-dose", WARNING, (criterion,))], call, "any", hash_of)
    drugs = {mark for mark in found["opioid-dose"] if mark.startswith("drug")}
    assert drugs == {"drug oxycodone", "drug pain pill", "drug cream a", "drug cream b"}
    assert sorted(hashed) == ["cream a", "cream b", "oxycodone", "pain pill"]
