"""Clients that give a token instead of data: what is asked of their server, tokens that end."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.client_habits import CALLS_BACK, STRICT, State, but
from tests.contract.answers import DIAZEPAM
from tests.contract.fhir_store import FhirStore
from tests.contract.loopback import Loopback
from tests.contract.sessions import criteria, ehr, opioid
from tests.protocol.hook_requests import OXYCODONE, PATIENT
from tests.simulator import Ehr

pytestmark = pytest.mark.slow

TOKEN = "canary-access-token"


class TestCallingBack:
    """A client that gives a token instead of data."""

    @pytest.fixture
    def store(self) -> FhirStore:
        return FhirStore(PATIENT, DIAZEPAM, token=TOKEN, page=1)

    @pytest.fixture
    def session(self, web: FlaskClient, store: FhirStore) -> Iterator[Ehr]:
        with Loopback(store) as base:
            session = ehr(web, CALLS_BACK)
            granted = {
                "access_token": TOKEN,
                "token_type": "Bearer",
                "expires_in": 300,
                "scope": "patient/*.rs Observation.Read (Labs) (R4)",
                "subject": "cds-service",
                "patient": "canary",
            }
            session.access = {"fhirServer": base, "fhirAuthorization": granted}
            yield session

    def test_the_advice_is_that_of_prefetch(self, web: FlaskClient, session: Ehr) -> None:
        fetched, sent = opioid(session.sign(OXYCODONE)), opioid(ehr(web).sign(OXYCODONE))
        assert criteria(fetched) == criteria(sent)
        assert len(fetched.cards) == len(sent.cards)

    def test_each_query_is_asked_once(self, session: Ehr, store: FhirStore) -> None:
        opioid(session.sign(OXYCODONE))
        each = [url for url in store.asked if not url.startswith("/Medication/")]
        services = 2  # on order-sign
        assert all(each.count(url) <= services for url in each)
        assert not any("rx1" in url for url in each)  # a draft is never read

    def test_only_what_is_missing_is_asked(
        self, web: FlaskClient, session: Ehr, store: FhirStore
    ) -> None:
        half = ehr(web, but(STRICT, states={"medicationRequests": State.OMITTED}))
        half.access = session.access
        assert "opioid-with-sedative" in criteria(opioid(half.sign(OXYCODONE)))
        assert {url for url in store.asked if "?" in url} == {"/MedicationRequest?patient=canary"}

    def test_an_error_in_prefetch_is_not_asked_again(
        self, web: FlaskClient, session: Ehr, store: FhirStore
    ) -> None:
        failed = ehr(web, but(STRICT, states={"conditions": State.FAILED}))
        failed.access = session.access
        failed.sign(OXYCODONE)
        assert not any(url.startswith("/Condition") for url in store.asked)

    def test_pages_are_turned(self, session: Ehr, store: FhirStore) -> None:
        store.resources += [DIAZEPAM | {"id": f"rx-{n}"} for n in range(3)]
        assert opioid(session.sign(OXYCODONE)).status == 200
        assert sum("_offset" in url for url in store.asked) >= 3

    def test_a_type_the_user_may_not_see_is_unknown(self, session: Ehr, store: FhirStore) -> None:
        store.hidden = ["Condition"]
        answer = opioid(session.sign(OXYCODONE))
        assert answer.status == 200
        assert "opioid-dose-threshold" in criteria(answer)

    def test_a_revoked_token_is_missing_data_and_never_401(
        self, session: Ehr, store: FhirStore
    ) -> None:
        session.sign(OXYCODONE)
        asked = len(store.asked)
        store.revoked = True
        assert {answer.status for answer in session.open_chart()} == {412}
        assert len(store.asked) > asked

    def test_nothing_is_asked_after_the_answer(self, session: Ehr, store: FhirStore) -> None:
        session.sign(OXYCODONE)
        store.revoked, asked = True, len(store.asked)
        assert session.report("opioid-safety", {"card": "x", "outcome": "overridden"}) == 200
        assert len(store.asked) == asked

    def test_the_token_goes_nowhere_else(
        self, session: Ehr, capsys: pytest.CaptureFixture[str]
    ) -> None:
        answers = session.sign(OXYCODONE)
        told = capsys.readouterr()
        assert TOKEN not in json.dumps([answer.body for answer in answers]) + told.out + told.err

    def test_a_token_for_another_patient_gets_no_advice(self, session: Ehr) -> None:
        session.access["fhirAuthorization"]["patient"] = "other"
        assert {answer.status for answer in session.open_chart()} == {400}
