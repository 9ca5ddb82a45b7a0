"""The orders that suggestions create, and the files they come from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds_service.card_check import check
from cds_service.card_orders import (
    MOST_REASONS,
    basis_of,
    conditions_of,
    order_template,
    reasons_of,
)
from cds_service.cards import CardLibrary
from cds_service.clinical.facts import Condition, Facts, Order, Patient, Request
from cds_service.errors import KnowledgeError
from cds_service.knowledge.codes import Code
from cds_service.knowledge.directory import Directory, Partner
from cds_service.knowledge.model import Knowledge
from cds_service.knowledge.strict_yaml import loads
from tests.cards.conftest import AS_OF, met
from tests.changes import replace

Compose = Callable[..., list[dict[str, Any]]]
BACK_PAIN = Condition(
    "Condition/1",
    frozenset({Code("ICD10CM", "M5450"), Code("SNOMED", "279039007")}),
    "Back\u202e pain",
)


def created(cards: list[dict[str, Any]]) -> dict[str, Any]:
    resource: dict[str, Any] = cards[0]["suggestions"][0]["actions"][0]["resource"]
    return resource


def test_reasons_are_the_conditions_it_rests_on(compose: Compose) -> None:
    facts = Facts(AS_OF, "order-sign", Patient("Patient/1"), conditions=(BACK_PAIN,))
    resource = created(compose(met("amber", because=("Condition/1", "Condition/2")), facts=facts))
    assert resource["reasonCode"] == [
        {
            "coding": [
                {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.50"},
                {"system": "http://snomed.info/sct", "code": "279039007"},
            ],
            "text": "Back pain",
        }
    ]


def test_without_a_condition_the_reasons_are_those_of_the_order(knowledge: Knowledge) -> None:
    order = Order(
        "MedicationRequest/1",
        reasons=frozenset(
            {Code("ICD10CM", "M54"), Code("urn:oid:1.2", "x"), Code("odd", "y"), Code("odd", " z ")}
        ),
        reason_refs=("Condition/1", "Condition/9"),
    )
    facts = Facts(AS_OF, "order-sign", orders=(order,), conditions=(BACK_PAIN, BACK_PAIN))
    found = reasons_of(("MedicationRequest/1",), facts, knowledge)
    assert [reason["coding"][0] for reason in found[1:]] == [
        {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54"},
        {"code": "y"},
        {"system": "urn:oid:1.2", "code": "x"},
    ]
    assert found[0]["text"] == "Back pain"


def test_a_task_is_about_the_first_record_that_stays() -> None:
    named = ("Condition/1", "Patient/1", "MedicationRequest/draft", "Claim/1", "Observation/1")
    assert basis_of(named, {"MedicationRequest/draft"}) == {"reference": "Claim/1"}
    assert basis_of(named[:3], {"MedicationRequest/draft"}) is None


def test_a_plan_addresses_its_conditions() -> None:
    assert conditions_of(("Goal/1", "Condition/1")) == [{"reference": "Condition/1"}]


def test_where_a_trigger_is_no_reason_the_card_has_one(
    library: CardLibrary, compose: Compose
) -> None:
    voices = {**library.cards["amber"].voices}
    voices["beside"] = replace(voices["amber-reason"], suggest=())
    file = replace(library.cards["amber"], voices=voices)
    changed = replace(library, cards={**library.cards, "amber": file})
    finding = met("amber", because=("Goal/1",))
    beside = replace(finding.criteria[0], name="beside", because=("Condition/1",))
    facts = Facts(AS_OF, "order-sign", Patient("Patient/1"), conditions=(BACK_PAIN,))
    found = replace(finding, criteria=(*finding.criteria, beside))
    resource = created(compose(found, facts=facts, library=changed))
    assert resource["reasonCode"][0]["text"] == "Back pain"


def test_reasons_are_few_and_none_is_empty(knowledge: Knowledge) -> None:
    many = tuple(Condition(f"Condition/{n}", text=f"pain {n}") for n in range(9))
    nothing = Condition("Condition/x", frozenset({Code("SNOMED", "two\nlines")}))
    facts = Facts(AS_OF, "order-sign", conditions=(nothing, *many))
    found = reasons_of((c.ref for c in facts.conditions), facts, knowledge)
    assert found == [{"text": f"pain {n}"} for n in range(MOST_REASONS)]


def test_whole_values_are_left_out_when_there_are_none(compose: Compose) -> None:
    resource = created(compose(met("amber"), encounter="", requester="Group/1"))
    assert (
        "encounter" not in resource
        and "requester" not in resource
        and "occurrencePeriod" not in resource
    )


def test_bare_ids_become_references(compose: Compose) -> None:
    resource = created(compose(met("amber"), encounter="e", requester="p", patient="x"))
    assert resource["encounter"] == {"reference": "Encounter/e"}
    assert resource["requester"] == {"reference": "Practitioner/p"}
    assert resource["subject"] == {"reference": "Patient/x"}


def test_no_order_for_nobody(compose: Compose) -> None:
    (card,) = compose(met("amber"), facts=Facts(AS_OF, "order-sign"))
    assert "suggestions" not in card


@pytest.mark.parametrize(
    ("due", "end"), [(date(2026, 3, 1), "2026-03-01"), (date(2026, 2, 28), None), (None, None)]
)
def test_a_due_date_that_is_past_is_left_out(
    library: CardLibrary, compose: Compose, due: date | None, end: str | None
) -> None:
    card = library.cards["amber"]
    timed = replace(
        card, suggestions={"order-it": replace(card.suggestions["order-it"], due="due")}
    )
    finding = met("amber")
    words = {**finding.criteria[0].words, "due": due}
    resource = created(
        compose(
            replace(finding, criteria=(replace(finding.criteria[0], words=words),)),
            library=replace(library, cards={**library.cards, "amber": timed}),
        )
    )
    assert resource.get("occurrencePeriod", {}).get("end") == end


@pytest.mark.parametrize(
    "draft",
    [
        {
            "resourceType": "ServiceRequest",
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "1001"}]},
        },
        {
            "resourceType": "ServiceRequest",
            "code": {
                "coding": ["odd", {"code": 1}, {"system": "http://snomed.info/sct", "code": "1001"}]
            },
        },
    ],
)
def test_an_order_already_drafted_is_not_suggested_again(
    compose: Compose, draft: dict[str, Any]
) -> None:
    (card,) = compose(met("amber"), drafts={"ServiceRequest/9": draft})
    assert "suggestions" not in card and "selectionBehavior" not in card


@pytest.mark.parametrize(
    "draft",
    [
        {
            "resourceType": "ServiceRequest",
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "1"}]},
        },
        {
            "resourceType": "MedicationRequest",
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "1001"}]},
        },
        {"resourceType": "ServiceRequest", "code": "odd"},
        {"resourceType": "ServiceRequest", "code": {"coding": "odd"}},
    ],
)
def test_another_draft_does_not_silence_it(compose: Compose, draft: dict[str, Any]) -> None:
    assert compose(met("amber"), drafts={"ServiceRequest/9": draft})[0]["suggestions"]


def test_a_drafted_fact_silences_it_and_a_signed_one_does_not(compose: Compose) -> None:
    request = Request("ServiceRequest/9", frozenset({Code("SNOMED", "1001")}), draft=True)
    for draft, offered in ((True, False), (False, True)):
        facts = Facts(
            AS_OF, "order-sign", Patient("Patient/1"), requests=(replace(request, draft=draft),)
        )
        assert ("suggestions" in compose(met("amber"), facts=facts)[0]) is offered


def test_a_task_is_recognised_by_its_words(library: CardLibrary, compose: Compose) -> None:
    order = library.orders["thing-amber"]
    task = replace(
        order,
        codes=frozenset(),
        resource={
            "resourceType": "Task",
            "status": "draft",
            "code": {"text": "Talk"},
            "for": "$subject",
        },
    )
    talking = replace(library, orders={**library.orders, "thing-amber": task})
    drafts = {"Task/1": {"resourceType": "Task", "code": {"text": "Talk"}}}
    assert created(compose(met("amber"), library=talking))["for"] == {"reference": "Patient/1"}
    assert "suggestions" not in compose(met("amber"), library=talking, drafts=drafts)[0]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("resourceType: Patient\nstatus: draft\n", "1: not a request"),
        ("[a]\n", "not a request"),
        ("resourceType: ServiceRequest\nstatus: active\n", "2: the status of an order file"),
        ("resourceType: ServiceRequest\nstatus: draft\nid: x\n", "3: an id"),
        (
            "resourceType: Task\nstatus: draft\nnote: [{text: $who}]\n",
            "3: unknown placeholder \\$who",
        ),
    ],
)
def test_an_order_file_is_checked(knowledge: Knowledge, text: str, what: str) -> None:
    with pytest.raises(KnowledgeError, match=what):
        order_template("x", loads(text, "cards/orders/x.yaml"), knowledge)


def test_order_files_hold_json(knowledge: Knowledge) -> None:
    text = "resourceType: Task\nstatus: draft\nauthoredOn: 2026-03-01\nvalue: [0.5, 2.0]\nowner: $performer\n"
    template = order_template("x", loads(text, "x"), knowledge)
    assert template.resource["authoredOn"] == "2026-03-01"
    assert template.resource["value"] == [0.5, 2]
    assert not template.demands


def test_performers_come_from_the_directory(library: CardLibrary, compose: Compose) -> None:
    order = library.orders["thing-amber"]
    led = replace(order, resource={**order.resource, "performer": "$performer"})
    partner = Partner("PractitionerRole/1", "Dr Amber", order.codes)
    orders = {**library.orders, "thing-amber": led}
    cards = compose(
        met("amber"), library=replace(library, orders=orders, directory=Directory((partner,)))
    )
    assert created(cards)["performer"] == [partner.reference]


def test_the_check_tells_invalid_and_unused_orders(library: CardLibrary, folder: Path) -> None:
    order = library.orders["thing-amber"]
    wrong = replace(order, resource={**order.resource, "priority": {"text": "high"}})
    orders = {**library.orders, "thing-amber": wrong, "spare": order}
    faults = check(replace(library, orders=orders), ours=folder)
    told = [str(fault) for fault in faults]
    assert told[0].startswith("cards/orders/thing-amber.yaml:1: not valid R4: priority: ")
    assert told[-1] == "cards/orders/spare.yaml: no card suggests this order"
    assert check(library) == []


def test_the_check_knows_what_an_order_may_intend(
    library: CardLibrary, folder: Path, tmp_path: Path
) -> None:
    order = library.orders["thing-amber"]
    slip = replace(order, resource={**order.resource, "intent": "oder"})
    wrong = replace(library, orders={**library.orders, "thing-amber": slip})
    text = (folder / "orders" / "thing-amber.yaml").read_text()
    line = 1 + text.splitlines().index("intent: order")
    told = f"cards/orders/thing-amber.yaml:{line}: the intent oder (allowed: proposal, plan, order)"
    assert [str(fault) for fault in check(wrong, tmp_path / "site", folder)] == [told]
    own = tmp_path / "site" / "orders" / "thing-amber.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("# ours\n" + text)
    (fault,) = check(wrong, tmp_path / "site", folder)
    assert (fault.file, fault.line) == (str(own), line + 1)
