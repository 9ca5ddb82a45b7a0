"""What a card rests on, as marks: what of the chart goes into them, for which cards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cds_service.clinical.criteria import MET, WARNING, Criterion, Finding
from cds_service.clinical.facts import Condition, Facts, Request
from cds_service.clinical.rule import Call
from cds_service.knowledge.codes import Code
from cds_service.marks import marks_of
from tests.clinical.prescriptions import AS_OF, chart, dose, knowledge

EPIDURAL, DEPRESSION = Code("CPT", "62323"), Code("ICD10CM", "F329")
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
