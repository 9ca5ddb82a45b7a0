"""What a reader can take in at once: no file over 300 lines, no function over 40."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES, FUNCTION_LINES = 300, 40
SOURCES = sorted(
    path.relative_to(ROOT)
    for top in ("cds_service", "tests")
    for path in (ROOT / top).rglob("*.py")
)


@pytest.mark.parametrize("folder", sorted({str(path.parent) for path in SOURCES}))
def test_files_and_functions_stay_short(folder: str) -> None:
    files = [path for path in SOURCES if str(path.parent) == folder]
    texts = {path: (ROOT / path).read_text() for path in files}
    long = [
        f"{path}: {text.count(chr(10))}" for path, text in texts.items() if text.count("\n") > LINES
    ]
    for path, text in texts.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                long += [f"{path} {node.name}: {lines}"] if lines > FUNCTION_LINES else []
    assert long == []
