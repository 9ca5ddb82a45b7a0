"""What each story of the demo promises is there: on opening the chart and on signing its order."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

import pytest
from flask import Flask

from cds_service.protocol.linter import lint
from cds_service.protocol.services import ORDER_SIGN
from cds_service.settings import DEMO_DATE
from cds_service.web.demo.calls import Exchange, ask_about, open_chart
from cds_service.web.demo.orders import Maker, preset
from cds_service.web.demo.patients import patients
from tests.web.demo_app import demo, demo_database

pytestmark = pytest.mark.slow

__all__ = ["demo", "demo_database"]

OPENING = {
    "crossing-caution": {"toxicology-test-due"},
    "patch-with-sedative": {"opioid-with-sedative", "opioids-beyond-one-month"},
    "methadone-for-pain": {"opioid-with-sedative"},
    "unexpected-toxicology": {"toxicology-result-unexpected"},
    "untreated-oud": {"opioid-use-disorder-untreated"},
    "new-back-pain": {"first-line-therapy", "depression-screen-due", "alcohol-screen-due"},
    "cauda-equina": {"cauda-equina"},
    "spinal-infection": {"spinal-infection"},
    "cancer-history": {"possible-spinal-malignancy"},
    "osteoporotic-fracture": {"possible-vertebral-fracture", "metabolic-bone-disease"},
    "after-surgery": {"postoperative-pain"},
    "foot-drop": {"ongoing-neurological-deficit"},
    "therapy-overdue": {"therapy-reevaluation-due", "review-point-reached"},
    "no-functional-gain": {"no-functional-gain", "inadequate-response-to-therapy-visits"},
    "opioids-over-a-month": {"opioids-beyond-one-month", "consult-window-from-onset"},
    "axial-spondyloarthritis": {"inflammatory-arthropathy"},
    "fear-avoidance": {"fear-avoidance"},
    "positive-depression-screen": {"positive-screen"},
    "self-harm-answer": {"suicide-risk"},
    "payer-programs": {
        "case-management",
        "disability-and-vocational-services",
        "pharmacy-support",
        "lifestyle-and-mindfulness",
    },
    "review-pending": {"review-turnaround-exceeded"},
    "surgeon-referral": {"medical-spine-visit-recommended"},
}
SIGNING = {
    "acute-back-strain": {"nonopioid-first", "supply-longer-than-acute-need"},
    "crossing-caution": {"opioid-dose-threshold", "naloxone-offer"},
    "patch-with-sedative": {"opioid-dose-threshold", "opioid-with-sedative", "naloxone-offer"},
    "unreadable-sig": {"opioid-dose-threshold"},
    "methadone-for-pain": {"opioid-dose-threshold", "opioid-with-sedative", "naloxone-offer"},
    "taper-by-steps": {"opioid-dose-threshold"},
    "ndc-only": {"opioid-dose-threshold"},
    "duplicate-orders": {"opioid-dose-threshold"},
    "unexpected-toxicology": {"toxicology-result-unexpected"},
    "extended-release-start": {"long-acting-start"},
    "cancer-history": {"possible-spinal-malignancy"},
    "foot-drop": {"medical-spine-visit-first"},
    "therapy-plan-incomplete": {"therapy-plan-incomplete"},
    "surgeon-referral": {"medical-spine-visit-first"},
    "spine-center-done": {"medical-spine-summary-missing", "spine-surgery-visit-authorization"},
    "injection-criteria-met": {"criteria-met", "decision-support-record-required"},
    "injection-anticoagulated": {"bleeding-risk", "injectate-allergy"},
    "injection-repeat": {"session-limit-reached", "repeat-without-relief"},
    "early-mri": {"early-imaging"},
}
QUIET_SIGNING = ("buprenorphine-film", "cancer-pain", "well-managed")
QUIET_OPENING = (*QUIET_SIGNING, "just-below-caution", "renewal", "cough-syrup")
DOSE_SIGNED = {
    "acute-back-strain": (20, False),
    "just-below-caution": (49.5, False),
    "crossing-caution": (51, False),
    "patch-with-sedative": (90, False),
    "unreadable-sig": (60, True),
    "buprenorphine-film": (0, True),
    "methadone-for-pain": (141, False),
    "taper-by-steps": (120, False),
    "renewal": (30, False),
    "cancer-pain": (330, False),
    "ndc-only": (60, False),
    "cough-syrup": (12, False),
    "duplicate-orders": (65, False),
}
WITH_ORDER = [patient.id for patient in patients().values() if patient.story.order]


def met(exchanges: Iterable[Exchange]) -> set[str]:
    return {
        reason["criterion"]
        for exchange in exchanges
        for card in exchange.cards
        for reason in card["extension"]["cds-service.reasons"]
        if reason["status"] == "met"
    }


def opened(demo: Flask, name: str) -> tuple[Exchange, ...]:
    with demo.app_context():
        return open_chart(patients()[name])


def signed(demo: Flask, name: str) -> tuple[Exchange, ...]:
    patient = patients()[name]
    drafts = Maker(patient, DEMO_DATE, count(1).__next__).drafts(preset(patient))
    with demo.app_context():
        return ask_about(patient, ORDER_SIGN, drafts)


@pytest.mark.parametrize("name", list(patients()))
def test_every_chart_opens_with_few_sound_cards(demo: Flask, name: str) -> None:
    page = demo.test_client().get(f"/patients/{name}")
    assert page.status_code == 200
    for exchange in opened(demo, name):
        assert (exchange.status, exchange.trouble) == (200, "")
        assert len(exchange.cards) <= 4
        assert lint(exchange.answer, exchange.hook, None) == []
        assert exchange.extension("unread") is None


@pytest.mark.parametrize("name", WITH_ORDER)
def test_every_suggested_order_is_answered_with_few_sound_cards(demo: Flask, name: str) -> None:
    for exchange in signed(demo, name):
        assert (exchange.status, exchange.trouble) == (200, "")
        assert len(exchange.cards) <= 4
        assert (
            lint(exchange.answer, exchange.hook, exchange.request["context"]["draftOrders"]) == []
        )


@pytest.mark.parametrize("name", OPENING)
def test_what_a_story_promises_on_opening(demo: Flask, name: str) -> None:
    assert OPENING[name] - met(opened(demo, name)) == set()


@pytest.mark.parametrize("name", SIGNING)
def test_what_a_story_promises_on_signing(demo: Flask, name: str) -> None:
    assert SIGNING[name] - met(signed(demo, name)) == set()


@pytest.mark.parametrize("name", QUIET_OPENING)
def test_a_quiet_story_is_quiet_on_opening(demo: Flask, name: str) -> None:
    assert [exchange.cards for exchange in opened(demo, name)] == [(), ()]


@pytest.mark.parametrize("name", QUIET_SIGNING)
def test_a_quiet_story_is_quiet_on_signing(demo: Flask, name: str) -> None:
    assert [exchange.cards for exchange in signed(demo, name)] == [(), ()]


@pytest.mark.parametrize("name", DOSE_SIGNED)
def test_the_dose_that_a_story_names(demo: Flask, name: str) -> None:
    found = [
        exchange.extension("mme") for exchange in signed(demo, name) if exchange.extension("mme")
    ]
    assert [(mme["perDay"], mme["isLowerBound"]) for mme in found] == [DOSE_SIGNED[name]]


def test_a_cauda_equina_silences_everything_routine(demo: Flask) -> None:
    topics = [
        card["source"]["topic"]["code"]
        for each in opened(demo, "cauda-equina")
        for card in each.cards
    ]
    assert topics == ["spine-emergency"]


def test_just_below_the_caution_dose_there_is_no_dose_card(demo: Flask) -> None:
    assert "opioid-dose-threshold" not in met(signed(demo, "just-below-caution"))
