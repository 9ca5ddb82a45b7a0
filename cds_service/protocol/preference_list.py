"""Epic's preference lists: an order that a suggestion creates takes everything from a site's own
entry. Pure.

Epic ignores the details of a created order, so an order without an entry would come out empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Json = dict[str, Any]

SYSTEM = "urn:com.epic.cdshooks.action.code.system.preference-list-item"
ORDERED = {  # what has entries, and the member in which Epic looks for one
    "MedicationRequest": "medicationCodeableConcept",
    "ServiceRequest": "code",
    "ProcedureRequest": "code",
}

EntryOf = Callable[[Mapping[str, Any]], str]


def no_entry(resource: Mapping[str, Any]) -> str:
    """The entry of a resource where no order has one."""
    return ""


class OrderNames:
    """Which order file a created order was made from: told by what the file fixes."""

    def __init__(self, orders: Mapping[str, Mapping[str, Any]]) -> None:
        self._fixed: dict[str, list[tuple[str, Json]]] = defaultdict(list)
        for name, order in orders.items():
            fixed = {member: value for member, value in order.items() if not _open(value)}
            self._fixed[str(order["resourceType"])].append((name, fixed))

    def of(self, resource: Mapping[str, Any]) -> tuple[str, ...]:
        """The order files whose every fixed member the resource has, the most particular first."""
        kind = self._fixed.get(str(resource.get("resourceType")), ())
        fitting = [
            (name, fixed)
            for name, fixed in kind
            if all(resource.get(member) == value for member, value in fixed.items())
        ]
        most = max((len(fixed) for _, fixed in fitting), default=0)
        return tuple(name for name, fixed in fitting if len(fixed) == most)

    def entries(self, listed: Iterable[tuple[str, str]]) -> EntryOf:
        """The entry of a created order, by a site's list of order files and entries; else empty."""
        entries = dict(listed)
        if not entries:
            return no_entry
        return lambda resource: next(
            (entries[name] for name in self.of(resource) if name in entries), ""
        )


def with_entry(resource: Json, entry: str) -> Json:
    """The resource with the entry before its other codes."""
    member = ORDERED[resource["resourceType"]]
    concept: Json = resource.get(member, {})
    listed = [{"system": SYSTEM, "code": entry}, *concept.get("coding", ())]
    return {**resource, member: {**concept, "coding": listed}}


def in_words(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """What an order says, for those who place it by hand: its name, then its instructions.

    >>> in_words({"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "Naloxone"},
    ...           "dosageInstruction": [{"text": "One spray"}]})
    ('Naloxone', 'One spray')
    """
    member = ORDERED.get(str(resource.get("resourceType")))
    concept: Mapping[str, Any] = resource.get(member, {}) if member else {}
    coded = (each.get("display", "") for each in concept.get("coding", ()))
    name = concept.get("text") or next(filter(None, coded), "")
    doses = (each.get("text", "") for each in resource.get("dosageInstruction", ()))
    return tuple(str(part) for part in (name, *doses) if part)


def _open(value: Any) -> bool:
    """Whether a part of an order file is filled in for each patient."""
    if isinstance(value, str):
        return value.startswith("$")
    if isinstance(value, Mapping):
        return any(map(_open, value.values()))
    return isinstance(value, list | tuple) and any(map(_open, value))
