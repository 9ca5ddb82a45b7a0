"""Which opioids that start treatment are called long-acting."""

from __future__ import annotations

from cds_service.clinical.evaluate import evaluate
from cds_service.clinical.facts import Order
from cds_service.clinical.rule import rules
from cds_service.clinical.rules import load_rules
from tests.clinical.prescriptions import dose, facts, knowledge, order

OXYCODONE_ER_10 = "1049502"
TWICE = dose(1, times=2)


def warned_of(*orders: Order) -> list[str]:
    """The orders that are said to start treatment with a long-acting opioid."""
    load_rules()
    asked = (rules()["opioid-long-acting-start"],)
    found = evaluate(asked, facts(*orders), knowledge())
    return [ref for finding in found.findings for c in finding.criteria for ref in c.because]


def test_an_opioid_of_which_only_the_name_is_known_is_not_called_long_acting() -> None:
    named = order(None, TWICE, ref="named", supply=30, opioid=True)
    assert warned_of(named) == []
    assert warned_of(named, order(OXYCODONE_ER_10, TWICE, ref="er", supply=30)) == ["er"]
