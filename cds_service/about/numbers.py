"""The numbers of a card as its page shows them: value, grounds, history, what payers put
instead. Pure.
"""

from __future__ import annotations

from decimal import Decimal

from cds_service.about.model import Grounds, PayerValue, Threshold
from cds_service.clinical.rule import Rule
from cds_service.knowledge.model import Parameter
from cds_service.knowledge.units import UNITS

BASIS = {
    "seed": "referral guide or payer document",
    "public": "published guideline, measure or label",
    "ours": "our own engineering value, to be confirmed by clinicians",
}
WITHDRAWN = "withdrawn"


def thresholds(rule: Rule | None, grounds: Grounds) -> tuple[Threshold, ...]:
    """The numbers a rule reads, its own first, then those of the reasoning it shares."""
    if rule is None:
        return ()
    names = sorted(rule.all_numbers, key=lambda name: (name not in rule.numbers, name))
    return tuple(
        _threshold(grounds.knowledge.parameters[n], n not in rule.numbers, grounds) for n in names
    )


def _threshold(parameter: Parameter, shared: bool, grounds: Grounds) -> Threshold:
    current = parameter.on(grounds.as_of)
    reviewed, again = grounds.knowledge.reviewed.get(parameter.name, (None, None))
    return Threshold(
        name=parameter.name,
        says=parameter.says,
        boundary=parameter.boundary.value,
        value=shown(current.value),
        unit=UNITS[parameter.unit],
        since=current.since,
        source=current.source,
        at=current.at,
        basis=BASIS.get(parameter.basis, parameter.basis),
        reviewed=reviewed,
        again=again,
        shared=shared,
        earlier=tuple(
            (v.since, shown(v.value)) for v in parameter.values if v.since < current.since
        ),
        payers=_payers(parameter, grounds),
    )


def _payers(parameter: Parameter, grounds: Grounds) -> tuple[PayerValue, ...]:
    """What each payer says instead, as of the day of the page or from a later day on."""
    found = []
    for payer in grounds.knowledge.payers:
        dated = payer.overrides.get(parameter.name, ())
        begun = [value for value in dated if value.since <= grounds.as_of]
        for value in (*begun[-1:], *(v for v in dated if v.since > grounds.as_of)):
            found.append(
                PayerValue(payer.name, shown(value.value), value.since, value.source, value.at)
            )
    return tuple(found)


def shown(value: Decimal | None) -> str:
    """A value as people write it.

    >>> shown(Decimal("50")), shown(Decimal("38.0")), shown(None)
    ('50', '38', 'withdrawn')
    """
    return WITHDRAWN if value is None else f"{value.normalize():f}"
