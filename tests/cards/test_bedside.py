"""What the cards of worked cases say and offer at the bedside."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds_service.cases import House, Road, call_of, load_cases
from tests.changes import replace

CASES = Path(__file__).parents[1] / "cases"
GUIDE = "Care coordination and referral guide for low back pain"
NO_GAIN = (
    ("medical_spine_center", "Ten weeks of pain, treatment did not help"),
    ("therapy_reevaluation", "No gain in function"),
)


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def answer(house: House, file: str, name: str) -> list[dict[str, Any]]:
    """The cards of the case of that name."""
    cases = load_cases(CASES / f"{file}.yaml", house.systems)
    case = next(case for case in cases if case.name == name)
    body: dict[str, Any] = house.ask(call_of(case), Road.PREFETCH).body
    return list(body["cards"])


def details(cards: list[dict[str, Any]]) -> str:
    return "\n".join(card["detail"] for card in cards)


def created(cards: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What each button creates, by its label."""
    return {
        suggestion["label"]: action["resource"]
        for card in cards
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    }


def test_the_appointment_for_reevaluation_lies_in_the_weeks_that_the_card_names(
    house: House,
) -> None:
    cards = answer(house, "therapy_referral", "New back pain in an adult")
    appointment = created(cards)["Book a re-evaluation in two to four weeks"]
    assert appointment["requestedPeriod"] == [{"start": "2025-06-30", "end": "2025-07-14"}]
    assert "re-evaluation between 2025-06-30 and 2025-07-14" in details(cards)


def test_what_holds_of_two_orders_alike_is_said_once(house: House) -> None:
    said = details(answer(house, "opioid_nonopioid_first", "Two first opioids for a month each"))
    assert said.count("A first opioid for 30 days") == 1


def test_a_payers_contact_without_a_telephone_is_named_alone(house: House) -> None:
    cards = answer(house, "medical_spine_center", "Surgeon referral without a medical spine visit")
    assert "- HealthPartners: Designated medical spine centers. Centers by area" in details(cards)


def test_each_program_has_a_task_of_its_own_and_a_case_manager(house: House) -> None:
    cards = answer(house, "care_programs", "Every program of the payer at once")
    tasks = [
        resource
        for resource in created(cards).values()
        if resource["resourceType"] == "Task" and "performerType" in resource
    ]
    assert [task["code"]["text"] for task in tasks] == [
        "Case management",
        "Disability and vocational services",
        "Pharmacy support",
        "Lifestyle and mindfulness programs",
    ]
    for task in tasks:
        roles = [role["coding"][0]["code"] for role in task["performerType"]]
        assert "171M00000X" in roles
    assert "https://my.cigna.com/" in [link["url"] for link in cards[-1]["links"]]


@pytest.mark.parametrize(("file", "name"), NO_GAIN)
def test_a_small_change_is_told_as_gain_or_none(house: House, file: str, name: str) -> None:
    text = details(answer(house, file, name))
    assert "change of" not in text
    assert "improvement" in text


def test_a_consult_for_visits_names_their_days(house: House) -> None:
    text = details(answer(house, "pain_specialist_referral", "Six therapy visits are a warning"))
    line = next(line for line in text.splitlines() if "- Visits: " in line)
    assert len(line.split(", ")) == 6


def test_a_consult_for_treatment_names_what_was_tried(house: House) -> None:
    assert "- Tried: therapy visit" in details(answer(house, *NO_GAIN[0]))


def test_a_consult_by_a_goal_names_the_goal(house: House) -> None:
    text = details(answer(house, "therapy_reevaluation", "A goal without scores"))
    assert "- Goal not reached: Walk for half an hour (2025-06-11)" in text


def test_opioid_use_disorder_brings_up_its_medication(house: House) -> None:
    said = "treated with medication: buprenorphine, methadone"
    opioids = answer(house, "behavioral_health_referral", "Active opioid use disorder")
    assert said in details(opioids)
    assert "42 CFR Part 2" in details(opioids)
    screen = details(answer(house, "behavioral_health_referral", "PHQ-9 at its cut-off"))
    assert said not in screen
    assert "42 CFR Part 2" not in screen


def test_fear_avoidance_shows_every_score_with_its_day(house: House) -> None:
    name = "Slow recovery with fabq-w beyond its cut-off"
    text = details(answer(house, "behavioral_health_referral", name))
    for shown in ("FABQ-W: 35 (2026-02-09)", "44 (2026-02-03)", "40 (2026-02-26)"):
        assert shown in text


def test_direct_access_is_said_where_the_card_folds(house: House) -> None:
    assert "direct access" in details(
        answer(house, "therapy_referral", "New back pain in an adult")
    )


def test_a_folded_finding_keeps_the_document_it_comes_from(house: House) -> None:
    (notes,) = answer(
        house, "therapy_medical_necessity_review", "A lumbar orthosis on order-select"
    )
    assert notes["source"]["topic"]["code"] == "spine-order-notes"
    assert notes["source"]["label"].startswith("Cigna Physical and Occupational Therapy Program")
    several = answer(house, "care_programs", "Smoking")[-1]
    assert several["source"]["label"].startswith(GUIDE)


def test_a_missing_record_does_not_deny_that_the_criteria_are_met(house: House) -> None:
    name = "Every criterion is met, and the payer asks for a record"
    text = details(answer(house, "esi_decision_support", name))
    assert "Every criterion of coverage is met; reason of the order: M54.16." in text


@pytest.mark.parametrize("holidays", [frozenset[date](), frozenset({date(2025, 1, 1)})])
def test_an_overdue_review_says_whether_holidays_were_taken_out(
    house: House, holidays: frozenset[date]
) -> None:
    knowledge = house.service.knowledge
    payers = tuple(replace(payer, holidays=holidays) for payer in knowledge.payers)
    told = house.with_knowledge(replace(knowledge, payers=payers))
    cards = answer(
        told, "therapy_medical_necessity_review", "Sixth business day of a complete request"
    )
    assert ("Holidays are not taken out" in details(cards)) is not bool(holidays)


@pytest.mark.parametrize(
    ("name", "recommended"),
    [
        ("A code without imaging guidance", True),
        ("A code without imaging guidance in fever", False),
    ],
)
def test_going_on_is_not_recommended_while_the_injection_is_unsafe(
    house: House, name: str, recommended: bool
) -> None:
    cards = answer(house, "esi_decision_support", name)
    found = [
        s for card in cards for s in card.get("suggestions", ()) if "imaging guidance" in s["label"]
    ]
    assert [s.get("isRecommended", False) for s in found] == [recommended]


def test_a_reason_is_shown_with_the_document_it_comes_from(house: House) -> None:
    (again,) = answer(house, "lumbar_imaging", "A second MRI 365 days after the first")
    assert again["source"]["label"].startswith("Finding Solutions")
    assert "Choosing Wisely" not in again["detail"]
    name = "Every criterion is met, and the payer asks for a record"
    (record,) = answer(house, "esi_decision_support", name)
    assert "HealthPartners" in record["source"]["label"]
    assert "Sources: " in record["detail"] and "local coverage" in record["detail"]


def test_only_opioids_bring_up_their_guideline_and_what_to_do_until_the_consult(
    house: House,
) -> None:
    visits = answer(house, "pain_specialist_referral", "Six therapy visits are a warning")
    opioids = answer(house, "pain_specialist_referral", "Opioids for 31 days")
    for cards, expected in ((visits, False), (opioids, True)):
        pain = next(c for c in cards if c["source"]["topic"]["code"] == "pain-specialist-referral")
        assert "When in doubt, consult." in pain["detail"]
        assert ("naloxone" in pain["detail"]) is expected
        assert ("CDC 2022 guideline" in [x["label"] for x in pain.get("links", ())]) is expected


def test_behavioral_support_for_opioids_links_the_guideline(house: House) -> None:
    cards = answer(house, "behavioral_health_referral", "50 MME a day")
    card = next(c for c in cards if c["source"]["topic"]["code"] == "behavioral-health-referral")
    assert "CDC 2022 guideline" in [link["label"] for link in card["links"]]


def test_benefit_is_weighed_against_risk_of_treatments_only(house: House) -> None:
    library = house.service.library
    weighing = {
        name
        for name, card in library.cards.items()
        if "clinical-judgement" in [reason.id for reason in card.override_reasons]
    }
    treatments = {"naloxone-offer", "toxicology-test", "esi-decision-support"}
    assert {name for name in weighing if not name.startswith("opioid-")} <= treatments
    for name in ("spine-emergency", "spine-red-flag-workup"):
        assert "other-cause" in [reason.id for reason in library.cards[name].override_reasons]


@pytest.mark.parametrize(
    ("code", "system", "id"),
    [
        (
            "risk-benefit-ratio",
            "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
            "clinical-judgement",
        ),
        ("clinical-judgement", "urn:cds-service:override-reason", "judged-otherwise"),
        ("other-cause", "urn:cds-service:override-reason", "other-cause"),
    ],
)
def test_a_reason_of_old_and_a_new_one_are_told_apart(
    house: House, code: str, system: str, id: str
) -> None:
    reasons = house.service.library.override_reasons.values()
    assert [r.id for r in reasons if (r.code, r.system) == (code, system)] == [id]
