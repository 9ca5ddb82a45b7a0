"""What the demo pages show and load when a chart, a card or the page itself is hostile."""

from __future__ import annotations

import html
import json
import re

import pytest
from flask import Flask, render_template
from flask.testing import FlaskClient

from cds_service.settings import DEMO_DATE
from cds_service.web.demo.advice import rendered
from cds_service.web.demo.patients import Patient, Story, patients
from tests.web.demo_app import demo, demo_database, page

__all__ = ["demo", "demo_database", "page"]

HOSTILE = "<script>alert('x')</script>"


def test_pages_may_load_nothing_from_elsewhere(page: FlaskClient) -> None:
    answer = page.get("/patients/renewal")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    loaded = re.findall(
        r'(?:src|href)="([^"]*)"', re.search(r"<head>.*?</head>", answer.text, re.S)[0]
    )
    assert [url for url in loaded if not url.startswith(("/demo/static/", "data:,"))] == []
    assert "<style" not in answer.text
    assert not re.search(r"\s(style|on\w+)=", answer.text)
    for url in loaded:
        if url.startswith("/"):
            with page.get(url) as answer:
                assert answer.status_code == 200


def test_hostile_text_in_the_chart_is_shown_as_text(demo: Flask) -> None:
    quiet = patients()["well-managed"]
    resources = json.loads(json.dumps(quiet.resources))
    for resource in resources:
        if resource["resourceType"] == "Patient":
            resource["name"] = [{"family": HOSTILE, "given": [HOSTILE]}]
        for member in ("code", "medicationCodeableConcept"):
            if member in resource:
                resource[member]["text"] = HOSTILE
        if "dosageInstruction" in resource:
            resource["dosageInstruction"][0]["text"] = HOSTILE
    hostile = Patient(Story("well-managed", "x", HOSTILE, HOSTILE, HOSTILE), tuple(resources))
    from cds_service.web.demo import pages

    with demo.test_request_context():
        text = pages.chart_page(hostile)
        listed = render_template("demo/index.html", groups=[("x", [hostile])], as_of=DEMO_DATE)
    assert HOSTILE not in text + listed
    assert html.escape(HOSTILE).replace("&#x27;", "&#39;") in text


def test_hostile_text_in_the_page_state_is_shown_as_text(page: FlaskClient) -> None:
    draft = {"resourceType": "ServiceRequest", "id": HOSTILE, "code": {"text": HOSTILE}}
    state = json.dumps({"drafts": [draft, {**draft, "id": "2"}]})
    answers = [
        page.post("/patients/renewal/remove", data={"desk": state, "reference": "none"}).text,
        page.post("/patients/renewal/sign", data={"desk": state}).text,
        page.post(
            "/patients/renewal/accept",
            data={
                "desk": state,
                "service": "opioid-safety",
                "card": HOSTILE,
                "suggestion": json.dumps({"label": HOSTILE, "actions": []}),
            },
        ).text,
        page.post(
            "/patients/renewal/dismiss",
            data={
                "service": "opioid-safety",
                "card": HOSTILE,
                "comment": HOSTILE,
                "reason": json.dumps({"display": HOSTILE}),
            },
        ).text,
    ]
    assert [HOSTILE in text for text in answers] == [False] * 4


@pytest.mark.parametrize(
    "markdown",
    [
        HOSTILE,
        "[a](javascript:alert(1))",
        "[a](http://evil.example)",
        "![a](https://evil.example/x.png)",
        '<a href="https://evil.example" onclick="x()">a</a>',
        "<iframe src='https://evil.example'></iframe>",
    ],
)
def test_markdown_of_a_card_cannot_run_or_load_anything(markdown: str) -> None:
    shown = rendered(markdown)
    assert not re.search(r"<(script|iframe|img|a [^>]*(onclick|javascript|http:))", shown)


def test_markdown_of_a_card_keeps_lists_tables_and_safe_links() -> None:
    shown = rendered("- **a**\n\n| b | c |\n|---|---|\n| 1 | 2 |\n\n[d](https://www.cdc.gov/)")
    assert "<strong>a</strong>" in shown
    assert "<td>1</td>" in shown
    assert 'href="https://www.cdc.gov/"' in shown
    assert 'rel="noopener noreferrer"' in shown
