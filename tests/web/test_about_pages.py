"""The pages about the cards as browsers and programs get them."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from flask.testing import FlaskClient

from cds_service.service import Service
from cds_service.settings import Mode, Settings
from cds_service.web.about import markdown
from cds_service.web.app import create_app
from tests.protocol.hook_requests import OXYCODONE, PATIENT, body, order_sign

pytestmark = pytest.mark.slow

_VOID = frozenset({"meta", "link", "br"})


class Page(HTMLParser):
    """The links of a page; raises where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        assert not [name for name, _ in attrs if name == "style" or name.startswith("on")]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def test_every_page_is_whole_and_each_of_its_own_links_leads_somewhere(
    web: FlaskClient, service: Service
) -> None:
    ours: set[str] = set()
    for address in ("/about", "/about/", *(f"/about/{card}" for card in service.library.cards)):
        answer = web.get(address)
        assert answer.status_code == 200
        page = Page(answer.text)
        assert "script" not in page.tags
        for link in page.links:
            parts = urlsplit(urljoin(f"http://localhost{address}", link))
            assert parts.scheme in ("http", "https")
            if parts.netloc == "localhost":
                ours.add(parts.path)
            else:
                assert parts.scheme == "https"
    assert {"/about", "/about.json", "/about/static/about.css", "/about/opioid-dose.json"} <= ours
    for path in sorted(ours):
        assert web.get(path, buffered=True).status_code == 200, path


def test_pages_may_load_only_from_us_and_are_cached_for_an_hour(web: FlaskClient) -> None:
    answer = web.get("/about/opioid-dose")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'; ")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    again = web.get("/about/opioid-dose", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["", "/opioid-dose"])
def test_programs_get_json_by_address_or_by_asking(web: FlaskClient, name: str) -> None:
    by_address = web.get(f"/about{name}.json")
    asked = web.get(f"/about{name}", headers={"Accept": "application/json"})
    assert by_address.mimetype == asked.mimetype == "application/json"
    assert by_address.get_json() == asked.get_json()
    assert "Accept" in asked.headers["Vary"]
    for accept in ("text/html,application/xhtml+xml,*/*;q=0.8", "*/*"):
        assert web.get(f"/about{name}", headers={"Accept": accept}).mimetype == "text/html"


def test_json_holds_the_attributes_numbers_and_criteria(web: FlaskClient) -> None:
    page = web.get("/about/opioid-dose.json").get_json()
    assert [attribute["number"] for attribute in page["attributes"]] == list(range(1, 14))
    caution = next(n for n in page["thresholds"] if n["name"] == "opioid.dose_caution")
    assert (caution["value"], caution["unit"], caution["since"]) == ("50", "MME/day", "2022-11-04")
    assert page["criteria"][0]["name"] == "opioid-dose-threshold"
    assert page["overrideReasons"][0].keys() == {"display", "system", "code", "snoozeDays"}
    assert page["source"]["source"]["id"] == "cdc-2022"
    assert {"key": "patient", "words": "patient details", "required": True} in page["inputs"]


@pytest.mark.parametrize(
    "address", ["/about/nonsense", "/about/nonsense.json", "/about/../cards", "/about/.json"]
)
def test_a_page_that_does_not_exist_is_an_outcome(web: FlaskClient, address: str) -> None:
    answer = web.get(address)
    assert answer.status_code == 404
    assert answer.get_json()["resourceType"] == "OperationOutcome"


def test_our_markdown_becomes_text_marks_only() -> None:
    made = markdown("A *b* `c`\n\n- d\n\n<script>x</script> [l](javascript:x)")
    assert "<em>b</em>" in made and "<li>d</li>" in made
    assert "<script" not in made and "javascript" not in made.replace("[l](javascript:x)", "")


def test_a_card_leads_to_its_page_once_our_address_is_known(service: Service) -> None:
    settings = Settings(
        mode=Mode.TEST, as_of=service.settings.as_of, public_url="https://cds.example.org/"
    )
    known = Service(settings, service.knowledge, service.vocabulary, service.rules, service.library)
    web = create_app(known).test_client()
    sent = order_sign(
        OXYCODONE, prefetch={"patient": PATIENT, "conditions": None, "medicationRequests": None}
    )
    cards = web.post(
        "/cds-services/opioid-safety", data=body(sent), content_type="application/json"
    ).get_json()["cards"]
    assert cards
    for card in cards:
        address = card["source"]["url"]
        assert address == f"https://cds.example.org/about/{card['source']['topic']['code']}"
        assert web.get(urlsplit(address).path).status_code == 200
    dose = next(card for card in cards if card["source"]["topic"]["code"] == "opioid-dose")
    assert any("cdc.gov" in link["url"] for link in dose["links"])


def test_without_our_address_a_card_leads_to_the_document_it_cites(web: FlaskClient) -> None:
    sent = order_sign(
        OXYCODONE, prefetch={"patient": PATIENT, "conditions": None, "medicationRequests": None}
    )
    answer = web.post(
        "/cds-services/opioid-safety", data=body(sent), content_type="application/json"
    ).get_json()
    assert all("/about/" not in card["source"].get("url", "") for card in answer["cards"])
