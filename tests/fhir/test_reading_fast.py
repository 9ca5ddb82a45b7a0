"""Reading a long chart quickly changes nothing of what is read, and keeps nothing of a patient."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.facts import Facts, Need
from cds_service.fhir.vocabulary import Vocabulary
from tests.fhir.calls import (
    ICD10,
    LOINC,
    OXYCODONE,
    Call,
    bundle,
    condition,
    facts,
    mine,
    order,
    outcome,
    read,
    vocabulary,
)

CANARY = "Canary's own words"


def chart(*more: Any) -> Facts:
    """Forty conditions of three kinds, results with parts, and an order, each bundle with
    something more.
    """
    conditions = [
        condition(
            f"c{n}",
            ("M54.50", "M54.16", "I10")[n % 3],
            onsetDateTime="2026-01",
            category={"text": "Problem"},
        )
        for n in range(40)
    ]
    part = {"code": {"coding": [{"system": LOINC, "code": "72514-3"}]}, "valueInteger": 6}
    results = [
        mine("Observation", f"o{n}", code={"text": "panel"}, component=[part]) for n in range(3)
    ]
    dosage = [{"text": "1 tablet twice a day"}]
    prefetch = {
        "conditions": bundle(*conditions, *more),
        "observations": bundle(*results, *more),
        "medicationRequests": bundle(order(dosageInstruction=dosage), *more),
    }
    return read(Call(prefetch), [Need.CONDITIONS, Need.OBSERVATIONS, Need.MEDICATIONS]).facts


@pytest.mark.parametrize("beside", [outcome("warning"), {"resourceType": "Practitioner"}])
def test_a_bundle_of_several_types_is_read_like_one_of_a_single_type(beside: Any) -> None:
    alone = chart()
    assert (len(alone.conditions), len(alone.observations), len(alone.orders)) == (27, 3, 1)
    assert chart(beside) == alone


def test_a_resource_that_does_not_fit_costs_only_itself() -> None:
    odd = condition("odd", onsetDateTime={"year": 2020})
    found = facts(Need.CONDITIONS, *[condition(f"c{n}") for n in range(20)], odd)
    assert [c.when for c in found.conditions] == [None] * 21
    assert [(u.ref, u.why) for u in found.unread] == [
        ("Condition/odd", "onsetDateTime could not be read")
    ]


@pytest.mark.parametrize("full_url", [5, {}, ["x"]])
def test_an_entry_without_a_usable_name_is_read(full_url: Any) -> None:
    odd = {"fullUrl": full_url, "resource": condition(None, category=5)}  # type: ignore[arg-type]
    value = {"resourceType": "Bundle", "entry": [{"resource": condition("a")}, odd]}
    found = read(Call({"conditions": value}), [Need.CONDITIONS]).facts
    assert [c.ref for c in found.conditions] == ["Condition/a", "Condition/unnamed-1"]
    assert [u.why for u in found.unread] == ["category[0] could not be read"]


def test_a_part_of_a_resource_that_no_rule_asks_about_is_not_looked_at() -> None:
    other = mine(
        "Observation",
        "o",
        code={"coding": [{"system": LOINC, "code": "2345-7"}]},
        valueQuantity="high",
    )
    found = facts(Need.OBSERVATIONS, other)
    assert (found.observations, found.unread) == ((), ())
    asked = other | {"code": {"coding": [{"system": LOINC, "code": "72514-3"}]}}
    found = facts(Need.OBSERVATIONS, asked)
    assert [u.why for u in found.unread] == ["valueQuantity could not be read"]
    assert len(found.observations) == 1


def kept(known: Vocabulary) -> str:
    """Everything that a vocabulary remembers."""
    names = ("_coded", "_concepts", "_products", "_identified", "_fills", "days")
    return repr([getattr(known, name) for name in names])


def test_nothing_that_someone_wrote_outlives_the_call() -> None:
    named = {**OXYCODONE, "text": CANARY}
    display = {"coding": [*OXYCODONE["coding"], {"display": CANARY}]}
    local = {
        "coding": [{"system": ICD10, "code": "M54.50", "extension": [{"valueString": CANARY}]}]
    }
    dosage = [
        {"text": CANARY, "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}}
    ]
    noted = [
        {"additionalInstruction": [{"text": CANARY}], "asNeededCodeableConcept": {"text": CANARY}}
    ]
    prefetch = {
        "conditions": bundle(
            condition(code="M54.50"),
            condition("c2", category=[{"text": CANARY}]),
            condition("c3", onsetDateTime=CANARY, recordedDate=f"2025-01-02T{CANARY}"),
        ),
        "medicationRequests": bundle(
            order("a", medicationCodeableConcept=named, dosageInstruction=dosage),
            order("b", medicationCodeableConcept=display, dosageInstruction=noted),
            order("c", medicationReference={"display": CANARY}, medicationCodeableConcept=None),
        ),
        "procedures": bundle(mine("Procedure", "p", code={**local, "text": CANARY})),
        "observations": bundle(mine("Observation", "o", code=local, valueString=CANARY)),
    }
    needs = [Need.CONDITIONS, Need.MEDICATIONS, Need.PROCEDURES, Need.OBSERVATIONS]
    found = read(Call(prefetch), needs).facts
    assert CANARY in repr(found)
    assert "M5450" in kept(vocabulary(""))
    assert "Canary" not in kept(vocabulary(""))
