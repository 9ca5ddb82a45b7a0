"""Every kind of fault in a knowledge file names the file, the line, what is wrong and what
is allowed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cds_service.errors import KnowledgeError
from cds_service.knowledge import schema
from cds_service.knowledge.loader import load_knowledge
from tests.knowledge.conftest import FILES, Write

SHORT = {Path(name).stem: name for name in FILES}

# file | what stands there | what we write instead | line | the fault; an empty second column
# appends
FAULTS = r"""
opioid | says: | said: | 2 | unknown key 'said' in opioid.dose (allowed: basis, boundary,
opioid | unit: MME/day | # no unit | 1 | missing key 'unit' in opioid.dose (allowed: says, unit, boundary
opioid | at or above | over | 4 | unknown value 'over' in opioid.dose.boundary (allowed: at or above,
opioid | opioid.dose | Dose | 1 | the key 'Dose' (allowed: <topic>.<snake_case>
opioid | opioid.dose | esi.dose | 1 | the parameter 'esi.dose' in opioid.yaml (allowed: names that begin
opioid | value: 90 | value: "90" | 7 | the text '90' in opioid.dose.values.2016-03-18.value (allowed: a num
opioid | value: 90 | value: no | 7 | the unquoted word 'no' (allowed: true, false
opioid | value: 90 | value: null | 7 | the first value is withdrawn (allowed: a number
opioid | guide, at: page 1 | gide, at: page 1 | 7 | unknown source 'gide' (allowed: guide
opioid | 2016-03-18 | 2023-03-18 | 8 | 2022-11-04 stands after 2023-03-18 (allowed: the oldest value first
opioid | 2016-03-18 | "2016-03-18" | 7 | the date '2016-03-18' (allowed: a date without quotes
opioid | 2016-03-18 | first | 7 | the key 'first' in opioid.dose.values (allowed: a date such as
opioid | 2016-03-18 | 2016-02-30 | 7 | 2016-02-30 is not a date of the calendar
opioid | MME/day | d | 8 | 49.50 d (allowed: whole days
opioid | MME/day | mo | 8 | 49.50 mo (allowed: whole months
opioid | MME/day | days | 3 | the unit 'days' of opioid.dose (allowed: 1, %, {score}
opioid | again: 2027 | again: 2025 | 10 | 2025-11-20 is not after 2026-11-20 (allowed: after 2026-11-20
opioid | again: 2027-11-20 | again: "2027-11-20" | 10 | the review dates of opioid.dose (allowed: dates with
opioid | author, second | second | 10 | ['second reader'] is not allowed in opioid.dose.reviewed.by (allowed
opioid | MME/day | 1 | 3 | the number 1 in opioid.dose.unit (allowed: text, a number in quotes
opioid | MME/day | true | 3 | the truth value true in opioid.dose.unit (allowed: text
opioid | MME/day | null | 3 | nothing (null) in opioid.dose.unit (allowed: text
opioid | MME/day | [a] | 3 | a list in opioid.dose.unit (allowed: text
opioid | MME/day | {a: b} | 3 | a mapping in opioid.dose.unit (allowed: text
opioid |  | opioid.dose: 1 | 11 | duplicate key 'opioid.dose', first on line 1
plan | id: plan | id: plann | 1 | the id 'plann' in plan.yaml (allowed: plan
plan | opioid.dose: | opioid.doze: | 6 | unknown parameter 'opioid.doze' (allowed: opioid.dose
plan | value: 60 | value: -60 | 7 | -60 is below 0 (allowed: 0 or more
plan | https:// | http:// | 9 | 'http://example.org' is not allowed in contacts.help.url (allowed: an addr
plan | urn:x#7 | 7 | 3 | '7' is not allowed in recognise.identifiers.0 (allowed: SYSTEM#value
plan | [a-gate] | a-gate | 4 | the text 'a-gate' in turns_on (allowed: a list
plan | {label: Help, | { | 9 | missing key 'label' in contacts.help (allowed: label
sources | https | http | 1 | 'http://example.org/guide' is not allowed in guide.url (allowed: an address
systems |  | X: {url: "http://loinc.org"} | 5 | 'http://loinc.org' belongs to LOINC (allowed: one system
back | source: guide | source: gide | 2 | unknown source 'gide' (allowed: guide
back | codes: | code: | 3 | unknown key 'code' (allowed: codes, except, include, reviewed, says, source
listed | codes: | except: | 1 | the keys do not fit together (allowed: codes or include
back | SNOMED# | SNOMED | 8 | the code line 'SNOMED279039007 Low back pain' (allowed: SYSTEM#code Display
back | SNOMED# | SNOWMED# | 8 | unknown code system 'SNOWMED' (allowed: CPT, CVX, HCPCS
back | SNOMED# | http://loinc.org# | 8 | the code system 'http://loinc.org' (allowed: its short name LOINC
back | 279039007 | 27903900x | 8 | '27903900x' as a code of SNOMED (allowed: 6 to 18 digits
back | 279039007 | 279039* | 8 | the prefix '279039*' of SNOMED (allowed: prefixes of ICD10CM
back | SNOMED#279039007 | QUESTIONNAIRE#urn:q#1 | 8 | the code line 'QUESTIONNAIRE#urn:q#1 Low back pain'
back | SNOMED#279039007 | LINKID# | 8 | the code line 'LINKID# Low back pain' (allowed
back | M54.5* | M54.5** | 6 | the prefix 'M54.5**' of ICD10CM (allowed: prefixes of ICD10CM, one *
back | M54.5* | M54.5.0 | 6 | 'M54.5.0' as a code of ICD10CM (allowed: a letter, a digit
back | M54.5* | M5.45* | 6 | the point in 'M5.45' (allowed: after the third character
back | M54.5* | m54.5* | 6 | 'm54.5' as a code of ICD10CM (allowed: a letter, a digit
back | SNOMED#279039007 | ICD10CM#M549 | 8 | ICD10CM#M549 stands here twice (allowed: once
back |  | include: [bakc] | 10 | unknown value set 'bakc' (allowed: back, listed
back |  | except: [bakc] | 10 | unknown value set 'bakc' (allowed: back, listed
back |  | include: [back] | 10 | 'back' is made of itself (allowed: no circle
listed | #0023-6011-60 | #23 | 5 | '23' as a code of NDC (allowed: eleven digits
cdc-2022 | id: cdc-2022 | id: x | 1 | the id 'x' in cdc-2022.yaml (allowed: cdc-2022
cdc-2022 | up_to: 20 | up_to: 0.0 | 6 | 0.0 is not allowed in rows.1.up_to (allowed: more than 0
cdc-2022 | above: 0, | above: 30, | 6 | up to 20 mg (allowed: more than 30
cdc-2022 | per: mcg/h | per: ug | 7 | unknown value 'ug' in rows.2.per (allowed: mg, mcg, mcg/h
"""
ROWS = [[cell.strip() for cell in row.split("|", 4)] for row in FAULTS.strip().splitlines()]


@pytest.mark.parametrize(("stem", "old", "new", "line", "told"), ROWS, ids=[row[4] for row in ROWS])
def test_a_fault_names_file_line_and_what_is_allowed(
    root: Path, write: Write, stem: str, old: str, new: str, line: str, told: str
) -> None:
    before = FILES[SHORT[stem]]
    assert old in before
    write(SHORT[stem], before.replace(old, new) if old else before + new + "\n")
    with pytest.raises(KnowledgeError) as caught:
        load_knowledge(root)
    assert str(caught.value).startswith(f"knowledge/{SHORT[stem]}:{line}: {told}")


@pytest.mark.parametrize(
    "path",
    [
        "valuesetz/x.yaml",
        "drugs/factor/cdc-2022.yaml",
        "drugs/factors/cdc-2022.yml",
        "parameters/opioid.YAML",
        "parameters/opioid.yaml.txt",
    ],
)
def test_a_file_that_nothing_reads(root: Path, write: Write, path: str) -> None:
    write(path, "a: 1")
    with pytest.raises(
        KnowledgeError, match=rf"^knowledge/{path}: nothing reads this file \(allowed"
    ):
        load_knowledge(root)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("MME/day", "mg", ":3: the unit 'mg' of opioid.dose (allowed: MME/day)"),
        ("MME/day", "d", ":3: the unit 'd' of opioid.dose (allowed: MME/day)"),
        ("value: 90", "value: -1", ":7: -1 is below 0 (allowed: 0 or more)"),
        (
            "at or above",
            "below",
            ":4: 'below' turns opioid.dose round (allowed: at or above or above)",
        ),
    ],
)
def test_a_site_keeps_to_the_unit_and_the_sign_of_our_number(
    root: Path, tmp_path: Path, old: str, new: str, told: str
) -> None:
    site = tmp_path / "site" / "parameters"
    site.mkdir(parents=True)
    (site / "opioid.yaml").write_text(FILES["parameters/opioid.yaml"].replace(old, new))
    with pytest.raises(KnowledgeError) as caught:
        load_knowledge(root, site.parent)
    assert str(caught.value) == f"{site / 'opioid.yaml'}{told}"


def test_two_payers_cannot_go_by_one_name(root: Path, write: Write) -> None:
    plan = FILES["payers/plan.yaml"]
    write("payers/twin.yaml", plan.replace("id: plan", "id: twin").replace("the plan", "The  PLAN"))
    with pytest.raises(KnowledgeError) as caught:
        load_knowledge(root)
    assert str(caught.value).startswith("knowledge/payers/twin.yaml:3: 'urn:x#7' stands for plan")
    write("payers/twin.yaml", plan.replace("id: plan", "id: twin").replace("urn:x#7", "urn:x#8"))
    with pytest.raises(KnowledgeError, match="'the plan' stands for plan already"):
        load_knowledge(root)


def test_a_site_may_go_below_zero_where_ours_does(root: Path, write: Write, tmp_path: Path) -> None:
    ours = FILES["parameters/opioid.yaml"].replace("value: 90", "value: -2")
    write("parameters/opioid.yaml", ours)
    site = tmp_path / "site" / "parameters"
    site.mkdir(parents=True)
    (site / "opioid.yaml").write_text(ours.replace("49.50", "-3"))
    number = load_knowledge(root, site.parent).number("opioid.dose", date(2023, 1, 1))
    assert number is not None
    assert number.value == -3


def test_a_link_that_leads_nowhere_or_back_is_a_fault(root: Path) -> None:
    (root / "note").symlink_to(root / "nowhere")
    with pytest.raises(KnowledgeError, match="knowledge/note: cannot be read: No such file"):
        load_knowledge(root)
    (root / "note").unlink()
    (root / "payers" / "again.yaml").symlink_to("again.yaml")
    with pytest.raises(KnowledgeError, match=r"again\.yaml: cannot be read: Too many") as caught:
        load_knowledge(root)
    assert not hasattr(caught.value, "__notes__")
    (root / "payers" / "again.yaml").unlink()
    (root / "payers" / "again").symlink_to(root)
    with pytest.raises(KnowledgeError, match=r"payers/again: a link to where it stands in"):
        load_knowledge(root)


def test_a_directory_that_cannot_be_read_is_a_fault(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: object) -> None:
        raise PermissionError(13, "Permission denied", str(root))

    monkeypatch.setattr("os.access", lambda _path, mode: mode == os.F_OK)
    with pytest.raises(KnowledgeError, match="knowledge: cannot be read: Permission denied"):
        load_knowledge(root)
    monkeypatch.undo()
    monkeypatch.setattr("os.scandir", refused)
    with pytest.raises(KnowledgeError, match="knowledge: cannot be read: Permission denied"):
        load_knowledge(root)


@pytest.mark.parametrize(
    ("stem", "old", "new", "told"),
    [
        ("opioid", "[author, second reader]", "[author]", "at least 2 in the list"),
        ("opioid", "says: Daily dose.", "says: ''", "text of at least 1 character"),
    ],
)
def test_a_schema_is_told_in_words(
    root: Path, write: Write, stem: str, old: str, new: str, told: str
) -> None:
    write(SHORT[stem], FILES[SHORT[stem]].replace(old, new))
    with pytest.raises(KnowledgeError) as caught:
        load_knowledge(root)
    assert caught.value.allowed == told


def test_every_limit_of_our_schemas_can_be_told() -> None:
    told, plain = set(schema._LIMITS), {"type", "enum", "required", "anyOf", "additionalProperties"}
    for path in schema.SCHEMAS.glob("*.json"):
        for part in _parts(json.loads(path.read_text())):
            if "description" not in part:
                limits = set(Draft202012Validator.VALIDATORS) & set(part)
                assert limits <= told | plain | _APPLY, (path.name, part)


_APPLY = {"$ref", "properties", "patternProperties", "items", "propertyNames"}


def _parts(part: Any) -> Iterator[dict[str, Any]]:
    """Every schema in a schema."""
    if isinstance(part, dict):
        if "properties" in part or "type" in part or "enum" in part or "const" in part:
            yield part
        for each in part.values():
            yield from _parts(each)
    elif isinstance(part, list):
        for each in part:
            yield from _parts(each)
