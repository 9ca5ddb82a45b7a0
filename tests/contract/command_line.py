"""The commands as an integrator types them, and files for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cds_service.cli import commands
from tests.contract.answers import folder

ANSWERS = folder()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, arguments, env={"COLUMNS": "200"})


def written(tmp_path: Path, content: Any, name: str = "file.json") -> str:
    file = tmp_path / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(file)
