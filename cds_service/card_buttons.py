"""One button of a card, and how several of one label are told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from cds_service.frozen import Frozen, replace


class Button(Frozen):
    """One suggestion; `key` is the same for two that do the same."""

    key: tuple[object, ...]
    label: str
    action: Mapping[str, Any]
    recommended: bool = False

    def suggestion(self, uuid: str, leading: bool) -> dict[str, Any]:
        """As CDS Hooks sends it; only the leading one of a card is recommended, since EHRs preselect it."""
        made: dict[str, Any] = {"label": self.label, "uuid": uuid}
        if leading:
            made["isRecommended"] = True
        made["actions"] = [self.action]
        return made


def told_apart(buttons: tuple[Button, ...]) -> tuple[Button, ...]:
    """The buttons, those of one label numbered: two drafts may be of one drug for as many days."""
    if len({button.label for button in buttons}) == len(buttons):
        return buttons
    alike = Counter(button.label for button in buttons)
    seen: Counter[str] = Counter()
    told: list[Button] = []
    for button in buttons:
        seen[button.label] += 1
        if alike[button.label] > 1:
            place = f" ({seen[button.label]} of {alike[button.label]})"
            described = button.action["description"] + place
            action = {**button.action, "description": described}
            button = replace(button, label=button.label + place, action=action)
        told.append(button)
    return tuple(told)
