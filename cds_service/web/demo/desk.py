"""What a clinician did on a page, kept in a hidden field of it: orders not yet signed, and
what was filed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Any

from cds_service.web.demo.calls import CLINICIAN, pretty
from cds_service.web.demo.patients import Patient, Resource
from cds_service.web.demo.summary import counted, instruction, words

Draft = dict[str, Any]
_MOST = 20  # drafts
_MOST_FILED = 100
_RECORDS = (
    "QuestionnaireResponse",
    "Observation",
    "Procedure",
    "DocumentReference",
    "Claim",
)  # filed, not ordered
_LONGEST = 200_000
_LONGEST_ID = 64


class BadState(ValueError):
    """The page sent back something that it did not get from us."""


@dataclass(slots=True)
class Desk:
    """Draft orders in the order in which they came, and what was filed since the page was
    opened.
    """

    drafts: list[Draft] = field(default_factory=list)
    filed: list[Draft] = field(default_factory=list)
    clinician: str = CLINICIAN

    @classmethod
    def fresh(cls) -> Desk:
        """The desk of a page just opened; its own clinician still sees what others dismissed."""
        return cls(clinician=f"{CLINICIAN}-{token_hex(6)}")

    @classmethod
    def of(cls, form: Mapping[str, str]) -> Desk:
        """The desk that the page holds. Raises BadState."""
        text = form.get("desk", "{}")
        try:
            state = json.loads(text) if len(text) <= _LONGEST else None
        except (ValueError, RecursionError):
            state = None
        if not isinstance(state, dict):
            raise BadState("the orders of the page cannot be read")
        desk = cls(
            state.get("drafts", []), state.get("filed", []), str(state.get("clinician", CLINICIAN))
        )
        if not desk.clinician.startswith(CLINICIAN) or len(desk.clinician) > _LONGEST_ID:
            raise BadState("the clinician of the page cannot be read")
        for held in (desk.drafts, desk.filed):
            if not isinstance(held, list) or not all(map(_is_draft, held)):
                raise BadState("the orders of the page cannot be read")
        desk._bounded()
        return desk

    @property
    def state(self) -> str:
        """What the page keeps."""
        return json.dumps({"drafts": self.drafts, "filed": self.filed, "clinician": self.clinician})

    @property
    def lines(self) -> tuple[tuple[str, str, str, str], ...]:
        """Each order as reference, name, particulars and JSON."""
        return tuple((reference(d), *_described(d), pretty(d)) for d in self.drafts)

    def chart(self, patient: Patient) -> Patient:
        """The patient's chart with what was filed."""
        return replace(patient, resources=(*patient.resources, *self.filed))

    def number(self) -> int:
        """A number that nothing here has in its id."""
        used = [str(each["id"]).rpartition("-")[2] for each in (*self.drafts, *self.filed)]
        return max((int(number) for number in used if number.isdecimal()), default=0) + 1

    def add(self, drafts: tuple[Draft, ...]) -> None:
        """Put further orders at the end. Raises BadState."""
        self.drafts += drafts
        self._bounded()

    def remove(self, ref: str) -> None:
        """Take an order off the desk."""
        self.drafts = [draft for draft in self.drafts if reference(draft) != ref]

    def sign(self) -> list[str]:
        """Make the drafts active orders of the chart; their names. Raises BadState."""
        names = [name for _, name, _, _ in self.lines]
        self.filed += [{**draft, "status": "active"} for draft in self.drafts]
        self.drafts = []
        self._bounded()
        return names

    def take(self, suggestion: Resource) -> tuple[Draft, ...]:
        """Do what an accepted suggestion says; the drafts it made or changed. Raises BadState."""
        touched: list[Draft] = []
        for action in suggestion.get("actions", ()):
            resource = action.get("resource")
            match action.get("type"):
                case "create" if _is_resource(resource):
                    draft = {**resource, "id": f"draft-{self.number()}"}
                    (self.filed if draft["resourceType"] in _RECORDS else self.drafts).append(draft)
                case "update" if _is_draft(resource):
                    draft = resource
                    self.drafts = [
                        draft if reference(d) == reference(draft) else d for d in self.drafts
                    ]
                case "delete":
                    self.remove(str(action.get("resourceId", "")))
                    continue
                case _:
                    raise BadState("the suggestion cannot be read")
            touched.append(draft)
        self._bounded()
        return tuple(touched)

    def _bounded(self) -> None:
        """Hold no more than the page may send back. Raises BadState."""
        if len(self.drafts) > _MOST:
            raise BadState(f"{_MOST} orders wait already, sign or remove some first")
        if len(self.filed) > _MOST_FILED:
            raise BadState("too much was signed on this page, load it again")


def reference(draft: Resource) -> str:
    """Type and id."""
    return f"{draft['resourceType']}/{draft['id']}"


def _is_resource(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("resourceType"), str)


def _is_draft(value: Any) -> bool:
    return _is_resource(value) and isinstance(value.get("id"), str)


def _described(draft: Resource) -> tuple[str, str]:
    """An order's name and particulars."""
    concept = (
        draft.get("medicationCodeableConcept")
        or draft.get("code")
        or draft.get("codeCodeableConcept")
    )
    name = words(concept) if concept else str(draft.get("description") or draft["resourceType"])
    parts = [instruction(each) for each in draft.get("dosageInstruction", ())]
    supply = draft.get("dispenseRequest", {})
    length = supply.get("expectedSupplyDuration", {}).get("value")
    parts.append(counted(length, "day") if length else "")
    quantity = draft.get("quantityQuantity")
    parts.append(f"{quantity['value']} {quantity.get('unit', '')}" if quantity else "")
    parts.append(str(draft["priority"]) if draft.get("priority") not in (None, "routine") else "")
    return name, ", ".join(part for part in parts if part)
