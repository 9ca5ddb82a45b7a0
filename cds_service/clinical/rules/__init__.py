"""One module a card: what it asks of the chart and when it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from cds_service.clinical.rule import Rule, rules


def load_rules() -> Mapping[str, Rule]:
    """Import every rule module and return the rules by card id."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return rules()
