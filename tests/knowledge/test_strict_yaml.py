"""YAML is read strictly, and a fault names file, line and what is allowed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge.strict_yaml import load, loads


def test_numbers_keep_their_text_and_dates_are_dates() -> None:
    data = loads(
        "a: 0.10\nb: 50\nc: 2022-11-04\nd: null\ne: true\n2022-11-04: -1.5\n3: [x]\non: y", "f"
    ).data
    assert data == {
        "a": Decimal("0.10"),
        "b": 50,
        "c": date(2022, 11, 4),
        "d": None,
        "e": True,
        date(2022, 11, 4): Decimal("-1.5"),
        3: ["x"],
        "on": "y",
    }
    assert str(data["a"]) == "0.10"
    assert type(data["b"]) is int


@pytest.mark.parametrize(
    ("text", "line", "what", "allowed"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, "duplicate key 'c', first on line 3", None),
        ("a: 1\nb: yes\n", 2, "the unquoted word 'yes'", 'true, false, or "yes" in quotes'),
        ("- off\n", 1, "the unquoted word 'off'", 'true, false, or "off" in quotes'),
        ("a: True\n", 1, "the unquoted word 'True'", 'true, false, or "True" in quotes'),
        ("a: 1:30\n", 1, "the unquoted value '1:30'", "digits with at most one point"),
        ("a: 010\n", 1, "the unquoted value '010'", "digits with at most one point"),
        ("a: 1.5e+3\n", 1, "the unquoted value '1.5e+3'", "digits with at most one point"),
        ("a: .nan\n", 1, "the unquoted value '.nan'", "digits with at most one point"),
        (
            "a: 2022-11-04 10:00:00\n",
            1,
            "the unquoted value '2022-11-04 10:00:00'",
            "digits with at most one",
        ),
        ("a: 2022-02-30\n", 1, "2022-02-30 is not a date of the calendar", None),
        ("a:\n", 1, "an empty value", "null, or leave the key out"),
        (
            "a: !!python/name:os.system x\n",
            1,
            "'x' with the tag",
            "plain YAML without tags or merges",
        ),
        ("a: !thing {b: 1}\n", 1, "the tag !thing is not known", None),
        ("a: !thing [1]\n", 1, "the tag !thing is not known", None),
        ("? [a, b]\n: 1\n", 1, "a key is a list or a mapping", "text, a whole number or a date"),
        ("1.5: a\n", 1, "the key '1.5'", "text, a whole number or a date"),
        (
            "a: &x {b: 1}\nc:\n  <<: *x\n",
            3,
            "'<<' with the tag",
            "plain YAML without tags or merges",
        ),
        ("a: [1\n", 2, "not YAML:", None),
        ("a: 1\n--- \nb: 1\n", 2, "not YAML:", None),
        ("", 1, "the file is empty", None),
        ("&x [*x]", 1, "nested too deeply", None),
    ],
)
def test_a_fault_names_line_and_what_is_allowed(
    text: str, line: int, what: str, allowed: str | None
) -> None:
    with pytest.raises(KnowledgeError) as caught:
        loads(text, "some.yaml")
    error = caught.value
    assert (error.file, error.line) == ("some.yaml", line)
    assert error.what.startswith(what)
    assert (error.allowed or "").startswith(allowed or "")
    assert (error.allowed is None) == (allowed is None)


def test_text_that_is_not_utf8_is_a_fault_of_its_line() -> None:
    with pytest.raises(KnowledgeError, match=r"^f:2: the byte 0xe9 is not UTF-8 \(allowed: UTF-8"):
        loads("a: 1\nb: é\nc: 1\n".encode("latin-1"), "f")


@pytest.mark.parametrize("text", ["a: 1\nb: \0\n", b"a: 1\nb: \0\n"])
def test_a_character_that_yaml_does_not_have_is_a_fault_of_its_line(text: str | bytes) -> None:
    with pytest.raises(KnowledgeError, match=r"^f:2: not YAML: .*control characters"):
        loads(text, "f")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="cannot be read: No such file"):
        load(tmp_path / "none.yaml")


def test_lines_of_keys_items_and_the_nearest_part(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a:\n  2022-11-04:\n    - one\n    - two: 2\n")
    loaded = load(path, "x.yaml")
    assert loaded.line(("a",)) == 1
    assert loaded.line(("a", date(2022, 11, 4))) == 2
    assert loaded.line(("a", "2022-11-04", 1, "two")) == 4
    assert loaded.line(("a", "2022-11-04", 1, "three")) == 4
    assert loaded.line(("b",)) == 1
    assert (
        str(loaded.fault(("a", "2022-11-04", 0), "wrong", "right"))
        == "x.yaml:3: wrong (allowed: right)"
    )
