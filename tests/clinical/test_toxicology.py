"""Urine drug tests against what was prescribed: which tests a medicine explains, and which it promises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service.clinical.dates import Span, on, span_of
from cds_service.clinical.facts import Observation, Order
from cds_service.clinical.toxicology import unexpected_results
from cds_service.knowledge.codes import Code
from tests.clinical.prescriptions import AS_OF, derived, facts, table

POS, NEG = "positive", "negative"
FENTANYL, SUFENTANIL, OXYCODONE = "245134", "204508", "1049621"
ADDERALL, DESOXYN, PHENTERMINE, BENZPHETAMINE = "541892", "977860", "803353", "904368"
BUTALBITAL, PRIMIDONE, LORAZEPAM = "197426", "96304", "197901"


def unexpected(
    rxcui: str,
    loinc: str,
    result: str,
    text: str = "",
    status: str = "active",
    days: int | None = 30,
) -> list[str]:
    """What does not fit an order of twenty days before the test, for thirty days or open."""
    begun, tested = AS_OF - timedelta(days=40), AS_OF - timedelta(days=20)
    order = Order(
        "MedicationRequest/1",
        codes=frozenset({Code("RXNORM", rxcui)}),
        status=status,
        when=on(begun),
        span=Span(begun) if days is None else span_of(begun, days),
        drug=table().by_name(text) if text else table().by_rxcui(rxcui),
    )
    test = Observation(
        "Observation/1",
        codes=frozenset({Code("LOINC", loinc)}),
        status="final",
        when=on(tested),
        value_text=result,
    )
    found = derived(unexpected_results, facts(order, observations=(test,)))
    return [f"{u.substance}: {u.why}" for u in found]


@pytest.mark.parametrize(
    ("rxcui", "loinc"),
    [
        (FENTANYL, "18435-8"),  # sufentanil
        (FENTANYL, "93470-3"),  # furanylfentanyl
        (FENTANYL, "11073-4"),  # despropionylfentanyl
        (ADDERALL, "19554-5"),  # methamphetamine
        (ADDERALL, "14267-9"),  # MDMA
        (ADDERALL, "67838-3"),  # mephedrone
        (ADDERALL, "3808-3"),  # methylphenidate
        (ADDERALL, "3939-6"),  # phendimetrazine
        (PHENTERMINE, "19261-7"),  # amphetamines
        (BUTALBITAL, "16193-5"),  # pentobarbital
        (LORAZEPAM, "99262-8"),  # designer benzodiazepines
        (OXYCODONE, "89302-4"),  # noroxymorphone
    ],
)
def test_a_medicine_promises_no_relative_of_itself(rxcui: str, loinc: str) -> None:
    assert unexpected(rxcui, loinc, NEG) == []


@pytest.mark.parametrize(
    ("rxcui", "loinc", "substance"),
    [
        (FENTANYL, "99081-2", "unlicensed fentanyl analogue"),
        (ADDERALL, "3779-6", "methamphetamine"),
        (ADDERALL, "14267-9", "MDMA or a relative"),
        (ADDERALL, "67838-3", "unlicensed stimulant"),
        (ADDERALL, "3808-3", "methylphenidate"),
        (BUTALBITAL, "16192-7", "phenobarbital"),
        (LORAZEPAM, "99263-6", "designer benzodiazepine"),
    ],
)
def test_a_medicine_explains_no_relative_of_itself(rxcui: str, loinc: str, substance: str) -> None:
    assert unexpected(rxcui, loinc, POS) == [f"{substance}: no order that explains it"]


@pytest.mark.parametrize(
    ("rxcui", "loinc", "text"),
    [
        (FENTANYL, "11073-4", ""),  # despropionylfentanyl
        (SUFENTANIL, "18435-8", "sufentanil"),
        (DESOXYN, "3779-6", ""),
        (BENZPHETAMINE, "3779-6", ""),  # becomes methamphetamine
        ("0", "19510-7", "selegiline 5 MG Oral Capsule"),  # levomethamphetamine
        ("0", "3808-3", "Concerta 36 mg"),
        (PHENTERMINE, "19261-7", ""),  # a group test may find it
        (BENZPHETAMINE, "19261-7", ""),
        (BENZPHETAMINE, "3382-9", ""),
        (PRIMIDONE, "16192-7", ""),  # becomes phenobarbital
        ("0", "16193-5", "pentobarbital 100 MG"),
        (OXYCODONE, "89302-4", ""),  # becomes noroxymorphone
    ],
)
def test_what_the_body_makes_of_a_medicine_or_a_test_may_take_for_it_is_explained(
    rxcui: str, loinc: str, text: str
) -> None:
    assert unexpected(rxcui, loinc, POS, text) == []


@pytest.mark.parametrize(
    ("rxcui", "loinc", "substance"),
    [
        (FENTANYL, "11235-9", "fentanyl"),
        (FENTANYL, "11075-9", "fentanyl"),
        (ADDERALL, "19261-7", "amphetamine"),
        (DESOXYN, "3779-6", "methamphetamine"),
        (BUTALBITAL, "3421-5", "butalbital"),
        (BUTALBITAL, "19270-8", "barbiturate"),
        (LORAZEPAM, "14316-4", "benzodiazepine"),
        (OXYCODONE, "19642-8", "oxycodone"),
    ],
)
def test_a_medicine_promises_itself_and_its_group(rxcui: str, loinc: str, substance: str) -> None:
    assert unexpected(rxcui, loinc, NEG) == [f"{substance}: prescribed at the time"]


def test_what_no_medicine_holds_is_never_expected() -> None:
    assert unexpected(OXYCODONE, "3397-7", POS) == ["cocaine: never expected"]


def test_an_amine_of_food_shows_no_drug() -> None:
    assert unexpected(ADDERALL, "3076-7", POS) == []


def test_a_medicine_that_was_stopped_is_not_missed() -> None:
    assert unexpected(OXYCODONE, "19642-8", NEG, status="stopped") == []


def test_a_medicine_of_unknown_supply_is_missed_while_its_order_is_active_or_new() -> None:
    missed = ["oxycodone: prescribed at the time"]
    assert unexpected(OXYCODONE, "19642-8", NEG, days=None) == missed
    assert unexpected(OXYCODONE, "19642-8", NEG, status="completed", days=None) == missed
    assert unexpected(OXYCODONE, "19642-8", NEG, days=5) == []
