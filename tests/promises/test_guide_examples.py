"""What the operator's guide has a site write is read without a fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cds_service.cli.check import findings
from cds_service.settings import Mode, load_settings

GUIDE = Path(__file__).parents[2] / "docs" / "operators-guide.md"
EXAMPLE = re.compile(r"```yaml\n# ([a-z0-9/-]+\.yaml)\n(.*?)```", re.DOTALL)


@pytest.mark.slow
def test_the_files_of_the_guide_are_sound_together(tmp_path: Path) -> None:
    examples = dict(EXAMPLE.findall(GUIDE.read_text(encoding="utf-8")))
    assert {name.split("/")[0] for name in examples} == {
        "sources.yaml",
        "parameters",
        "payers",
        "valuesets",
    }
    for name, text in examples.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = findings(load_settings(mode=Mode.TEST, knowledge=tmp_path))
    assert [str(each) for each in found] == []
