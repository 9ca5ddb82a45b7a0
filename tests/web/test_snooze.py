"""A card that was set aside stays quiet for that user and patient, unless what it rests on
got worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from cds_service.clients import Client
from cds_service.clinical.criteria import CRITICAL, Criterion
from cds_service.memory.pseudonyms import Pseudonyms
from cds_service.protocol.linter import lint
from cds_service.service import Service
from cds_service.settings import DEVELOPMENT_KEY
from tests.changes import replace
from tests.protocol.hook_requests import OXYCODONE, PATIENT
from tests.web.clinic import (
    APNEA,
    BACK_PAIN,
    CANCER_ONCE,
    DIAZEPAM,
    EMERGENT,
    GABAPENTIN,
    HL7,
    OVERDOSE,
    REFERRAL,
    TAKEN,
    Clinic,
    cards,
    chart,
    drug,
    said,
    times_a_day,
)


@pytest.fixture
def clinic(service: Service, tmp_path: Path) -> Iterator[Clinic]:
    opened = Clinic(service, f"sqlite:///{tmp_path / 'memory.db'}")
    yield opened
    opened.memory.close()


def test_cards_are_kept_under_the_names_that_the_command_prints(clinic: Clinic) -> None:
    """`cds-service db pseudonym CLIENT Patient/1` finds the rows of a patient, and of a user."""
    clinic.sign()
    names = Pseudonyms(DEVELOPMENT_KEY)
    patient = names.patient("anyone", PATIENT["id"])
    rows = clinic.rows("SELECT DISTINCT client, patient, person FROM issued_card")
    assert rows == [("anyone", patient, names.person("anyone", "Practitioner/1"))]


def test_the_same_card_stays_quiet_and_the_answer_says_so(clinic: Clinic) -> None:
    first = clinic.sign()
    assert "opioid-dose" in cards(first)
    assert "cds-service.snoozed" not in first.body["extension"]
    clinic.override(first, "opioid-dose")
    second = clinic.sign()
    assert cards(second) == cards(first) - {"opioid-dose"}
    assert second.body["extension"]["cds-service.snoozed"] == [
        {"card": "opioid-dose", "criteria": ["opioid-dose-threshold"], "until": "2024-05-30"}
    ]
    assert lint(second.body, "order-sign") == []
    assert second.body["extension"]["cds-service.mme"] == first.body["extension"]["cds-service.mme"]
    kept = clinic.rows(
        "SELECT shown, snoozed FROM issued_card WHERE card = 'opioid-dose' ORDER BY created"
    )
    assert kept == [(1, 0), (0, 1)]


def test_another_user_patient_or_client_is_told(clinic: Clinic) -> None:
    clinic.override(clinic.sign(), "opioid-dose")
    assert "opioid-dose" in cards(clinic.sign(user="Practitioner/2"))
    assert "opioid-dose" in cards(clinic.sign(client=Client("other")))


def test_a_call_whose_instance_another_user_had_silences_neither(clinic: Clinic) -> None:
    instance, users = str(uuid4()), ("Practitioner/1", "Practitioner/2")
    for user in users:
        answer = clinic.sign(user=user, instance=instance)
    clinic.override(answer, "opioid-dose")
    for user in users:
        assert "opioid-dose" in cards(clinic.sign(user=user))


def test_it_speaks_again_when_its_time_has_come(clinic: Clinic) -> None:
    clinic.override(clinic.sign(), "opioid-dose")
    assert "opioid-dose" not in cards(clinic.sign(on=date(2024, 5, 29)))
    assert "opioid-dose" in cards(clinic.sign(on=date(2024, 5, 30)))


@pytest.mark.parametrize(
    "why",
    [
        EMERGENT,
        {"reason": {"system": "urn:ours-alone", "code": "risk-benefit-ratio"}},
        {"reason": {"code": "not-one-of-ours"}},
        {"userComment": "no"},
    ],
)
def test_a_reason_without_days_or_of_another_list_silences_nothing(
    clinic: Clinic, why: dict[str, Any]
) -> None:
    clinic.override(clinic.sign(), "opioid-dose", why)
    assert "opioid-dose" in cards(clinic.sign())


@pytest.mark.parametrize(
    "why",
    [
        {"reason": {"code": "risk-benefit-ratio"}},
        {"reason": {"display": "benefit outweighs risk for this patient"}},
        {"code": "risk-benefit-ratio", "system": HL7},
    ],
)
def test_a_reason_in_a_vendors_spelling_counts(clinic: Clinic, why: dict[str, Any]) -> None:
    clinic.override(clinic.sign(), "opioid-dose", why)
    assert "opioid-dose" not in cards(clinic.sign())


def test_a_dose_in_a_higher_band_speaks_again_and_one_in_the_same_band_does_not(
    clinic: Clinic,
) -> None:
    clinic.override(clinic.sign(times_a_day(4)), "opioid-dose")  # 60 MME
    assert "opioid-dose" not in cards(clinic.sign(times_a_day(5)))  # 75
    assert "opioid-dose" in cards(clinic.sign(times_a_day(6)))  # 90


def test_a_dose_that_can_no_longer_be_told_speaks_again(clinic: Clinic) -> None:
    clinic.override(clinic.sign(), "opioid-dose")
    unread = drug("1049621", "oxycodone hydrochloride 5 MG Oral Tablet", id="other")
    assert "opioid-dose" in cards(clinic.sign(OXYCODONE, unread))


def test_a_new_interacting_drug_speaks_again(clinic: Clinic) -> None:
    clinic.override(clinic.sign(medicationRequests=chart(DIAZEPAM)), "opioid-with-sedative")
    same = clinic.sign(medicationRequests=chart(DIAZEPAM | {"id": "renewed"}))
    assert "opioid-with-sedative" not in cards(same)
    assert "opioid-with-sedative" in cards(
        clinic.sign(medicationRequests=chart(DIAZEPAM, GABAPENTIN))
    )
    assert "opioid-with-sedative" in cards(clinic.sign(medicationRequests=chart(GABAPENTIN)))


def test_a_folding_card_that_was_set_aside_keeps_what_was_in_it_quiet(clinic: Clinic) -> None:
    first = clinic.sign(times_a_day(1), conditions=chart(APNEA))
    assert "opioid-checklist" in cards(first)
    clinic.override(first, "opioid-checklist")
    again = clinic.sign(times_a_day(1), conditions=chart(APNEA))
    quiet = {entry["card"] for entry in again.body["extension"]["cds-service.snoozed"]}
    assert "naloxone-offer" in quiet
    assert cards(again) == cards(first) - {"opioid-checklist"}


def test_a_new_risk_speaks_again(clinic: Clinic) -> None:
    first = clinic.sign(times_a_day(1), conditions=chart(APNEA))
    clinic.override(first, "opioid-checklist")
    again = clinic.sign(times_a_day(1), conditions=chart(APNEA, OVERDOSE))
    assert "naloxone-offer" in said(again)


def test_a_new_red_flag_speaks_again_in_the_pathway(clinic: Clinic) -> None:
    taken = chart(TAKEN)
    first = clinic.view(medicationRequests=taken, conditions=chart(BACK_PAIN))
    assert REFERRAL in cards(first)
    clinic.override(first, REFERRAL)
    same = clinic.view(medicationRequests=taken, conditions=chart(BACK_PAIN))
    assert REFERRAL not in cards(same)
    flagged = chart(BACK_PAIN, CANCER_ONCE)
    worse = clinic.view(medicationRequests=taken, conditions=flagged)
    assert {REFERRAL, "spine-red-flag-workup"} <= cards(worse)
    clinic.override(worse, REFERRAL)
    assert REFERRAL not in cards(clinic.view(medicationRequests=taken, conditions=flagged))


def test_the_opioid_service_does_not_ask_for_every_red_flag(clinic: Clinic) -> None:
    flagged = chart(BACK_PAIN, CANCER_ONCE)
    first = clinic.sign(conditions=flagged)
    assert REFERRAL in cards(first)
    clinic.override(first, REFERRAL)
    assert REFERRAL not in cards(clinic.sign(conditions=flagged))
    assert not any(
        "malignancy" in marks for (marks,) in clinic.rows("SELECT marks FROM issued_card")
    )
    clinic.view(conditions=flagged, medicationRequests=chart(TAKEN))
    assert any("malignancy" in marks for (marks,) in clinic.rows("SELECT marks FROM issued_card"))


def test_accepting_it_after_all_ends_the_silence(clinic: Clinic) -> None:
    first = clinic.sign()
    clinic.override(first, "opioid-dose")
    clinic.override(
        first, "opioid-dose", {}, outcome="accepted", outcomeTimestamp="2024-03-01T10:01:00Z"
    )
    assert "opioid-dose" in cards(clinic.sign())


def test_an_override_of_the_future_counts_from_today(clinic: Clinic) -> None:
    clinic.override(clinic.sign(), "opioid-dose", outcomeTimestamp="2099-01-01T00:00:00Z")
    assert clinic.rows("SELECT until FROM snooze") == [("2024-05-30",)]


def test_a_critical_finding_is_never_silenced(clinic: Clinic) -> None:
    rules = dict(clinic.service.rules)
    usual = rules["opioid-dose"].function

    def critical(facts: Any, known: Any) -> Iterator[Criterion]:
        yield from (replace(criterion, indicator=CRITICAL) for criterion in usual(facts, known))

    rules["opioid-dose"] = replace(rules["opioid-dose"], function=critical)
    parts = (clinic.service.settings, clinic.service.knowledge, clinic.service.vocabulary)
    clinic.service = Service(*parts, rules, clinic.service.library, memory=clinic.memory)
    clinic.override(clinic.sign(), "opioid-dose")
    assert clinic.rows("SELECT card FROM snooze") == []
    assert "opioid-dose" in cards(clinic.sign())


def test_nothing_of_the_patient_stands_in_the_tables(clinic: Clinic) -> None:
    clinic.override(clinic.sign(medicationRequests=chart(DIAZEPAM)), "opioid-with-sedative")
    clinic.sign()
    for table in ("issued_card", "feedback", "snooze"):
        found = repr(clinic.rows(f"SELECT * FROM {table}")).lower()
        assert found != "[]"
        for word in ("canary", "practitioner", "diazepam", "oxycodone"):
            assert word not in found, table


def test_a_database_that_does_not_answer_silences_nothing(clinic: Clinic) -> None:
    clinic.override(clinic.sign(), "opioid-dose")
    engine = create_engine(clinic.url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE snooze"))
    engine.dispose()
    assert "opioid-dose" in cards(clinic.sign())
