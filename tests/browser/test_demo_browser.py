"""The demo EHR as a clinician uses it, in Chromium."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Server, Watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def card(watched: Watched, topic: str, within: str = "#order-advice") -> Locator:
    return watched.page.locator(f'{within} article[data-card="{topic}"]')


def feedback(server: Server, outcome: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(server.database)) as rows:
        return rows.execute(
            "select card_uuid, reason_display from feedback where outcome = ?", (outcome,)
        ).fetchall()


def test_sign_an_opioid_order_take_naloxone_dismiss_the_rest(
    server: Server, watched: Watched
) -> None:
    page = watched.page
    page.goto("/")
    page.get_by_role("link", name="51 MME a day with the new order").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Canarylark, Denise")
    page.get_by_role("button", name="Review and sign").click()

    dose = card(watched, "opioid-dose")
    expect(dose).to_contain_text("51 MME/day")
    expect(dose.locator(".badge")).to_have_text("Warning")
    expect(page.get_by_role("heading", name="Before you sign")).to_be_focused()
    dose.get_by_text("Details").click()
    expect(dose).to_contain_text("5 mg x 5/day x 1.5 = 37.5 MME/day")

    dose.get_by_role("button", name="Order naloxone nasal spray").click()
    accepted = dose.locator(".accepted")
    expect(accepted).to_contain_text("Feedback stored.")
    accepted.get_by_text("MedicationRequest draft").click()
    made = json.loads(accepted.locator("pre").inner_text())
    assert made["medicationCodeableConcept"]["coding"][0]["code"] == "1725059"
    expect(page.locator("#unsigned")).to_contain_text("Naloxone 4 mg nasal spray")

    checklist = card(watched, "opioid-checklist")
    checklist.get_by_text("Dismiss", exact=True).click()
    checklist.get_by_label("Reason").select_option(label="Patient declined")
    checklist.get_by_role("button", name="Dismiss this card").click()
    expect(checklist.locator(".dismissed")).to_contain_text("Patient declined")
    expect(checklist.locator(".dismissed")).to_contain_text("Feedback stored.")
    assert len(feedback(server, "accepted")) == 1
    assert [display for _, display in feedback(server, "overridden")] == ["Patient declined"]

    page.get_by_role("button", name="Check again").click()
    expect(card(watched, "opioid-dose")).to_be_visible()
    expect(page.get_by_role("button", name="Order naloxone nasal spray")).to_have_count(0)
    page.get_by_role("button", name="Sign 2 orders").click()
    expect(page.get_by_role("heading", name="Signed")).to_be_visible()
    expect(page.locator("#unsigned")).to_be_hidden()


def test_choosing_another_rhythm_asks_at_once(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/just-below-caution")
    page.get_by_label("How often").select_option(label="2 times a day")
    expect(page.get_by_role("heading", name="While choosing")).to_be_visible()
    expect(card(watched, "opioid-dose")).to_contain_text("54 MME/day")
    page.get_by_label("How often").select_option(label="once a day")
    expect(card(watched, "opioid-dose")).to_have_count(0)
    page.get_by_label("Or instructions in your own words").fill("2 tabs every 6 hours")
    page.get_by_label("Or instructions in your own words").press("Tab")
    expect(card(watched, "opioid-dose")).to_contain_text("MME/day")


def test_request_and_response_can_be_read(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/untreated-oud")
    page.get_by_text("CDS Hooks requests and responses").click()
    exchange = page.locator(".exchange").filter(has_text="opioid-safety")
    exchange.get_by_text("Request", exact=True).click()
    sent = json.loads(exchange.locator("pre").first.inner_text())
    assert sent["hook"] == "patient-view"
    assert sent["prefetch"]["patient"]["name"][0]["family"] == "Canaryfalcon"
    exchange.get_by_text("Response", exact=True).click()
    received = json.loads(exchange.locator("pre").last.inner_text())
    assert received["cards"]


def test_everything_works_from_the_keyboard(watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    watched.tab_to('a[href="/patients/extended-release-start"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Canaryegret, Olivia")
    watched.tab_to("#review")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Before you sign")).to_be_focused()
    watched.tab_to('article[data-card="opioid-long-acting-start"] .why > summary')
    page.keyboard.press("Enter")
    expect(card(watched, "opioid-long-acting-start").locator(".detail")).to_be_visible()
    watched.tab_to('article[data-card="opioid-long-acting-start"] .card-actions > form button')
    page.keyboard.press("Enter")
    expect(page.locator(".accepted").first).to_contain_text("Feedback stored.")
    watched.tab_to('article[data-card="pain-specialist-referral"] .dismiss > summary')
    page.keyboard.press("Enter")
    watched.tab_to('article[data-card="pain-specialist-referral"] .dismiss button')
    page.keyboard.press("Enter")
    expect(page.locator(".dismissed")).to_contain_text("Feedback stored.")


def test_a_back_pain_chart_speaks_when_it_is_opened(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/cauda-equina")
    emergency = card(watched, "spine-emergency", ".work")
    expect(emergency.locator(".badge")).to_have_text("Critical")
    expect(emergency).to_contain_text("emergency MRI")
    expect(emergency.locator(".detail")).to_be_visible()
    expect(page.locator("article.card")).to_have_count(1)
    emergency.get_by_role("button", name="Refer to emergency care (stat)").click()
    expect(page.locator("#unsigned")).to_contain_text("stat")


def test_an_injection_shows_its_checklist_and_records_the_result(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/injection-criteria-met")
    expect(page.get_by_role("button", name="Injection")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Review and sign").click()
    support = card(watched, "esi-decision-support")
    expect(support.locator(".detail")).to_be_visible()
    expect(support.locator(".detail")).to_contain_text("bleeding")
    assert support.locator(".detail li").count() >= 12
    support.get_by_role("button", name="Record the result").click()
    expect(support.locator(".accepted")).to_contain_text("filed in the chart")
    page.get_by_role("button", name="Check again").click()
    expect(page.locator("#order-advice")).to_contain_text("ESI criteria met")
    expect(page.locator("#order-advice")).not_to_contain_text("Complete ESI decision support")


def test_another_kind_of_order_brings_its_form(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/surgeon-referral")
    page.get_by_role("button", name="Imaging").click()
    expect(page.get_by_label("Study")).to_be_visible()
    page.get_by_role("button", name="Referral").click()
    expect(page.get_by_label("Refer to")).to_have_value("orthopedic-spine")
    page.get_by_role("button", name="Review and sign").click()
    expect(card(watched, "medical-spine-center")).to_contain_text("medical spine center")


def test_a_dose_that_was_typed_is_what_is_reviewed(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/patch-with-sedative")
    page.locator("input[name=dose]").fill("2")
    page.get_by_role("button", name="Review and sign").click()
    expect(page.get_by_role("heading", name="Before you sign")).to_be_focused()
    page.wait_for_timeout(600)  # nothing else may arrive and take its place
    expect(page.get_by_role("heading", name="Before you sign")).to_be_visible()
    expect(page.get_by_role("heading", name="While choosing")).to_have_count(0)
    expect(page.locator("#order-advice .readout")).to_contain_text("120 MME a day")
    expect(page.locator("#unsigned")).to_contain_text("2 tablets")


def test_a_field_that_cannot_be_read_is_marked_until_it_can(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/patch-with-sedative")
    page.get_by_role("button", name="Review and sign").click()
    expect(page.locator("#unsigned")).to_contain_text("Sign 1 order")
    days = page.get_by_role("textbox", name="Days")
    days.fill("a week")
    days.press("Tab")
    expect(days).to_have_attribute("aria-invalid", "true")
    page.wait_for_timeout(500)  # a second press so soon is a double click
    page.get_by_role("button", name="Review and sign").click()
    expect(days).to_be_focused()
    expect(days).to_have_accessible_description("Days: a number is needed.")
    expect(days).to_have_value("a week")
    expect(page.locator("#unsigned")).to_contain_text("Sign 1 order")
    days.fill("7")
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Review and sign").click()
    expect(page.get_by_role("button", name="Sign 2 orders")).to_be_visible()
    expect(page.locator("#order-form [aria-invalid]")).to_have_count(0)


def test_a_double_click_is_one_order(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/patch-with-sedative")
    page.get_by_role("button", name="Review and sign").dblclick()
    expect(page.get_by_role("heading", name="Before you sign")).to_be_visible()
    page.wait_for_timeout(300)
    expect(page.get_by_role("button", name="Sign 1 order")).to_be_visible()


def test_the_keyboard_stays_where_it_was(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/patch-with-sedative")
    page.get_by_role("button", name="Imaging").press("Enter")
    expect(page.get_by_label("Study")).to_be_visible()
    expect(page.get_by_role("button", name="Imaging")).to_be_focused()
    watched.tab_to("select[name=study]", most=3)
    page.get_by_role("button", name="Refer to a pain specialist").press("Enter")
    expect(page.locator(".accepted")).to_be_focused()
    therapy = card(watched, "care-pathway", ".work")
    therapy.get_by_text("Dismiss", exact=True).press("Enter")
    therapy.get_by_role("button", name="Dismiss this card").press("Enter")
    expect(page.locator(".dismissed")).to_be_focused()


@pytest.mark.parametrize("status", [500, None])
def test_a_call_that_fails_is_said_and_leaves_no_stale_advice(
    watched: Watched, status: int | None
) -> None:
    page = watched.page
    page.goto("/patients/patch-with-sedative")
    page.get_by_role("button", name="Review and sign").click()
    expect(page.get_by_role("heading", name="Before you sign")).to_be_visible()
    page.route("**/review", lambda route: route.fulfill(status=status) if status else route.abort())
    page.get_by_role("button", name="Check again").click()
    expect(page.locator("#order-advice [role=alert]")).to_contain_text("could not be asked")
    expect(page.locator("#order-advice article.card")).to_have_count(0)
    expect(page.locator("#unsigned")).to_contain_text("Sign 1 order")
    watched.complaints.clear()  # the browser's own word about the failure


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_window(watched: Watched, width: int, scheme: Any) -> None:
    page = watched.page
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    for address in ("/", "/patients/patch-with-sedative", "/patients/injection-anticoagulated"):
        page.goto(address)
        if address != "/":
            page.get_by_role("button", name="Review and sign").click()
            expect(page.get_by_role("heading", name="Before you sign")).to_be_visible()
        over = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert over <= 0, address
