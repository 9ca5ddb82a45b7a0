"""Which opioid prescriptions treat opioid use disorder rather than pain. Pure."""

from __future__ import annotations

from cds_service.clinical.facts import Facts, Need, Order, Statement
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen
from cds_service.knowledge.codes import ValueSet

OUD_VALUE_SETS = ("opioid-use-disorder", "opioid-misuse-disorders")


class OudTreatment(Frozen):
    """What tells a prescription for opioid use disorder: diagnosis codes and the conditions
    with them.
    """

    codes: tuple[ValueSet, ...]
    conditions: frozenset[str]

    def given(self, order: Order | Statement) -> bool:
        """Whether the order, or what the patient is said to take, names opioid use disorder as
        its reason.
        """
        if not order.reasons and not order.reason_refs:
            return False
        if not self.conditions.isdisjoint(order.reason_refs):
            return True
        return any(codes.any_of(order.reasons) for codes in self.codes)

    def treats(self, order: Order | Statement) -> bool:
        """Whether the product is for opioid use disorder only, or the order gives it as its
        reason.
        """
        return (order.drug is not None and order.drug.oud_only) or self.given(order)


@reasoning(wants=(Need.CONDITIONS,), codes=OUD_VALUE_SETS)
def oud_treatment(facts: Facts, known: Known) -> OudTreatment:
    """How this patient's prescriptions for opioid use disorder are told from those for pain."""
    sets = tuple(known.codes(name) for name in OUD_VALUE_SETS)
    coded = frozenset(c.ref for c in facts.conditions_in(*sets))
    return OudTreatment(sets, coded)
