"""The commands that keep cases, catalogue and new rules in order."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.cli.cases import command as cases
from cds_service.cli.docs import command as docs

pytestmark = pytest.mark.slow

FOLDER = str(Path(__file__).parent / "cases")


def test_cases_run_says_how_many(tmp_path: Path) -> None:
    result = CliRunner().invoke(cases, ["run", "opioid-supply-length", "--folder", FOLDER])
    assert result.exit_code == 0, result.output
    assert result.output.endswith(" cases, 0 differ\n")


def test_cases_run_names_what_differs_and_update_shows_what_is_said(tmp_path: Path) -> None:
    text = (Path(FOLDER) / "opioid_supply_length.yaml").read_text()
    (tmp_path / "opioid_supply_length.yaml").write_text(
        text.replace("indicator: info", "indicator: warning", 1)
    )
    ran = CliRunner().invoke(cases, ["run", "--folder", str(tmp_path)])
    assert ran.exit_code == 1
    assert "expected warning, said info (direct, prefetch, fetch, half)" in ran.output
    updated = CliRunner().invoke(
        cases, ["update", "opioid-supply-length", "--folder", str(tmp_path)]
    )
    assert updated.exit_code == 1
    assert (
        "{criterion: supply-longer-than-acute-need, status: met, indicator: info, because: [1]}"
        in updated.output
    )


def test_cases_of_an_unknown_rule_are_refused() -> None:
    assert CliRunner().invoke(cases, ["run", "no-such-rule", "--folder", FOLDER]).exit_code == 2


def test_docs_check_agrees_with_what_is_committed() -> None:
    result = CliRunner().invoke(docs, ["--check", "--cases", FOLDER])
    assert result.exit_code == 0, result.output
