"""An order form of the demo filled in, and what is hidden in the pages it answers with."""

from __future__ import annotations

import html
import json
import re
from typing import Any

MEDICATION = {
    "kind": "medication",
    "product": "codeine-apap",
    "dose": "1",
    "often": "tid",
    "days": "7",
}


def desk_of(text: str) -> dict[str, Any]:
    """What the hidden field of an answer holds."""
    found = re.search(r'id="desk" name="desk" value="([^"]*)"', text)
    assert found is not None
    state: dict[str, Any] = json.loads(html.unescape(found[1]))
    return state


def suggestion_of(text: str, label: str) -> dict[str, str]:
    """The hidden fields of the form behind a button."""
    for fields in re.findall(r'<form hx-post="[^"]*/accept".*?</form>', text, re.S):
        if label in html.unescape(fields):
            named = re.findall(r'name="(\w+)" value="([^"]*)"', fields)
            return {name: html.unescape(value) for name, value in named}
    raise AssertionError(f"no button {label!r}")
