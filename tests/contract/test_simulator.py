"""Our service as EHRs see it: vendors' ways, and every state of prefetch."""

from __future__ import annotations

from itertools import product

import pytest
from flask.testing import FlaskClient

from tests.client_habits import (
    ALL,
    EPIC,
    FIXTURES,
    HOSTILE,
    KNOWN_EMPTY,
    ORACLE,
    STRICT,
    UNKNOWN,
    Habits,
    State,
    but,
)
from tests.contract.sessions import criteria, ehr, opioid
from tests.protocol.hook_requests import OXYCODONE
from tests.simulator import ErrorCard, drawn

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("habits", ALL, ids=lambda habits: habits.name)
def test_every_client_is_answered(web: FlaskClient, habits: Habits) -> None:
    session = ehr(web, habits)
    answers = [*session.open_chart(), *session.select(OXYCODONE), *session.sign()]
    assert answers
    assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("habits", [EPIC, FIXTURES, HOSTILE], ids=lambda habits: habits.name)
def test_the_advice_does_not_depend_on_the_spelling(web: FlaskClient, habits: Habits) -> None:
    wanted = criteria(opioid(ehr(web).sign(OXYCODONE)))
    assert {"opioid-dose-threshold", "opioid-with-sedative"} <= wanted
    assert criteria(opioid(ehr(web, habits).sign(OXYCODONE))) == wanted


def test_oracle_calls_on_opening_a_chart_only(web: FlaskClient) -> None:
    session = ehr(web, ORACLE)
    assert session.sign(OXYCODONE) == []
    assert {answer.service for answer in session.open_chart()} == {"low-back-pain", "opioid-safety"}


def test_a_client_may_strip_the_drafts(web: FlaskClient) -> None:
    answers = ehr(web, but(EPIC, strips_drafts=True)).sign(OXYCODONE)
    assert [(answer.status, answer.body) for answer in answers] == [(200, {"cards": []})] * 2


def test_links_lead_only_to_hosts_that_can_be_allowed(web: FlaskClient) -> None:
    session = ehr(web, but(EPIC, link_hosts=()))
    session.sign(OXYCODONE)
    assert session.dropped_links
    assert all(url.startswith("https://") and "canary" not in url for url in session.dropped_links)


@pytest.mark.parametrize("state", list(State))
def test_every_state_of_every_search_is_answered(web: FlaskClient, state: State) -> None:
    session = ehr(web, but(STRICT, states={"*": state}))
    for answer in [*session.open_chart(), *session.sign(OXYCODONE)]:
        assert answer.status in (200, 412)
        if answer.status == 412:
            assert state in UNKNOWN


def test_the_power_set_of_three_keys(web: FlaskClient) -> None:
    keys = ("patient", "medicationRequests", "conditions")
    some = (State.VALUE, State.NULL, State.WARNED, State.FAILED, State.PAGED, State.OMITTED)
    for states in product(some, repeat=len(keys)):
        session = ehr(web, but(STRICT, states=dict(zip(keys, states, strict=True))))
        answer = opioid(session.sign(OXYCODONE))
        assert answer.status in (200, 412), states
        if (
            answer.status == 200
            and states[1] in (State.VALUE, State.PAGED)
            and states[0] is State.VALUE
        ):
            assert "opioid-with-sedative" in criteria(answer), states


@pytest.mark.parametrize("state", KNOWN_EMPTY)
def test_known_empty_is_the_same_in_every_spelling(web: FlaskClient, state: State) -> None:
    plain = opioid(ehr(web, but(STRICT, states={"*": State.EMPTY})).sign(OXYCODONE))
    other = opioid(ehr(web, but(STRICT, states={"*": state})).sign(OXYCODONE))
    assert criteria(other) == criteria(plain)
    assert other.body.get("extension") == plain.body.get("extension")


@pytest.mark.parametrize("state", [State.COLLECTION, State.BARE])
def test_the_same_data_in_another_wrapping_give_the_same_advice(
    web: FlaskClient, state: State
) -> None:
    plain, other = ehr(web), ehr(web, but(STRICT, states={"*": state}))
    assert criteria(opioid(other.sign(OXYCODONE))) == criteria(opioid(plain.sign(OXYCODONE)))


def test_without_patient_and_without_access_there_is_no_advice(web: FlaskClient) -> None:
    session = ehr(web, but(STRICT, states={"patient": State.OMITTED, "*": State.OMITTED}))
    assert {answer.status for answer in session.open_chart()} == {412}


def test_a_strict_client_knows_an_error_card() -> None:
    good = {"summary": "s", "indicator": "info"}
    assert drawn(good) == good
    for change in ({"selectionBehavior": "all"}, {"suggestions": [{}]}, {"summary": "x" * 140}):
        with pytest.raises(ErrorCard):
            drawn({**good, **change})
