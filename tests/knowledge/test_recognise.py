"""A coverage is known by identifier, by whole words of a name, or by the site's mapping."""

from __future__ import annotations

import pytest

from cds_service.knowledge.loader import load_knowledge
from cds_service.knowledge.model import Payer
from cds_service.knowledge.payers import recognise

OURS = load_knowledge().payers
PLAN = Payer("plan", "Plan", identifiers=frozenset({"urn:naic#62308"}))


def ids(payers: tuple[Payer, ...]) -> list[str]:
    return [payer.id for payer in payers]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Cigna", ["cigna"]),
        ("CIGNA Health and Life Insurance Company", ["cigna"]),
        ("Open Access Plus (Cigna\u00ae)", ["cigna"]),
        ("Cignature Insurance", []),
        ("HealthPartners", ["healthpartners"]),
        ("Health  Partners of Minnesota", ["healthpartners"]),
        ("Partners in Health", []),
        ("Cigna administered by HealthPartners", ["cigna", "healthpartners"]),
        ("", []),
    ],
)
def test_names_as_whole_words(name: str, expected: list[str]) -> None:
    assert ids(recognise(OURS, [name])) == expected


def test_identifiers() -> None:
    assert ids(recognise([*OURS, PLAN], ["Someone"], ["urn:naic#62308"])) == ["plan"]
    assert recognise([*OURS, PLAN], ["Someone"], ["urn:naic#6230"]) == ()


def test_the_mapping_of_a_site_decides_alone() -> None:
    mapping = {"Plan Seven": "cigna", "urn:x#7": "healthpartners", "Cigna Dental": "none-of-ours"}
    assert ids(recognise(OURS, ["plan seven"], mapping=mapping)) == ["cigna"]
    assert ids(recognise(OURS, ["Cigna"], ["urn:x#7"], mapping)) == ["healthpartners"]
    assert recognise(OURS, ["Cigna Dental"], mapping=mapping) == ()
    assert recognise(OURS, ["Plan Seventy"], mapping=mapping) == ()


def test_a_site_may_map_the_reference_of_a_payer() -> None:
    mapping = {"Organization/o1": "cigna"}
    assert ids(recognise(OURS, [], ["Organization/o1"], mapping)) == ["cigna"]
    assert recognise(OURS, [], ["Organization/o11"], mapping) == ()


def test_what_the_payers_turn_on_and_offer() -> None:
    cigna, healthpartners = OURS
    assert {"case-management", "review-denied", "dme-under-another-program"} <= cigna.turns_on
    assert {
        "medical-spine-visit-first",
        "decision-support-record-required",
    } <= healthpartners.turns_on
    assert cigna.contacts["programs"].phone == "800.Cigna24 (244.6224)"
    assert cigna.contacts["disability"].phone == "800.88Cigna (882.4462)"
    assert "388032" in cigna.contacts["mindfulness"].phone
