"""The demo EHR when answers are slow and hands are fast: nothing is lost on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Server, Watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_CLICK = "buttons => buttons.slice(0, 2).forEach(button => button.click())"


def slowly(seconds: float) -> Callable[[Route], None]:
    """Let calls through after a while."""

    def wait(route: Route) -> None:
        time.sleep(seconds)
        route.continue_()

    return wait


def drafts(page: Page) -> int:
    return len(json.loads(page.locator("#desk").input_value())["drafts"])


def test_two_suggestions_taken_at_once_are_two_orders(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/patch-with-sedative")
    page.route("**/accept", slowly(0.3))
    buttons = page.get_by_role("button", name="Refer to ")
    buttons.evaluate_all(_CLICK)
    expect(page.locator(".accepted")).to_have_count(2)
    expect(page.locator("#unsigned")).to_contain_text("Sign 2 orders")
    assert drafts(page) == 2


def test_signing_while_a_suggestion_is_taken_signs_nothing_unseen(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/patch-with-sedative")
    page.get_by_role("button", name="Review and sign").click()
    expect(page.get_by_role("heading", name="Before you sign")).to_be_visible()
    page.route("**/accept", slowly(0.3))
    page.locator("#order-advice .card form button[id^=take], #sign").evaluate_all(
        "found => [found[0], document.querySelector('#sign')].forEach(button => button.click())"
    )
    expect(page.locator(".accepted")).to_have_count(1)
    expect(page.get_by_role("button", name="Sign 2 orders")).to_be_visible()


def test_a_slow_answer_is_said_to_be_awaited(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/patch-with-sedative")
    expect(page.locator("#busy")).to_be_hidden()
    page.route("**/orders", slowly(1))
    page.get_by_role("button", name="Review and sign").evaluate("button => button.click()")
    expect(page.locator("#busy")).to_be_visible()
    expect(page.get_by_role("heading", name="Before you sign")).to_be_visible()
    expect(page.locator("#busy")).to_be_hidden()


def test_what_came_is_told_in_one_sentence(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/patch-with-sedative")
    page.get_by_role("button", name="Review and sign").click()
    expect(page.get_by_role("status")).to_have_text(
        "Before you sign: 90 MME a day; 3 warning cards, 1 info card."
    )
    expect(page.locator("[aria-live] article, [role=status] article")).to_have_count(0)


def test_after_the_last_order_is_removed_the_keyboard_is_not_lost(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/patch-with-sedative")
    page.get_by_role("button", name="Review and sign").click()
    page.get_by_role("button", name="Remove Oxycodone 5 mg tablet").press("Enter")
    expect(page.get_by_text("No order is left to sign.")).to_be_focused()


def test_a_suggestion_taken_says_that_the_advice_is_older(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/crossing-caution")
    page.get_by_role("button", name="Review and sign").click()
    page.get_by_role("button", name="Fewer doses a day").click()
    expect(page.locator("#unsigned")).to_contain_text("Changed since they were last checked")
    page.get_by_role("button", name="Check again").click()
    expect(page.locator("#order-advice .readout")).to_contain_text("46.5 MME a day")
    expect(page.locator("#unsigned")).not_to_contain_text("Changed since")


def test_requests_stay_open_to_read_when_new_ones_come(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/patch-with-sedative")
    page.get_by_text("CDS Hooks requests and responses").click()
    page.get_by_role("button", name="Review and sign").click()
    expect(page.locator(".exchange").filter(has_text="order-sign").first).to_be_visible()


def test_a_dismissed_card_can_still_be_read(watched: Watched) -> None:
    page = watched.page
    page.goto("/patients/patch-with-sedative")
    page.locator(".dismiss > summary").first.click()
    page.locator(".dismiss button").first.click()
    expect(page.locator(".dismissed")).to_be_visible()
    faded = "found => found.filter(each => getComputedStyle(each).opacity !== '1').length"
    assert page.locator(".card:has(.dismissed) *").evaluate_all(faded) == 0


def test_without_scripts_the_chart_is_read_and_nothing_else_is_offered(
    browser: Browser, server: Server
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=server.url)
    page = context.new_page()
    page.goto("/patients/patch-with-sedative")
    expect(page.get_by_text("need JavaScript")).to_be_visible()
    expect(page.get_by_role("heading", name="Weigh the combination")).to_be_visible()
    assert [each for each in page.get_by_role("button").all() if each.is_visible()] == []
    context.close()
