"""Sessions of the simulated EHR, and what the answers in them say."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.client_habits import STRICT, Habits
from tests.contract.answers import DIAZEPAM
from tests.protocol.hook_requests import PATIENT
from tests.simulator import Answer, Ehr


def ehr(web: FlaskClient, habits: Habits = STRICT) -> Ehr:
    return Ehr(web, habits, PATIENT, [DIAZEPAM])


def opioid(answers: list[Answer]) -> Answer:
    return next(answer for answer in answers if answer.service == "opioid-safety")


def criteria(answer: Answer) -> set[str]:
    """The criteria met in the cards of an answer."""
    return {
        reason["criterion"]
        for card in answer.cards
        for reason in card.get("extension", {}).get("cds-service.reasons", ())
        if reason["status"] == "met"
    }
