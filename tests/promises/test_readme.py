"""What the README shows is what the service answers."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

from cds_service.assembly import load_service
from cds_service.settings import load_settings

ROOT = Path(__file__).parents[2]


def _shown() -> dict[str, Any]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    match = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert match is not None
    shown: dict[str, Any] = json.loads(match[1])
    return shown


def _within(shown: Any, real: Any) -> bool:
    """Whether everything shown stands in the answer; dots stand for what was left out."""
    if isinstance(shown, dict):
        return all(
            key == "..." or (key in real and _within(value, real[key]))
            for key, value in shown.items()
        )
    if isinstance(shown, list):
        return all(_within(one, other) for one, other in zip(shown, real, strict=False))
    if isinstance(shown, str) and shown.endswith("..."):
        return str(real).startswith(shown.removesuffix("...").rstrip())
    return bool(shown == real)


def test_the_call_of_the_readme_gets_the_answer_of_the_readme() -> None:
    service = load_service(load_settings(mode="test", as_of=date(2026, 3, 1)))
    body = (ROOT / "fhir_fixtures" / "requests" / "order-sign.json").read_bytes()
    answer = service.respond("opioid-safety", body)
    service.close()
    assert answer.status == 200
    real = json.loads(json.dumps(answer.body, default=float))
    assert len(_shown()["cards"][0]["suggestions"]) == 2
    assert _within(_shown(), real)


def test_the_readme_names_commands_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(
        r"^    make (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    ):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
