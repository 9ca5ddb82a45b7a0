"""A FHIR server made of one chart, without a socket: what the fetch roads ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from cds_service.errors import FhirNotFound, FhirReadError
from cds_service.fhir.client import Pages

Resource = Mapping[str, Any]
_PAGE = 20  # entries a page, so that charts of any size turn pages
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(value: object) -> bytes:
    """JSON with `Decimal` written as a number, digit for digit."""
    return _ENCODER.encode(value)


def bundle(resources: Iterable[Resource]) -> dict[str, Any]:
    """A searchset; without matches it has no entries at all."""
    found = list(resources)
    result: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    if found:
        result["entry"] = [{"resource": one, "search": {"mode": "match"}} for one in found]
    return result


class Responder:
    """Answers reads and searches by patient from a chart; the types in `broken` fail."""

    def __init__(self, resources: Iterable[Resource], broken: frozenset[str] = frozenset()) -> None:
        self._resources, self._broken = tuple(resources), broken

    def gather(self, queries: Mapping[str, str]) -> dict[str, Pages | FhirReadError]:
        """The answers to relative URLs, by the names they are asked under."""
        return {name: self._answer(url) for name, url in queries.items()}

    def _answer(self, url: str) -> Pages | FhirReadError:
        parts = urlsplit(url)
        kind, _, number = parts.path.strip("/").partition("/")
        if kind in self._broken:
            return FhirReadError("status 503")
        if number:
            found = next(
                (r for r in self._resources if r["resourceType"] == kind and r["id"] == number),
                None,
            )
            return FhirNotFound("status 404") if found is None else Pages((encode(found),))
        patient = parse_qs(parts.query)["patient"][0]
        found_all = [
            r for r in self._resources if r["resourceType"] == kind and _patient(r) == patient
        ]
        pages = [found_all[at : at + _PAGE] for at in range(0, len(found_all), _PAGE)] or [[]]
        return Pages(tuple(encode(bundle(page)) for page in pages))


def _patient(resource: Resource) -> str:
    """The bare id of the patient a resource belongs to."""
    for member in ("subject", "patient", "beneficiary"):
        if member in resource:
            return str(resource[member]["reference"]).rpartition("/")[2]
    return str(resource["id"])
