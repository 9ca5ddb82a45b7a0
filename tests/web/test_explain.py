"""`cds-service explain`: the story of an answer, true to the answer itself."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from rich.console import Console

from cds_service.cli import commands
from cds_service.cli.story_page import print_story
from cds_service.clinical.facts import Facts
from cds_service.clinical.rule import Known
from cds_service.errors import BadRequest
from cds_service.service import Service
from cds_service.story import Story, story
from tests.changes import replace
from tests.protocol.hook_requests import OXYCODONE, PATIENT, body, order_sign, patient_view

pytestmark = pytest.mark.slow

NOTHING: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": 0}
ACTIVE = {**OXYCODONE, "id": "rx0", "status": "active", "authoredOn": "2024-02-20"}
TEXT_ONLY = {
    **OXYCODONE,
    "id": "rx2",
    "medicationCodeableConcept": {"text": "morphine [red]‮ as told\x1b[31m"},
    "dosageInstruction": [{"text": "as directed"}],
}


def signing(service: Service, *drafts: dict[str, Any], **prefetch: Any) -> bytes:
    entries = service.discovery()["services"]
    entry = next(e for e in entries if (e["id"], e["hook"]) == ("opioid-safety", "order-sign"))
    sent = dict.fromkeys(entry["prefetch"], NOTHING) | {"patient": PATIENT} | prefetch
    return body(
        order_sign(
            *(drafts or (OXYCODONE,)), prefetch={k: v for k, v in sent.items() if v is not ...}
        )
    )


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {
        **NOTHING,
        "total": len(resources),
        "entry": [{"resource": resource} for resource in resources],
    }


def page(told: Story, *, everything: bool = False) -> str:
    out = io.StringIO()
    print_story(told, everything=everything, console=Console(file=out, width=140, highlight=False))
    return out.getvalue()


@pytest.fixture
def told(service: Service) -> Story:
    return story(service, "opioid-safety", signing(service, medicationRequests=bundle(ACTIVE)))


def test_the_story_tells_the_answer_that_the_service_gives(service: Service, told: Story) -> None:
    sent = signing(service, medicationRequests=bundle(ACTIVE))
    assert told.answer.body == service.respond("opioid-safety", sent).body
    assert [card.card for card in told.shown] == [card.card for card in told.answer.trace.cards]


def test_it_says_who_asked_what_was_known_and_how_it_came(told: Story) -> None:
    assert told.who is not None
    assert (told.who.patient, told.who.age, told.who.user) == (
        "Patient/canary",
        53,
        "Practitioner/example",
    )
    known = {data.key: data for data in told.data}
    assert (known["medicationRequests"].how, known["medicationRequests"].facts) == ("prefetch", 1)
    assert (known["conditions"].how, known["conditions"].facts) == ("empty", 0)


def test_a_rule_shows_its_criteria_values_and_the_numbers_it_read(told: Story) -> None:
    dose = next(rule for rule in told.rules if rule.card == "opioid-dose")
    assert (dose.applies, dose.stands) == (True, "its own card")
    (said,) = dose.said
    assert (said.name, said.status, said.indicator) == ("opioid-dose-threshold", "met", "warning")
    assert said.values["threshold"] == "50 MME/day"
    assert said.because
    number = next(read for read in dose.read if read.name == "opioid.dose_caution")
    assert (number.value, number.boundary, number.payer, number.shared) == (
        "50",
        "at or above",
        "",
        False,
    )


def test_it_says_why_a_note_has_no_card_of_its_own(told: Story) -> None:
    folded = [rule for rule in told.rules if rule.stands.startswith("folded into")]
    assert folded
    gathering = {card.card: card.from_cards for card in told.shown}
    for rule in folded:
        into = rule.stands.removeprefix("folded into ").split(":")[0]
        assert rule.card in gathering[into]
        assert rule.stands.endswith(
            (": notes share one card", ": more than four cards would stand")
        )


def test_the_page_shows_arithmetic_cards_and_verdict(told: Story) -> None:
    shown = page(told)
    for words in (
        "5 mg",
        "x 1.5",
        "MME/day",
        "Opioid safety · order-sign",
        "opioid.dose_caution",
        "because of",
    ):
        assert words in shown
    assert "Everything that could warn was checked." in shown
    assert "Looked and found nothing:" in shown
    assert len(page(told, everything=True)) > len(shown)


def test_text_from_the_chart_is_neither_markup_nor_control(service: Service) -> None:
    shown = page(story(service, "opioid-safety", signing(service, TEXT_ONLY)))
    assert "[red]" in shown
    assert "\x1b[31m" not in shown and "‮" not in shown
    assert "not counted:" in shown and "at least" in shown


def test_what_is_missing_is_told_and_makes_the_story_unsound(service: Service) -> None:
    told = story(service, "opioid-safety", signing(service, medicationRequests=...))
    assert not told.sound
    shown = page(told)
    assert "missing: not in prefetch" in shown
    assert "Not checked" in shown and "(could have warned)" in shown
    assert "Not everything could be checked." in shown


def test_an_answer_without_advice_is_told_too(service: Service) -> None:
    told = story(service, "low-back-pain", body(patient_view()))
    assert told.answer.status == 412
    assert not told.sound
    assert "Could not be obtained" in page(told)
    stripped = story(
        service, "opioid-safety", body(order_sign(context={"userId": "P/1", "patientId": "1"}))
    )
    assert "order hook without draftOrders" in page(stripped)


def test_a_rule_that_fails_is_told_as_failed(service: Service) -> None:
    def broken(facts: Facts, known: Known) -> Any:
        raise ZeroDivisionError

    rules = {**service.rules, "pdmp-review": replace(service.rules["pdmp-review"], function=broken)}
    other = Service(service.settings, service.knowledge, service.vocabulary, rules, service.library)
    told = story(other, "opioid-safety", signing(service))
    ruling = next(rule for rule in told.rules if rule.card == "pdmp-review")
    assert (ruling.failed, ruling.stands) == ("internal error", "not evaluated")
    assert not told.sound
    assert "could not run: internal error" in page(told)


@pytest.mark.parametrize(("lacking", "code"), [((), 0), (("medicationRequests",), 1)])
def test_the_command_ends_by_what_it_found(
    service: Service, tmp_path: Path, lacking: tuple[str, ...], code: int
) -> None:
    file = tmp_path / "request.json"
    file.write_bytes(signing(service, **dict.fromkeys(lacking, ...)))
    asked = ["explain", str(file), "--service", "opioid-safety", "--as-of", "2024-03-01"]
    shown = CliRunner().invoke(commands, asked)
    assert shown.exit_code == code, shown.output
    assert "Opioid safety" in shown.output
    told = CliRunner().invoke(commands, [*asked, "--json"])
    assert told.exit_code == code
    (first,) = orjson.loads(told.output)["stories"]
    assert first["status"] == 200
    assert first["trace"]["needs"]["conditions"] == "empty"
    read = first["trace"]["rules"][0]["read"]
    assert isinstance(read, list) and read == sorted(read)
    assert first["story"]["mme"]["per_day"] == 90
    assert first["answer"]["cards"]


def test_without_a_service_every_one_that_takes_the_hook_answers(service: Service) -> None:
    told = CliRunner().invoke(
        commands, ["explain", "-", "--json", "--as-of", "2024-03-01"], input=signing(service)
    )
    assert [s["trace"]["service"] for s in orjson.loads(told.output)["stories"]] == [
        "spine-orders",
        "opioid-safety",
    ]


def test_a_request_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    assert CliRunner().invoke(commands, ["explain", str(tmp_path / "none.json")]).exit_code == 2
    for sent in (b"{", body(patient_view(hook="encounter-start"))):
        ended = CliRunner().invoke(commands, ["explain", "-"], input=sent)
        assert isinstance(ended.exception, BadRequest)  # which `main` turns into exit 2
