"""From the bytes of one resource to its type, its id and its typed members.

What does not fit its type goes through `salvage`: a fault costs its own member, never the resource.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from cds_service.fhir import r4
from cds_service.fhir.r4_dosage import as_list
from cds_service.fhir.r4_parts import check_parts
from cds_service.fhir.r4_resource import Resource
from cds_service.fhir.salvage import Unreadable, plain_json, salvaged

Json = bytes | msgspec.Raw

_HARMLESS = ("warning", "information", "success")


class _Kind(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str = ""
    id: str | None = None


_KIND: msgspec.json.Decoder[_Kind] = msgspec.json.Decoder(_Kind)


Lost = tuple[str, ...]  # the paths of members that could not be read


@dataclass(frozen=True, slots=True)
class Typed:
    """A resource, and the paths of its members that could not be read."""

    resource: Resource
    lost: Lost = ()


def kind_of(raw: Json) -> tuple[str, str | None]:
    """The type and the id of a resource; an empty type if it says none or is no resource."""
    try:
        found = _KIND.decode(raw)
    except msgspec.ValidationError:
        return _loose_kind(plain_json(raw))
    return found.resource_type, found.id


def _loose_kind(value: Any) -> tuple[str, str | None]:
    if not isinstance(value, dict):
        return "", None
    kind, identity = value.get("resourceType"), value.get("id")
    return kind if isinstance(kind, str) else "", None if identity is None else str(identity)


def typed(raw: Json, expected: str = "") -> Typed | None:
    """A resource of a type we read, else None. `expected` is the type of one that does not name its
    own.

    Raises Unreadable if it is no resource at all.
    """
    kind = kind_of(raw)[0] or expected
    decoder = r4.DECODERS.get(kind)
    if decoder is None:
        if kind or bytes(raw) == b"null":
            return None
        raise Unreadable
    try:
        resource = decoder.decode(raw)
        check_parts(resource)
        return Typed(resource)
    except msgspec.ValidationError:
        saved, lost = salvaged(plain_json(raw), r4.TYPES[kind])
        return Typed(saved, lost)


def contained(raws: tuple[msgspec.Raw, ...]) -> dict[str, Resource]:
    """The contained resources of types we read, by `#id`."""
    found: dict[str, Resource] = {}
    for at, raw in enumerate(raws):
        try:
            each = typed(raw)
        except Unreadable:
            continue
        if each is not None:
            found["#" + (each.resource.id or str(at)).lstrip("#")] = each.resource
    return found


def failure(resource: Resource) -> str:
    """Why an OperationOutcome says that a query failed; a warning, as an empty result may
    bring, does not.
    """
    if not isinstance(resource, r4.OperationOutcome):
        return ""
    issues = as_list(resource.issue)
    if issues and all(issue.severity in _HARMLESS for issue in issues):
        return ""
    return "the server reported an error"
