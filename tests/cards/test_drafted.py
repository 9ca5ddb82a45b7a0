"""What the drafts and the open requests of two weeks order already."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.card_drafts import Drafted, drafted_in
from cds_service.clinical.dates import fuzzy
from cds_service.clinical.facts import Facts, Order, Request
from cds_service.knowledge.codes import Code
from cds_service.knowledge.model import Knowledge
from tests.cards.conftest import AS_OF

CT, MRI = Code("SNOMED", "1001"), Code("SNOMED", "1002")
WANTED = {"resourceType": "ServiceRequest", "priority": "urgent"}


def raw(*codes: str, **said: Any) -> dict[str, Any]:
    """A draft for one of these."""
    coding = [{"system": "http://snomed.info/sct", "code": code} for code in codes]
    return {"resourceType": "ServiceRequest", "code": {"coding": coding}, **said}


def found(knowledge: Knowledge, *drafts: dict[str, Any], **facts: Any) -> Drafted:
    """What is drafted."""
    return drafted_in(Facts(AS_OF, "order-sign", **facts), drafts, knowledge)


@pytest.mark.parametrize(
    ("priorities", "same"),
    [
        (("urgent", "routine"), True),
        (("routine", "urgent"), True),
        (("stat",), True),
        (("asap", "routine"), True),
        (("routine", "routine"), False),
        (("at once",), False),
        ((7,), False),
        ((None,), False),
    ],
)
def test_the_most_urgent_of_several_drafts_counts(
    knowledge: Knowledge, priorities: tuple[Any, ...], same: bool
) -> None:
    of_one = [raw("1001", priority=each) for each in priorities]
    assert found(knowledge, *of_one).has(WANTED, frozenset({CT})) is same
    apart = [
        raw(code, priority=each) for code, each in zip(("1001", "1002"), priorities, strict=False)
    ]
    assert found(knowledge, *apart).has(WANTED, frozenset({CT, MRI})) is same
    assert found(knowledge, *of_one).has({**WANTED, "priority": "at once"}, frozenset({CT}))


def test_what_is_wanted_at_once_is_not_drafted_as_soon_as_possible(knowledge: Knowledge) -> None:
    drafts = [raw("1001", priority=each) for each in ("routine", "urgent", "asap")]
    stat = {**WANTED, "priority": "stat"}
    assert not found(knowledge, *drafts).has(stat, frozenset({CT}))
    assert found(knowledge, *drafts, raw("1001", priority="stat")).has(stat, frozenset({CT}))


def test_what_has_no_code_is_known_by_its_words_or_its_type(knowledge: Knowledge) -> None:
    tasks = [{"resourceType": "Task", "code": {"text": text}} for text in ("Talk", "Call")]
    claim = {"resourceType": "Claim", "type": {"text": "professional"}}
    form = {"resourceType": "QuestionnaireResponse", "questionnaire": "urn:form:1"}
    plan = {"resourceType": "CarePlan", "title": "Exercises"}
    visit = {"resourceType": "Appointment", "description": "Re-evaluation"}
    known = found(knowledge, *tasks, claim, form, plan, visit)
    for each in (*tasks, claim, form, plan, visit):
        assert known.has(each, frozenset())
    assert not known.has({"resourceType": "Task", "code": {"text": "Write"}}, frozenset())
    assert not known.has({"resourceType": "Claim", "type": {"text": "pharmacy"}}, frozenset())
    assert not known.has({**visit, "description": "Injection"}, frozenset())


def test_codings_that_are_not_text_name_nothing(knowledge: Knowledge) -> None:
    odd = {
        "coding": [{"system": 1, "code": "1001"}, {"system": "http://snomed.info/sct", "code": 2}]
    }
    assert not found(knowledge, raw() | {"code": odd}).has(WANTED, frozenset({CT}))


def test_drafts_of_drugs_and_devices_count_and_are_routine(knowledge: Knowledge) -> None:
    order = Order("MedicationRequest/1", codes=frozenset({CT}), draft=True)
    brace = Request("DeviceRequest/1", frozenset({MRI}), draft=True)
    known = found(knowledge, orders=(order,), devices=(brace,))
    drug, device = {"resourceType": "MedicationRequest"}, {"resourceType": "DeviceRequest"}
    assert known.has(drug, frozenset({CT})) and known.has(device, frozenset({MRI}))
    assert not known.has({**drug, "priority": "urgent"}, frozenset({CT}))
    assert not known.has(device, frozenset({CT}))


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ({}, True),
        ({"status": "completed"}, False),
        ({"when": None}, False),
        ({"intent": "proposal"}, False),
        ({"when": fuzzy("2026-02-16")}, True),
        ({"when": fuzzy("2026-02-15")}, False),
        ({"when": fuzzy("2026-03-01")}, True),
        ({"when": fuzzy("2026-03-02")}, False),
    ],
)
def test_an_open_request_of_two_weeks_stands(
    knowledge: Knowledge, said: dict[str, Any], stands: bool
) -> None:
    """Less than fourteen days before the first of March begins on the sixteenth of February; what was
    accepted today is not offered again.
    """
    members = {"status": "active", "when": fuzzy("2026-02-28"), **said}
    asked = Request("ServiceRequest/9", frozenset({CT}), **members)
    wanted = {"resourceType": "ServiceRequest"}
    assert found(knowledge, requests=(asked,)).has(wanted, frozenset({CT})) is stands
