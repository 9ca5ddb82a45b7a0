"""A fault in a card file is told with file, line, what is wrong and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.cards import CardLibrary
from cds_service.clinical.criteria import INFO
from cds_service.errors import KnowledgeError
from cds_service.knowledge.model import Knowledge
from tests.cards.conftest import RULES, rule
from tests.changes import replace


def fault(folder: Path, knowledge: Knowledge, name: str, old: str, new: str) -> str:
    """The fault of the library when `old` in a file is `new`."""
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(KnowledgeError) as caught:
        CardLibrary.load(folder, knowledge, RULES)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "id: amber\n",
            "id: orange\n",
            "cards/amber.yaml:1: the id orange in amber.yaml (allowed: amber)",
        ),
        (
            "for: a prescriber\n",
            "",
            "cards/amber.yaml:1: missing key 'for' (allowed: id, for, source)",
        ),
        ("for: a prescriber", "fro: a prescriber", "cards/amber.yaml:2: unknown key 'fro'"),
        ("cite: book", "cite: film", "cards/amber.yaml:4: unknown source film (allowed: book)"),
        (
            "    unknown: the amount.\n",
            "    unknown: the amount.\n    source: {cite: film, at: the end}\n",
            "cards/amber.yaml:10: unknown source film (allowed: book)",
        ),
        (
            "    unknown: the amount.\n",
            "    unknown: the amount.\n    links: [{label: Book, url: /book}]\n",
            "cards/amber.yaml:10: '/book' is not allowed",
        ),
        (
            "  amber-reason:",
            "  other-reason:",
            "cards/amber.yaml:6: unknown criterion other-reason",
        ),
        (
            "{{ amount }} for",
            "{{ dose }} for",
            "cards/amber.yaml:7: unknown word dose (allowed: amount, label)",
        ),
        (
            "unknown: the amount.",
            "unknown: the {{ amount }}.",
            "cards/amber.yaml:9: unknown word amount",
        ),
        (
            "[order-it]",
            "[order-it, more]",
            "cards/amber.yaml:10: unknown suggestion more (allowed: order-it)",
        ),
        ("    suggest: [order-it]\n", "", "cards/amber.yaml:15: no criterion suggests it"),
        ("  {{ lines }}\n", "", "cards/amber.yaml:11: the detail leaves out what was found"),
        ("for {{ label }}.", "for {{ label|e }}.", "cards/amber.yaml:11: Filter in a template"),
        ("[thing-amber]", "[thing-blue]", "cards/amber.yaml:16: unknown order thing-blue"),
        ("create: [thing-amber]", "update: change", "cards/amber.yaml:16: unknown word change"),
        ("create: [thing-amber]", "delete: order", "cards/amber.yaml:16: unknown word order"),
        (
            "recommended: true",
            "due: when",
            "cards/amber.yaml:16: unknown word when (allowed: amount, label)",
        ),
        ("recommended: true", "when: then", "cards/amber.yaml:16: unknown word then"),
        (
            "recommended: true",
            "update: amount",
            "a label and exactly one of create, update, delete",
        ),
        (
            "overrideReasons: [because]",
            "overrideReasons: [so]",
            "unknown override reason so (allowed: because)",
        ),
        ("overrideReasons: [because]\n", "", "cards/amber.yaml:1: overrideReasons is missing"),
        ("https://example.org/book", "http://example.org", "an absolute https address"),
        ("overrideReasons:", "summary: Act\noverrideReasons:", "summary has no place in this card"),
    ],
)
def test_faults_of_a_card(
    folder: Path, knowledge: Knowledge, old: str, new: str, told: str
) -> None:
    assert told in fault(folder, knowledge, "amber.yaml", old, new)


def test_every_declared_criterion_has_its_words(folder: Path, knowledge: Knowledge) -> None:
    more = rule("amber", INFO, name="second")
    both = {**RULES["amber"].criteria, **more.criteria}
    rules = {**RULES, "amber": replace(more, criteria=both)}
    with pytest.raises(KnowledgeError, match=r"amber.yaml:5: the criterion second is missing"):
        CardLibrary.load(folder, knowledge, rules)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title: opioid-checklist\n", "title: x\nlinks: []\n", "opioid-checklist.yaml:4: "),
        (
            "summary:",
            "criteria: {a: {summary: a, line: b, unknown: c}}\nsummary:",
            "criteria has no place",
        ),
        ("{{ first }}", "{{ last }}", "unknown word last (allowed: count, first, points)"),
    ],
)
def test_faults_of_a_folding_card(
    folder: Path, knowledge: Knowledge, old: str, new: str, told: str
) -> None:
    assert told in fault(folder, knowledge, "opioid-checklist.yaml", old, new)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("line: ", "title: Twice\nline: ", "duplicate key 'title'"),
        ("{{ why }}", "{{ reason }}", "unknown word reason (allowed: title, why)"),
        ("conditions: the", "conditons: the", "unknown need conditons"),
        ("needs: {conditions: the problem list}\n", "", "could-not-check.yaml:1: needs is missing"),
    ],
)
def test_faults_of_could_not_check(
    folder: Path, knowledge: Knowledge, old: str, new: str, told: str
) -> None:
    assert told in fault(folder, knowledge, "could-not-check.yaml", old, new)


@pytest.mark.parametrize("name", ["amber", "opioid-checklist", "could-not-check"])
def test_a_missing_card_file(folder: Path, knowledge: Knowledge, name: str) -> None:
    (folder / f"{name}.yaml").unlink()
    with pytest.raises(KnowledgeError, match="the card file is missing"):
        CardLibrary.load(folder, knowledge, RULES)


def test_a_card_file_without_a_rule(folder: Path, knowledge: Knowledge) -> None:
    rules = {name: found for name, found in RULES.items() if name != "amber"}
    with pytest.raises(KnowledgeError, match="no rule is called amber"):
        CardLibrary.load(folder, knowledge, rules)


def test_override_reasons_are_checked(folder: Path, knowledge: Knowledge) -> None:
    assert "unknown value 'urn:x'" in fault(
        folder, knowledge, "override-reasons.yaml", "urn:cds-service:override-reason", "urn:x"
    )
    path = folder / "override-reasons.yaml"
    ours = path.read_text().replace("urn:x", "urn:cds-service:override-reason")
    path.write_text(ours + ours.replace("because:", "again:"))
    with pytest.raises(KnowledgeError, match=r":8: again has the code of because"):
        CardLibrary.load(folder, knowledge, RULES)
    path.unlink()
    with pytest.raises(KnowledgeError, match=r"override-reasons\.yaml: the file is missing"):
        CardLibrary.load(folder, knowledge, RULES)


def test_a_site_lays_its_own_files_over_ours(
    folder: Path, knowledge: Knowledge, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    (site / "orders").mkdir(parents=True)
    ours = (folder / "amber.yaml").read_text()
    (site / "amber.yaml").write_text(ours.replace("for: a prescriber", "for: our nurses"))
    order = (folder / "orders" / "thing-red.yaml").read_text()
    (site / "orders" / "thing-red.yaml").write_text(order.replace("1000", "2000"))
    library = CardLibrary.load(folder, knowledge, RULES, site)
    assert library.cards["amber"].audience == "our nurses"
    assert library.cards["red"].audience == "a prescriber"
    assert [code.code for code in library.orders["thing-red"].codes] == ["2000"]
    assert library.override_reasons["because"].snooze_days == 30
    (site / "override-reasons.yaml").write_text(
        (folder / "override-reasons.yaml").read_text().replace("30", "7")
    )
    assert (
        CardLibrary.load(folder, knowledge, RULES, site).override_reasons["because"].snooze_days
        == 7
    )
    (site / "amber.yaml").write_text("id: amber\n")
    with pytest.raises(KnowledgeError) as caught:
        CardLibrary.load(folder, knowledge, RULES, site)
    assert caught.value.file == str(site / "amber.yaml")


def test_a_site_s_cards_that_nobody_would_read_are_a_fault(
    folder: Path, knowledge: Knowledge, tmp_path: Path
) -> None:
    with pytest.raises(KnowledgeError, match="none: no such directory"):
        CardLibrary.load(folder, knowledge, RULES, tmp_path / "none")
    for name in ("amber.yml", "cards/amber.yaml", "order/thing-red.yaml"):
        site = tmp_path / name.replace("/", "-")
        (site / name).parent.mkdir(parents=True)
        (site / name).write_text("id: amber\n")
        with pytest.raises(KnowledgeError, match=rf"{name}: nothing reads this file"):
            CardLibrary.load(folder, knowledge, RULES, site)


def test_a_detail_may_be_left_out(folder: Path, knowledge: Knowledge) -> None:
    path = folder / "amber.yaml"
    path.write_text(
        path.read_text().replace("detail: |\n  {{ lines }}\n\n  Option for {{ label }}.\n", "")
    )
    assert CardLibrary.load(folder, knowledge, RULES).cards["amber"].detail is None
