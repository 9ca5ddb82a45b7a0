"""What a body brings: its draft orders, and its prefetch values by the need they serve.

A value serves the need whose key it has. Sites rename keys, so the others are looked at for what is
still missing. Entries are counted as they come, before anything is made of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cds_service.clinical.facts import Need
from cds_service.errors import BadRequest, TooLarge
from cds_service.fhir import r4
from cds_service.fhir.bundles import (
    NOTHING,
    Content,
    Uniform,
    content,
    uniform_content,
)
from cds_service.fhir.drafts import draft_content
from cds_service.fhir.queries import TYPES
from cds_service.fhir.resources import Json, kind_of

_KEYS = frozenset(need.value for need in Need)
_REFERRED = (b'"Medication"', b'"Organization"')


def _type_of(need: Need) -> Any:
    """What a client that follows our template sends."""
    kind: Any = r4.TYPES[TYPES[need]]
    return msgspec.Raw if need is Need.PATIENT else Uniform[kind] | None


# A prefetch that holds our keys and nothing else, each with resources of its one type.
Prefetched: type[msgspec.Struct] = msgspec.defstruct(
    "Prefetched",
    [(need.value, _type_of(need) | msgspec.UnsetType, msgspec.UNSET) for need in Need],
    frozen=True,
    gc=False,
    forbid_unknown_fields=True,
)


@dataclass(frozen=True, slots=True)
class Sent:
    """The contents of one body; `referred` are other values that may hold the products and payers
    that orders and covers refer to, `unusable` the needs under whose key stands what is no FHIR
    resource.
    """

    drafts: Content
    by_need: Mapping[Need, list[Content]]
    referred: Sequence[Content]
    unusable: Collection[Need] = ()


class _Room:
    """How many entries a body may still bring."""

    __slots__ = ("_left", "_most")

    def __init__(self, most: int | None) -> None:
        self._most = self._left = most

    def admit(self, found: Content | None) -> Content | None:
        """The same content. Raises TooLarge for more entries than are left."""
        if found is not None and self._left is not None:
            self._left -= found.size
            if self._left < 0:
                raise TooLarge(f"The body holds more than {self._most} entries.")
        return found


def read_sent(
    prefetch: Mapping[str, Json],
    typed: Any,
    draft_orders: Json | None,
    wanted: Iterable[Need],
    most_entries: int | None = None,
) -> Sent:
    """The drafts, what serves the wanted needs, and what is referred to among the rest; `typed` is the
    prefetch as `Prefetched`, None where it does not fit.

    Raises TooLarge beyond `most_entries`, BadRequest for drafts of an impossible shape, and what
    `content` raises for broken JSON.
    """
    room = _Room(most_entries)
    drafts = room.admit(draft_content(draft_orders)) or NOTHING
    by_need: dict[Need, list[Content]] = {}
    missing: list[Need] = []
    unusable: list[Need] = []
    for need in wanted:
        try:
            found = _under(prefetch, typed, need, room)
        except BadRequest:  # one odd value costs its own need, and no advice on the others
            found = None
            unusable.append(need)
        if found is None:
            missing.append(need)
        else:
            by_need[need] = [found]
    others = dict(_others(prefetch, room, every=bool(missing))) if typed is None else {}
    if others and missing:
        by_need |= _renamed(others, missing)
    referred = [found for found in others.values() if _may_hold(found.raw)]
    return Sent(drafts, by_need, referred, unusable)


def _under(prefetch: Mapping[str, Json], typed: Any, need: Need, room: _Room) -> Content | None:
    """What stands under the key of a need; None where that is no answer to it. Raises BadRequest for
    a value of an impossible shape.
    """
    key, kind = str(need), TYPES[need]
    value: Any = prefetch.get(key, msgspec.UNSET) if typed is None else getattr(typed, key)
    if value is msgspec.UNSET:
        return None
    if value is None:
        return NOTHING
    if isinstance(value, Uniform):
        if not (value.entry or value.link or value.total):
            return NOTHING
        return room.admit(uniform_content(value, kind, lambda: prefetch[key]))
    found = room.admit(content(value, kind))
    return found if found is not None and answers(found, kind) else None


def answers(found: Content, kind: str) -> bool:
    """Whether a content answers a query for `kind`: it holds such resources, or none at all
    but outcomes.
    """
    if found.uniform == kind:
        return True
    others = False
    for entry in found.entries:
        name = kind_of(entry.resource)[0] or kind
        if name == kind:
            return True
        others = others or name != "OperationOutcome"
    return not others


def _others(
    prefetch: Mapping[str, Json], room: _Room, *, every: bool
) -> Iterator[tuple[str, Content]]:
    """What stands under keys that are not ours: every value, or those that may be referred
    to.
    """
    for key, raw in prefetch.items():
        if key not in _KEYS and (every or _may_hold(raw)):
            try:
                found = room.admit(content(raw))
            except BadRequest:
                continue
            if found is not None:
                yield key, found


def _may_hold(raw: Json) -> bool:
    """Whether a value may hold a product or a payer."""
    text = bytes(raw)
    return any(kind in text for kind in _REFERRED)


def _renamed(others: Mapping[str, Content], missing: Iterable[Need]) -> dict[Need, list[Content]]:
    """The needs that unknown keys serve: by their letters, else by the resources they hold."""
    kinds = {
        key: {kind_of(entry.resource)[0] for entry in found.entries}
        for key, found in others.items()
    }
    served: dict[Need, list[Content]] = {}
    for need in missing:
        kind = TYPES[need]
        names = {need.value.lower(), kind.lower(), kind.lower() + "s"}
        alike = [
            found
            for key, found in others.items()
            if _letters(key) in names and answers(found, kind)
        ]
        alike = alike or [found for key, found in others.items() if kind in kinds[key]]
        if alike:
            served[need] = alike
    return served


def _letters(key: str) -> str:
    return "".join(each for each in key.lower() if each.isalnum())
