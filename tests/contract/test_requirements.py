"""The table of requirements: each has a test that exists, and everything we try on others
binds us too.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.integration.conformance.check import CHECKS

ROOT = Path(__file__).parents[2]
TABLE: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "requirements.yaml").read_text("utf-8")
)
MEMBERS = {"says", "level", "versions", "tests", "void", "pending"}
ONE_OF = ("tests", "void", "pending")


@cache
def names_in(file: str) -> frozenset[str]:
    """The tests of a file as `name` or `Class::name`."""
    found = set()
    for node in ast.parse((ROOT / file).read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}::{each.name}"
                for each in node.body
                if isinstance(each, ast.FunctionDef)
            }
    return frozenset(name for name in found if name.rpartition("::")[2].startswith("test_"))


@pytest.mark.parametrize("requirement", TABLE)
def test_each_requirement_has_a_test_that_exists(requirement: str) -> None:
    row = TABLE[requirement]
    assert row.keys() <= MEMBERS
    assert row["level"] in ("SHALL", "SHOULD", "OURS")
    assert row["says"].endswith(".")
    assert sum(name in row for name in ONE_OF) == 1
    for node in row.get("tests", ()):
        file, _, name = node.partition("::")
        assert (ROOT / file).is_file(), node
        assert name in names_in(file), node
    assert row.get("tests", True)


def test_what_we_try_on_other_services_binds_us_too() -> None:
    assert {check.requirement for check in CHECKS} <= TABLE.keys()


def test_what_binds_a_service_in_the_specification_is_in_the_table() -> None:
    levels = {row["level"] for row in TABLE.values()}
    assert levels == {"SHALL", "SHOULD", "OURS"}
    firm = [name for name, row in TABLE.items() if row["level"] != "OURS"]
    assert (
        len(firm) >= 80
    )  # the shall and should rows of 2.0, 3.0 and coverage requirements discovery
