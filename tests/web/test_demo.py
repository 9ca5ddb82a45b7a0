"""The demo EHR through Flask's test client: its pages and its order forms."""

from __future__ import annotations

import html
import json
import re
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from flask.testing import FlaskClient

from cds_service.cases.validity import faults_of
from cds_service.settings import DEMO_DATE, Mode, load_settings
from cds_service.web.demo.dose_chart import dose_chart, steps_of
from cds_service.web.demo.patients import patients
from tests.web.demo_app import demo, demo_database, page
from tests.web.demo_forms import MEDICATION, desk_of

__all__ = ["demo", "demo_database", "page"]


def test_the_demo_runs_on_its_own_date_unless_told_otherwise() -> None:
    assert load_settings(mode=Mode.DEMO).clock() == DEMO_DATE
    assert load_settings(mode=Mode.DEMO, as_of=date(2026, 4, 1)).clock() == date(2026, 4, 1)
    assert load_settings(mode=Mode.TEST).as_of is None


def test_the_list_names_every_patient_with_a_story(page: FlaskClient) -> None:
    text = page.get("/").text
    for patient in patients().values():
        assert f'href="/patients/{patient.id}"' in text
        assert html.escape(patient.story.title, quote=True).replace("&#x27;", "&#39;") in text


def test_an_unknown_patient_is_a_page_and_not_json(page: FlaskClient) -> None:
    answer = page.get("/patients/nobody")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert page.get("/patients/renewal/form/poem").status_code == 404


def test_the_chart_shows_dose_arithmetic_course_and_twelve_months(page: FlaskClient) -> None:
    text = page.get("/patients/renewal").text
    assert "<strong>30 MME a day</strong>" in text
    assert "10 mg x 3/day x 1 = 30 MME/day" in text
    assert "358 days, chronic" in text
    assert '<title id="dose-title">' in text
    assert "Highest 30" in text
    assert "caution from 50" in text


def test_what_cannot_be_read_is_said(page: FlaskClient) -> None:
    text = page.get("/patients/unreadable-sig").text
    assert "No opioid counted in MME" in text
    assert "not counted: " in text
    assert (
        "An opioid that is not counted was ordered from 15 February 2026 to 2 March 2026." in text
    )
    assert "Hatched" in text
    assert "Hatched" not in page.get("/patients/renewal").text


@pytest.mark.parametrize("kind", ["medication", "referral", "imaging", "therapy", "injection"])
def test_each_kind_of_order_has_a_form(page: FlaskClient, kind: str) -> None:
    text = page.get(f"/patients/injection-criteria-met/form/{kind}").text
    assert f'name="kind" value="{kind}"' in text
    assert 'name="reason"' in text


def test_a_form_is_filled_in_as_the_story_says(page: FlaskClient) -> None:
    text = page.get("/patients/opioids-over-a-month").text
    assert '<option value="hydrocodone-5" selected>' in text
    assert re.search(r'<option value="MedicationRequest/[\w-]+" selected>', text)


def _active(patient: str) -> str:
    """The id of an active prescription."""
    orders = patients()[patient].of("MedicationRequest")
    return next(str(order["id"]) for order in orders if order["status"] == "active")


def test_one_of_a_thing_is_written_as_one(page: FlaskClient) -> None:
    text = page.get("/patients/ndc-only").text
    assert "1 past order<" in text
    asked = page.post("/patients/renewal/orders", data={**MEDICATION, "days": "1"}).text
    assert "3 times a day, 1 day<" in asked
    order = {**MEDICATION, "product": "hydrocodone-5", "often": "qid", "days": "30"}
    order["replaces"] = f"MedicationRequest/{_active('opioids-over-a-month')}"
    month = page.post("/patients/opioids-over-a-month/orders", data=order).text
    assert "most of one recent month covered" in month
    toxicology = page.get("/patients/unexpected-toxicology").text
    assert ">Positive</span>" in toxicology
    assert ">positive</span>" not in toxicology


def test_choosing_asks_about_the_order_and_keeps_the_desk(page: FlaskClient) -> None:
    text = page.post("/patients/crossing-caution/select", data=MEDICATION).text
    assert "While choosing" in text
    assert "51 MME/day" in html.unescape(text)
    assert 'id="desk"' not in text
    assert '"selections": [' in html.unescape(text)


def test_signing_puts_a_valid_order_on_the_desk_and_asks(page: FlaskClient) -> None:
    text = page.post("/patients/crossing-caution/orders", data={**MEDICATION, "prn": "yes"}).text
    assert "Before you sign" in text
    (draft,) = desk_of(text)["drafts"]
    assert faults_of(draft) == []
    assert draft["dosageInstruction"][0]["asNeededBoolean"] is True
    assert draft["dispenseRequest"]["quantity"] == {"value": 21, "unit": "tablet"}
    assert draft["authoredOn"] == DEMO_DATE.isoformat()


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "referral", "to": "neurosurgery", "priority": "urgent"},
        {"kind": "imaging", "study": "mri"},
        {"kind": "therapy", "procedure": "97110", "visits": "6"},
        {"kind": "injection", "procedure": "64483", "units": "1", "second": "64484"},
        {"kind": "medication", "product": "oxycodone-5", "sig": "1-2 tabs q4h prn", "days": "5"},
        {
            "kind": "medication",
            "product": "fentanyl-25",
            "dose": "1",
            "often": "q72h",
            "days": "30",
        },
    ],
    ids=["referral", "imaging", "therapy", "injection", "free text", "patch"],
)
def test_every_order_is_valid_r4(page: FlaskClient, form: dict[str, str]) -> None:
    reason = f"Condition/{patients()['foot-drop'].of('Condition')[0]['id']}"
    text = page.post("/patients/foot-drop/orders", data={**form, "reason": reason}).text
    drafts = desk_of(text)["drafts"]
    assert drafts
    assert [faults_of(draft) for draft in drafts] == [[]] * len(drafts)
    assert {draft["reasonReference"][0]["reference"] for draft in drafts} == {reason}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dose": "a few"}, "Dose: a number is needed."),
        ({"dose": "NaN"}, "Dose: between"),
        ({"days": "0"}, "Days: between 1 and 365."),
        ({"days": "3.5"}, "Days: a whole number is needed."),
        ({"refills": "-1"}, "Refills: between 0 and 12."),
        ({"refills": "1.5"}, "Refills: a whole number is needed."),
        ({"product": "gold"}, "Choose what to order."),
        ({"kind": "wish"}, "Choose what to order."),
        ({"reason": "Condition/somebody-elses"}, "not in this chart"),
        ({"replaces": "Patient/renewal"}, "not in this chart"),
    ],
)
def test_a_form_that_cannot_be_read_says_which_field(
    page: FlaskClient, change: dict[str, str], said: str
) -> None:
    for address in ("select", "orders"):
        answer = page.post(f"/patients/renewal/{address}", data={**MEDICATION, **change})
        assert answer.status_code == 200
        assert said in answer.text
        assert 'role="alert"' in answer.text
        (field,) = change
        assert f'data-field="{field}"' in answer.text or field in ("kind", "reason", "replaces")


def test_more_orders_than_a_page_holds_are_refused_and_the_others_stay(page: FlaskClient) -> None:
    address, state = "/patients/just-below-caution", ""
    for _ in range(20):
        state = json.dumps(
            desk_of(page.post(f"{address}/orders", data={**MEDICATION, "desk": state or "{}"}).text)
        )
    answer = page.post(f"{address}/orders", data={**MEDICATION, "desk": state})
    assert answer.status_code == 400
    assert "20 orders wait already, sign or remove some first" in answer.text
    assert 'id="desk"' not in answer.text
    signed = desk_of(page.post(f"{address}/sign", data={"desk": state}).text)
    more = page.post(f"{address}/orders", data={**MEDICATION, "desk": json.dumps(signed)})
    state = json.dumps(desk_of(more.text))
    assert page.post(f"{address}/sign", data={"desk": state}).status_code == 200


@pytest.mark.parametrize(
    "state",
    ["", "[", "[]", '{"drafts": 1}', '{"drafts": [{"id": 1}]}', '{"clinician": "x"}', "[" * 9999],
)
def test_a_page_whose_state_was_changed_is_refused(page: FlaskClient, state: str) -> None:
    answer = page.post("/patients/renewal/review", data={"desk": state})
    assert (answer.status_code, answer.mimetype) == (400, "text/html")


def test_each_page_has_a_clinician_of_its_own(page: FlaskClient) -> None:
    first, second = (desk_of(page.get("/patients/renewal").text)["clinician"] for _ in range(2))
    assert first != second
    state = json.dumps({"clinician": first})
    asked = page.post("/patients/renewal/orders", data={**MEDICATION, "desk": state}).text
    assert desk_of(asked)["drafts"][0]["requester"]["reference"] == first
    assert f'"userId": "{first}"' in html.unescape(asked)


def test_the_dose_chart_says_in_words_what_it_draws() -> None:
    first = date(2025, 3, 1)
    series = [(first + timedelta(n), Fraction(45 if n < 100 else 90)) for n in range(366)]
    assert [(step.start, step.dose) for step in steps_of(series)] == [
        (first, Decimal(45)),
        (first + timedelta(100), Decimal(90)),
    ]
    drawn = dose_chart(series, Decimal(50))
    assert "Highest 90, from 9 June 2025; on the last day 90." in drawn
    assert drawn.count("<path") == 2
