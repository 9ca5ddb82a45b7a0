"""`cds-service check` shows every fault at once, and what is due for review."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from jsonschema import Draft202012Validator

from cds_service.errors import KnowledgeError
from cds_service.knowledge.checks import Asked, KnowledgeWarning, check_all, review_warnings
from cds_service.knowledge.schema import SCHEMAS
from tests.knowledge.conftest import FILES, REVIEWED, Write


def test_our_own_knowledge_has_no_fault() -> None:
    assert [str(found) for found in check_all() if isinstance(found, KnowledgeError)] == []


def test_our_schemas_are_schemas() -> None:
    for path in SCHEMAS.glob("*.json"):
        Draft202012Validator.check_schema(json.loads(path.read_text()))


def test_all_faults_are_found_at_once(root: Path, write: Write) -> None:
    write("valuesets/back.yaml", FILES["valuesets/back.yaml"].replace("279039007", "279039008"))
    write(
        "parameters/opioid.yaml",
        FILES["parameters/opioid.yaml"].replace("source: guide", "source: gide"),
    )
    write(
        "drugs/factors/other.yaml",
        FILES["drugs/factors/cdc-2022.yaml"].replace("source: guide", "source: gide"),
    )
    write("payers/broken.yaml", "id: [")
    assert [(found.file, found.line, found.what[:30]) for found in check_all(root)] == [
        ("knowledge/parameters/opioid.yaml", 7, "unknown source 'gide'"),
        ("knowledge/parameters/opioid.yaml", 8, "unknown source 'gide'"),
        ("knowledge/parameters/opioid.yaml", 9, "unknown source 'gide'"),
        ("knowledge/payers/broken.yaml", 2, "not YAML: did not find expecte"),
        ("knowledge/drugs/factors/other.yaml", 1, "the id 'cdc-2022' in other.yam"),
        ("knowledge/drugs/factors/other.yaml", 3, "unknown source 'gide'"),
        ("knowledge/valuesets/back.yaml", 8, "SNOMED#279039008 has a wrong c"),
    ]


def test_names_that_only_one_side_knows(root: Path, write: Write) -> None:
    write("payers/broken.yaml", "id: [")
    write("payers/listed.yaml", "[a]")
    asked = Asked(frozenset({"opioid.days"}), frozenset({"back", "front"}), frozenset({"b-gate"}))
    assert [str(found) for found in check_all(root, asked=asked)][2:] == [
        "knowledge/parameters: no parameter 'opioid.days', which a rule reads (allowed: opioid.dose)",
        "knowledge/valuesets: no value set 'front', which a rule reads (allowed: back, listed)",
        "knowledge/payers/plan.yaml:4: unknown gated criterion 'a-gate' (allowed: b-gate)",
        "knowledge/parameters/opioid.yaml: no rule reads opioid.dose",
    ]


def test_long_lists_of_names_are_shortened(root: Path, write: Write) -> None:
    for number in range(61):
        write(f"valuesets/x{number}.yaml", FILES["valuesets/listed.yaml"])
    asked = Asked(frozenset({"opioid.dose"}), frozenset({"bakc"}), frozenset({"a-gate"}))
    (fault,) = check_all(root, asked=asked)
    assert isinstance(fault, KnowledgeError)
    assert fault.allowed == "back, ... (63 in all)"


def test_reviews_that_are_due(root: Path) -> None:
    assert check_all(root, as_of=date(2027, 11, 20)) == []
    due = check_all(root, as_of=date(2027, 11, 21))
    assert due[0] == KnowledgeWarning(
        "knowledge/parameters/opioid.yaml", 10, "opioid.dose was to be reviewed again by 2027-11-20"
    )
    assert str(due[0]).startswith("knowledge/parameters/opioid.yaml:10: opioid.dose was to be")
    assert len(due) == 5
    assert review_warnings(date(2026, 11, 21)) == []


def test_a_site_is_told_of_a_value_set_that_nothing_reads_or_that_holds_nothing(
    root: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site" / "valuesets"
    site.mkdir(parents=True)
    ours = FILES["valuesets/listed.yaml"]
    (site / "lited.yaml").write_text(ours)
    (site / "back.yaml").write_text(f"says: x\nsource: guide\ncodes: ''\n{REVIEWED}")
    asked = Asked(frozenset({"opioid.dose"}), frozenset({"back"}), frozenset({"a-gate"}))
    assert [str(found) for found in check_all(root, site.parent, asked=asked)] == [
        f"{site}/back.yaml: back holds no code",
        f"{site}/lited.yaml: no rule and no value set reads lited",
    ]


def test_a_gate_that_is_no_list_is_one_fault(root: Path, write: Write) -> None:
    write("payers/plan.yaml", FILES["payers/plan.yaml"].replace("[a-gate]", "a-gate"))
    asked = Asked(frozenset({"opioid.dose"}), frozenset({"back", "listed"}), frozenset({"a-gate"}))
    (fault,) = check_all(root, asked=asked)
    assert "the text 'a-gate' in turns_on (allowed: a list)" in str(fault)
