"""Members of a resource that stay the bytes they came in until someone asks what they say.

A chart repeats a few dozen concepts, statuses and instructions hundreds of times. Bytes are cheaper
to compare than structs are to build, so such a member is decoded where its bytes are seen for the
first time. Readers take them as `b"" + member`, which costs Python half of `bytes(member)`.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

import msgspec

from cds_service.fhir.r4_dosage import CodeableConcept, Dosage, Quantity
from cds_service.fhir.r4_resource import Concepts, Reference

T = TypeVar("T")
ABSENT = msgspec.Raw(b"")  # stands for a member that was not sent


class Part(Generic[T]):
    """What a member that is kept as bytes must hold, if it is not null."""

    __slots__ = ("_decode", "type")

    def __init__(self, kind: Any) -> None:
        self.type = kind | None
        self._decode = msgspec.json.Decoder(kind | None).decode

    def read(self, sent: bytes) -> T | None:
        """What the bytes say; none are a member that was not sent.

        Raises msgspec.ValidationError if they hold something else.
        """
        found: T | None = self._decode(sent) if sent else None
        return found


CONCEPT: Part[CodeableConcept] = Part(CodeableConcept)
CONCEPTS: Part[Concepts] = Part(Concepts)
STATUS: Part[CodeableConcept | str] = Part(CodeableConcept | str)
AMOUNT: Part[Quantity] = Part(Quantity)
REFERENCES: Part[tuple[Reference, ...] | Reference] = Part(tuple[Reference, ...] | Reference)
DOSAGES: Part[tuple[Dosage, ...] | Dosage] = Part(tuple[Dosage, ...] | Dosage)

ConceptPart = Annotated[msgspec.Raw, CONCEPT]
ConceptsPart = Annotated[msgspec.Raw, CONCEPTS]
StatusPart = Annotated[msgspec.Raw, STATUS]
AmountPart = Annotated[msgspec.Raw, AMOUNT]
ReferencesPart = Annotated[msgspec.Raw, REFERENCES]
DosagesPart = Annotated[msgspec.Raw, DOSAGES]


def part_of(kind: Any) -> Part[Any] | None:
    """The part that the type of a member says it is, None for a member that is decoded at once."""
    if get_origin(kind) is not Annotated:
        return None
    return next((each for each in get_args(kind) if isinstance(each, Part)), None)


def check_parts(value: Any) -> None:
    """Read every part of a struct, and of what those hold. Raises msgspec.ValidationError
    at a misfit.
    """
    if isinstance(value, tuple):
        for each in value:
            check_parts(each)
    elif isinstance(value, msgspec.Struct):
        for name, part in _parts_of(type(value)):
            raw = getattr(value, name)
            if raw is not ABSENT:
                check_parts(part.read(bytes(raw)))


@cache
def _parts_of(kind: type[msgspec.Struct]) -> tuple[tuple[str, Part[Any]], ...]:
    found = ((field.name, part_of(field.type)) for field in msgspec.structs.fields(kind))
    return tuple((name, part) for name, part in found if part is not None)
