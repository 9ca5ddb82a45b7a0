"""What a clinician does with advice in the demo: accept it, set it aside, sign the order."""

from __future__ import annotations

import html
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from flask.testing import FlaskClient

from cds_service.cases.validity import faults_of
from cds_service.web.demo.patients import patients
from tests.web.demo_app import demo, demo_database, page
from tests.web.demo_forms import MEDICATION, desk_of, suggestion_of

__all__ = ["demo", "demo_database", "page"]


def test_accepting_creates_the_order_and_tells_the_service(
    page: FlaskClient, demo_database: Path
) -> None:
    asked = page.post("/patients/crossing-caution/orders", data=MEDICATION).text
    form = suggestion_of(asked, "Order naloxone nasal spray")
    answer = page.post(
        "/patients/crossing-caution/accept", data={**form, "desk": json.dumps(desk_of(asked))}
    ).text
    drafts = desk_of(answer)["drafts"]
    assert [draft["medicationCodeableConcept"]["coding"][0]["code"] for draft in drafts] == [
        "993781",
        "1725059",
    ]
    assert faults_of(drafts[1]) == []
    assert "Feedback stored." in answer
    again = page.post(
        "/patients/crossing-caution/review", data={"desk": json.dumps(desk_of(answer))}
    ).text
    assert "Order naloxone nasal spray" not in again
    with closing(sqlite3.connect(demo_database)) as rows:
        found = rows.execute(
            "select outcome from feedback where card_uuid = ?", (form["card"],)
        ).fetchall()
    assert found == [("accepted",)]


def test_accepting_a_change_replaces_the_order(page: FlaskClient) -> None:
    asked = page.post("/patients/crossing-caution/orders", data=MEDICATION).text
    form = suggestion_of(asked, "Fewer doses a day")
    answer = page.post(
        "/patients/crossing-caution/accept", data={**form, "desk": json.dumps(desk_of(asked))}
    ).text
    assert "1 tablet, 2 times a day, 7 days" in answer
    (draft,) = desk_of(answer)["drafts"]
    assert draft["id"] == desk_of(asked)["drafts"][0]["id"]
    again = page.post(
        "/patients/crossing-caution/review", data={"desk": json.dumps(desk_of(answer))}
    ).text
    assert "caution from 50)" not in html.unescape(again)


def test_accepting_a_removal_empties_the_desk(page: FlaskClient) -> None:
    reason = f"Condition/{patients()['early-mri'].of('Condition')[0]['id']}"
    asked = page.post(
        "/patients/early-mri/orders", data={"kind": "imaging", "study": "mri", "reason": reason}
    ).text
    form = suggestion_of(asked, "Cancel the imaging order")
    answer = page.post(
        "/patients/early-mri/accept", data={**form, "desk": json.dumps(desk_of(asked))}
    ).text
    assert desk_of(answer)["drafts"] == []
    assert "The draft was taken off." in answer


def test_the_record_of_decision_support_satisfies_the_next_call(page: FlaskClient) -> None:
    order = {"kind": "injection", "procedure": "62323", "units": "1"}
    order["reason"] = f"Condition/{patients()['injection-criteria-met'].of('Condition')[0]['id']}"
    asked = page.post("/patients/injection-criteria-met/orders", data=order).text
    assert "decision-support-record-required" in asked
    form = suggestion_of(asked, "Record the result")
    answer = page.post(
        "/patients/injection-criteria-met/accept", data={**form, "desk": json.dumps(desk_of(asked))}
    ).text
    state = desk_of(answer)
    assert [each["resourceType"] for each in state["filed"]] == ["QuestionnaireResponse"]
    again = page.post(
        "/patients/injection-criteria-met/review", data={"desk": json.dumps(state)}
    ).text
    assert '"criterion": "decision-support-record-required"' not in html.unescape(again)


def test_a_request_to_the_payer_that_was_drafted_is_on_file(page: FlaskClient) -> None:
    reason = f"Condition/{patients()['spine-center-done'].of('Condition')[0]['id']}"
    order = {"kind": "referral", "to": "orthopedic-spine", "reason": reason}
    asked = page.post("/patients/spine-center-done/orders", data=order).text
    assert '"criterion": "spine-surgery-visit-authorization"' in html.unescape(asked)
    form = suggestion_of(asked, "Draft the authorization request")
    answer = page.post(
        "/patients/spine-center-done/accept", data={**form, "desk": json.dumps(desk_of(asked))}
    ).text
    (claim,) = desk_of(answer)["filed"]
    assert (claim["resourceType"], faults_of(claim)) == ("Claim", [])
    again = page.post(
        "/patients/spine-center-done/review", data={"desk": json.dumps(desk_of(answer))}
    ).text
    assert '"criterion": "spine-surgery-visit-authorization"' not in html.unescape(again)


def test_dismissing_tells_the_service_why(page: FlaskClient, demo_database: Path) -> None:
    asked = page.post("/patients/crossing-caution/orders", data=MEDICATION).text
    form = suggestion_of(asked, "Order naloxone nasal spray")
    reason = {"system": "urn:test", "code": "declined", "display": "Patient declined"}
    answer = page.post(
        "/patients/crossing-caution/dismiss",
        data={
            "service": form["service"],
            "card": form["card"],
            "reason": json.dumps(reason),
            "comment": "no",
        },
    ).text
    assert "Patient declined" in answer
    assert "Feedback stored." in answer
    with closing(sqlite3.connect(demo_database)) as rows:
        found = rows.execute(
            "select outcome, reason_code from feedback where card_uuid = ? and outcome = 'overridden'",
            (form["card"],),
        ).fetchall()
    assert found == [("overridden", "declined")]


def test_signed_orders_count_on_the_page(page: FlaskClient) -> None:
    asked = page.post("/patients/cough-syrup/orders", data=MEDICATION).text
    answer = page.post("/patients/cough-syrup/sign", data={"desk": json.dumps(desk_of(asked))}).text
    state = desk_of(answer)
    assert state["drafts"] == []
    assert [each["status"] for each in state["filed"]] == ["active"]
    assert "Acetaminophen-codeine" in answer
    second = page.post(
        "/patients/cough-syrup/orders", data={**MEDICATION, "desk": json.dumps(state)}
    ).text
    assert "27 MME a day" in second


def test_an_order_can_be_taken_off(page: FlaskClient) -> None:
    asked = page.post("/patients/cough-syrup/orders", data=MEDICATION).text
    ref = f"MedicationRequest/{desk_of(asked)['drafts'][0]['id']}"
    answer = page.post(
        "/patients/cough-syrup/remove", data={"desk": json.dumps(desk_of(asked)), "reference": ref}
    ).text
    assert desk_of(answer)["drafts"] == []
