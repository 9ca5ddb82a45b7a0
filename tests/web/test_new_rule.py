"""`cds-service new-rule`: what it writes can be run once the table of services names it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.cli import commands

ROOT = Path(__file__).parents[2]


def new_rule(name: str, root: Path) -> tuple[int, str]:
    ended = CliRunner().invoke(commands, ["new-rule", name, "--root", str(root)])
    return ended.exit_code, ended.output


@pytest.mark.slow
def test_a_new_rule_runs_its_cases_by_every_road(tmp_path: Path) -> None:
    for part in ("cds_service", "cards"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    cases = tmp_path / "tests" / "cases"
    cases.mkdir(parents=True)
    exit_code, told = new_rule("sleep-hygiene", tmp_path)
    assert exit_code == 0
    assert "sleep-hygiene in cds_service/protocol/services.py" in told
    services = tmp_path / "cds_service" / "protocol" / "services.py"
    before, spine_pathway = services.read_text().split('id="low-back-pain"')
    changed = spine_pathway.replace('"suicide-risk",', '"suicide-risk", "sleep-hygiene",', 1)
    services.write_text(before + 'id="low-back-pain"' + changed)
    for words in (["check"], ["cases", "run", "sleep-hygiene"]):
        ended = subprocess.run(
            [sys.executable, "-m", "cds_service.cli", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout == "3 cases, 0 differ\n"


def test_nothing_is_written_outside_the_repository_or_over_a_file(tmp_path: Path) -> None:
    exit_code, told = new_rule("sleep-hygiene", tmp_path)
    assert (exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "is not the repository" in told
    exit_code, told = new_rule("opioid-dose", ROOT)
    assert exit_code == 2
    assert "exists already" in told
    assert new_rule("Dose", ROOT)[0] == 2
