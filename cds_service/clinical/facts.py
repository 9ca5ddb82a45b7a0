"""What is known about the patient when a hook fires: one frozen type a noun. Pure.

Readers in `fhir/readers.py` make them, rules read them. A kind that could not be obtained is not in
`Facts.available`: absent is not empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

from cds_service.clinical.needs import Need
from cds_service.clinical.prescriptions import Dispense, Dose, Order, Sig, Statement
from cds_service.clinical.records import (
    MERE_INTENT,
    NO_CODES,
    OVER,
    RULED_OUT,
    Allergy,
    CarePlan,
    Claim,
    ClaimLine,
    ClaimResponse,
    Condition,
    Coverage,
    Document,
    Encounter,
    Fact,
    Goal,
    Observation,
    Patient,
    Procedure,
    Quantity,
    QuestionnaireResponse,
    Request,
    Unread,
)
from cds_service.frozen import Frozen
from cds_service.knowledge.codes import Code, ValueSet
from cds_service.knowledge.drugs.model import DrugClass

__all__ = [
    "MERE_INTENT",
    "NO_CODES",
    "OVER",
    "RULED_OUT",
    "Allergy",
    "CarePlan",
    "Claim",
    "ClaimLine",
    "ClaimResponse",
    "Condition",
    "Coverage",
    "Dispense",
    "Document",
    "Dose",
    "Encounter",
    "Fact",
    "Facts",
    "Goal",
    "Need",
    "Observation",
    "Order",
    "Patient",
    "Procedure",
    "Quantity",
    "QuestionnaireResponse",
    "Request",
    "Sig",
    "Statement",
    "Unread",
]

F = TypeVar("F", bound=Fact)


class Facts(Frozen, dict=True):
    """Everything the rules may see of one call."""

    as_of: date
    hook: str
    patient: Patient | None = None
    orders: tuple[Order, ...] = ()  # drafts and the chart's MedicationRequests, any status
    dispenses: tuple[Dispense, ...] = ()
    statements: tuple[Statement, ...] = ()
    conditions: tuple[Condition, ...] = ()
    observations: tuple[Observation, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    encounters: tuple[Encounter, ...] = ()
    requests: tuple[Request, ...] = ()  # ServiceRequests: drafts and the chart's
    devices: tuple[Request, ...] = ()  # DeviceRequests: drafts and the chart's
    care_plans: tuple[CarePlan, ...] = ()
    coverages: tuple[Coverage, ...] = ()
    claims: tuple[Claim, ...] = ()
    claim_responses: tuple[ClaimResponse, ...] = ()
    documents: tuple[Document, ...] = ()
    goals: tuple[Goal, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    questionnaire_responses: tuple[QuestionnaireResponse, ...] = ()
    available: frozenset[Need] = frozenset(Need)
    unread: tuple[Unread, ...] = ()
    dropped: int = 0

    @cached_property
    def _kept(self) -> dict[str, Any]:
        """What has been sorted so far. A chart repeats a few dozen combinations of codes and drugs
        hundreds of times: they are looked up once each.
        """
        return {}

    def lacks(self, need: Need) -> bool:
        """Whether data of this kind could not be obtained: unknown, not empty."""
        return need not in self.available

    def conditions_in(self, *sets: ValueSet) -> tuple[Condition, ...]:
        """Conditions with a code of any of `sets`."""
        return self._in("conditions", self.conditions, sets)

    def observations_in(self, *sets: ValueSet) -> tuple[Observation, ...]:
        """Observations with a code of any of `sets`, their components not looked at."""
        return self._in("observations", self.observations, sets)

    def results_in(self, *sets: ValueSet) -> tuple[Observation, ...]:
        """Observations with a code of any of `sets`, and such parts of a panel, which have its
        reference, status and date.
        """
        parts: tuple[Observation, ...] | None = self._kept.get("parts")
        if parts is None:
            parts = self._kept["parts"] = tuple(
                [p for o in self.observations for p in o.components]
            )
        found = self.observations_in(*sets)
        return (*found, *self._in("parts of panels", parts, sets)) if parts else found

    def procedures_in(self, *sets: ValueSet) -> tuple[Procedure, ...]:
        """Procedures with a code of any of `sets`."""
        return self._in("procedures", self.procedures, sets)

    def observations_alike(self) -> Mapping[frozenset[Code], Sequence[Observation]]:
        """Observations by their codes, their components not looked at."""
        return self._alike("observations", self.observations)

    def procedures_alike(self) -> Mapping[frozenset[Code], Sequence[Procedure]]:
        """Procedures by their codes."""
        return self._alike("procedures", self.procedures)

    def conditions_by_ref(self) -> Mapping[str, Condition]:
        """Conditions by their reference."""
        found: dict[str, Condition] | None = self._kept.get("conditions by reference")
        if found is None:
            found = self._kept["conditions by reference"] = {c.ref: c for c in self.conditions}
        return found

    def explained(self) -> tuple[Order | Request, ...]:
        """Orders and requests that give a reason."""
        found: tuple[Order | Request, ...] | None = self._kept.get("explained")
        if found is None:
            given: tuple[Order | Request, ...] = (*self.orders, *self.requests)
            found = tuple([each for each in given if each.reasons or each.reason_refs])
            self._kept["explained"] = found
        return found

    def conditions_alike(self) -> Mapping[frozenset[Code], Sequence[Condition]]:
        """Conditions by their codes."""
        return self._alike("conditions", self.conditions)

    def _alike(self, kind: str, facts: tuple[F, ...]) -> Mapping[frozenset[Code], list[F]]:
        groups: dict[frozenset[Code], list[F]] | None = self._kept.get(kind)
        if groups is None:
            groups = self._kept[kind] = defaultdict(list)
            for fact in facts:
                groups[fact.codes].append(fact)
        return groups

    def _in(self, kind: str, facts: tuple[F, ...], sets: tuple[ValueSet, ...]) -> tuple[F, ...]:
        groups = self._alike(kind, facts)
        hits: list[F] = []
        for codes, found in groups.items():
            for one in sets:
                if one.any_of(codes):
                    hits += found
                    break
        return tuple(hits)

    def orders_of(self, *classes: DrugClass) -> tuple[Order, ...]:
        """Orders of drugs of any of `classes`, drafts and any status, those of one drug together."""
        groups: dict[int, list[Order]] | None = self._kept.get("drugs")
        if groups is None:
            groups = self._kept["drugs"] = defaultdict(list)
            for order in self.orders:
                groups[id(order.drug)].append(order)
        return tuple(o for found in groups.values() if found[0].is_a(*classes) for o in found)

    @property
    def opioids(self) -> tuple[Order, ...]:
        """Orders of opioids by code or by name, drafts and any status, as they stand in the chart."""
        found: tuple[Order, ...] | None = self._kept.get("opioids")
        if found is None:
            found = self._kept["opioids"] = tuple([o for o in self.orders if o.opioid])
        return found

    @property
    def age(self) -> int | None:
        """The patient's age in completed years, None if unknown."""
        return None if self.patient is None else self.patient.age(self.as_of)

    @property
    def drafts(self) -> tuple[Order, ...]:
        """Medication orders being signed or selected."""
        found: tuple[Order, ...] | None = self._kept.get("drafts")
        if found is None:
            found = self._kept["drafts"] = tuple([o for o in self.orders if o.draft])
        return found
