"""What the pages about the cards say: complete, and true of the rules and of what they read
of a patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from cds_service.about import About, Grounds, Maker, WorkedCase, about, index, worked_cases
from cds_service.about.attributes import NOT_USED, health_status, social
from cds_service.about.reads import PERSONAL, personal
from cds_service.about.words import doc_of, readable
from cds_service.clinical.facts import Patient
from cds_service.clinical.rules import load_rules
from cds_service.knowledge.codes import Code, ValueSet
from cds_service.knowledge.model import DatedValue
from cds_service.protocol.services import SERVICES
from cds_service.service import Service

pytestmark = pytest.mark.slow

TODAY = date(2026, 11, 21)
MAKER = Maker("0.1.0", "The developer", "The funding", "advice@example.org")
CASE = WorkedCase("A case", "1 + 1", "opioid-dose-threshold (warning)")


@pytest.fixture
def grounds(service: Service) -> Grounds:
    cases = {"opioid-dose": (CASE,)}
    return Grounds(service.knowledge, service.rules, service.library, cases, TODAY, MAKER)


def values(page: About) -> Mapping[int, str]:
    return {attribute.number: attribute.value for attribute in page.attributes}


def test_every_card_has_all_thirteen_source_attributes(grounds: Grounds) -> None:
    for card in grounds.library.cards:
        found = values(about(card, grounds))
        assert list(found) == list(range(1, 14)), card
        assert all(text.strip() for text in found.values()), card
        assert (found[2], found[3]) == ("The developer", "The funding")


def test_every_number_code_and_criterion_of_a_rule_stands_on_its_page(grounds: Grounds) -> None:
    for card, rule in grounds.rules.items():
        page = about(card, grounds)
        assert {number.name for number in page.thresholds} == rule.all_numbers
        assert {values.name for values in page.value_sets} == rule.all_codes
        assert [criterion.name for criterion in page.criteria] == list(rule.criteria)
        assert all(number.reviewed and number.again for number in page.thresholds), card
        assert page.purpose and page.unknown and page.citations and page.override_reasons, card
        assert all(
            criterion.summary and criterion.line and criterion.unknown
            for criterion in page.criteria
        )
        assert not [c for c in page.criteria if "{" in c.summary + c.line + "".join(c.buttons)], (
            card
        )


def test_what_a_rule_cites_is_a_source_on_file(grounds: Grounds) -> None:
    for card, rule in grounds.rules.items():
        named = [
            part.split(",")[0].split()[0] for part in doc_of(rule.doc).source.split("; ") if part
        ]
        assert named and named[0] in grounds.knowledge.sources, card
        cited = {each.source.id for each in about(card, grounds).citations}
        assert {name for name in named if name in grounds.knowledge.sources} <= cited


def test_a_number_shows_its_value_source_and_what_a_payer_puts_in_its_place(
    grounds: Grounds,
) -> None:
    asks = DatedValue(date(2026, 1, 1), Decimal("40"), "ours", "a test")
    later = DatedValue(date(2027, 1, 1), None, "ours", "a test")
    payer = replace(grounds.knowledge.payers[0], overrides={"opioid.dose_caution": (asks, later)})
    knowledge = replace(grounds.knowledge, payers=(payer,))
    page = about("opioid-dose", replace(grounds, knowledge=knowledge))
    caution = next(number for number in page.thresholds if number.name == "opioid.dose_caution")
    assert (caution.boundary, caution.value, caution.unit, caution.shared) == (
        "at or above",
        "50",
        "MME/day",
        False,
    )
    assert (caution.since, caution.source) == (date(2022, 11, 4), "cdc-2022")
    assert [(p.payer, p.value, p.since.year) for p in caution.payers] == [
        (payer.name, "40", 2026),
        (payer.name, "withdrawn", 2027),
    ]


def test_earlier_values_of_a_number_stay_visible(grounds: Grounds) -> None:
    parameter = grounds.knowledge.parameters["opioid.dose_caution"]
    newer = DatedValue(date(2026, 6, 1), Decimal("45"), "ours", "a test")
    changed = replace(parameter, values=(*parameter.values, newer))
    parameters = {**grounds.knowledge.parameters, parameter.name: changed}
    page = about(
        "opioid-dose", replace(grounds, knowledge=replace(grounds.knowledge, parameters=parameters))
    )
    caution = next(number for number in page.thresholds if number.name == parameter.name)
    assert (caution.value, caution.earlier) == ("45", ((date(2022, 11, 4), "50"),))


def test_cards_for_members_of_a_payer_say_of_which(grounds: Grounds) -> None:
    page = about("care-programs", grounds)
    assert all(c.gated and c.payers == ("Cigna",) for c in page.criteria)
    assert any(text.startswith("Only for members of Cigna: ") for text in page.exclusions)


def test_opioid_cards_say_whom_they_are_not_for(grounds: Grounds) -> None:
    page = about("opioid-dose", grounds)
    told = " ".join(page.exclusions)
    for word in ("18", "ancer", "ickle", "ospice"):
        assert word in told
    assert page.factors.endswith("(cdc-2022)")
    assert not about("suicide-risk", grounds).factors


def test_what_is_read_of_the_patient_is_found_in_the_code() -> None:
    rules = load_rules()
    assert set(Patient.__struct_fields__) == {"ref", "deceased", *PERSONAL}, (
        "the pages speak of sex, age, disability"
    )
    assert personal(rules["suicide-risk"]) == frozenset()
    assert personal(rules["opioid-dose"]) == {"born"}
    assert personal(rules["care-programs"]) == {"sex", "born", "disability"}


def test_sex_age_and_health_status_are_told_as_the_code_has_them(grounds: Grounds) -> None:
    plain = values(about("suicide-risk", grounds))
    assert plain[10].startswith(NOT_USED) and plain[11].startswith(NOT_USED)
    assert "PHQ-9" in plain[13] or "harm" in plain[13]
    behavioural = values(about("behavioral-health-referral", grounds))
    assert behavioural[10].startswith("Used") and behavioural[11].startswith("Used")
    assert "Disability status of the patient record" in behavioural[13]
    assert all(
        text.startswith(NOT_USED) for number, text in behavioural.items() if 5 <= number <= 9
    )


def test_no_rule_looks_for_social_circumstances(service: Service) -> None:
    used = frozenset[str]().union(*(rule.all_codes for rule in service.rules.values()))
    assert not [name for name in used if social(service.knowledge.valueset(name))]
    assert social(ValueSet("x", prefixes=frozenset({Code("ICD10CM", "Z59")})))
    assert health_status("screen-phq9") and not health_status("opioid-use-disorder")


def test_the_index_lists_every_card_once_in_the_order_services_speak_them(grounds: Grounds) -> None:
    listed = index(grounds)
    assert sorted(card.card for card in listed) == sorted(grounds.library.cards)
    assert listed[0].card == next(iter(SERVICES[0].cards.values()))[0]
    assert all(card.services for card in listed)
    assert {card.card: card.cases for card in listed}["opioid-dose"] == 1


def test_a_gathering_card_names_what_it_gathers(grounds: Grounds) -> None:
    page = about("opioid-checklist", grounds)
    assert "opioid-dose" in page.gathers and "therapy-referral" not in page.gathers
    assert page.criteria == () and page.thresholds == ()
    assert {s.service for s in about("could-not-check", grounds).services} == {
        s.id for s in SERVICES
    }


def test_a_card_that_does_not_exist_has_no_page(grounds: Grounds) -> None:
    with pytest.raises(KeyError):
        about("nonsense", grounds)


def test_every_rule_has_worked_cases_on_its_page(service: Service) -> None:
    cases = worked_cases()
    assert {card for card in service.rules if not cases.get(card)} == set()


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("Plain words", "Plain words"),
        ("{% if a %}at least {% endif %}{{ n }}", "(at least) [n]"),
        ("{% if a %}one{% elif b %}two{% else %}three{% endif %}", "one / two / three"),
        ("x{% if d %}, day {{ d }} of pain{% endif %}.", "x(day [d] of pain)."),
        ("{% for e in evidence %}- {{ e.label }}{% endfor %}", "- [label]"),
        ("{{ mme.per_day }} of {{ a or b }}", "[MME per day] of […]"),
    ],
)
def test_a_template_is_readable_before_its_words_are_known(source: str, reads: str) -> None:
    assert readable(source) == reads


def test_a_docstring_falls_into_purpose_text_and_source() -> None:
    doc = doc_of(
        "Does a thing.\n\n    Silent at night. Unknown at dawn.\n\n    Source: book, page 1; other.\n"
    )
    assert (doc.purpose, doc.source) == ("Does a thing.", "book, page 1; other")
    assert (doc.silent(), doc.unknown()) == (("Silent at night.",), ("Unknown at dawn.",))
    assert doc_of("").purpose == ""
