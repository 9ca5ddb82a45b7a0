"""The demo EHR when answers are slow and hands are fast: nothing is lost on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Watched

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
