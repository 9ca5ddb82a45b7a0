"""The pages about the cards as browsers of several widths show them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_HIDDEN = """[...document.querySelectorAll("body, .wide")]
    .filter(each => each.scrollWidth > each.clientWidth + 1).length"""


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_nothing_of_a_page_about_a_card_lies_beside_the_window(
    watched: Watched, width: int
) -> None:
    page = watched.page
    page.set_viewport_size({"width": width, "height": 800})
    for address in ("/about", "/about/opioid-dose", "/about/esi-decision-support"):
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert page.evaluate(_HIDDEN) == 0, address


def test_a_number_says_what_it_is_where_no_column_head_is_seen(watched: Watched) -> None:
    page = watched.page
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/about/opioid-dose")
    since = page.locator('td[data-label="Since"]').first
    label = since.evaluate("cell => getComputedStyle(cell, '::before').content")
    assert "Since" in label
    expect(page.get_by_role("columnheader", name="Since")).to_have_count(1)
