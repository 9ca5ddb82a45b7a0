"""Products that orders refer to but did not bring along: read from the server, a few of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Protocol

import msgspec

from cds_service.errors import FhirReadError
from cds_service.fhir.bundles import Content
from cds_service.fhir.chart import Chart
from cds_service.fhir.client import Pages
from cds_service.fhir.r4_orders import Medication
from cds_service.fhir.resources import typed
from cds_service.fhir.salvage import Unreadable

_MOST = 10  # reads a call
_ORDERED = ("MedicationRequest", "MedicationDispense", "MedicationStatement")


class _Fetch(Protocol):
    def gather(self, queries: Mapping[str, str]) -> dict[str, Pages | FhirReadError]: ...


class _Reference(msgspec.Struct, frozen=True, gc=False):
    reference: str | None = None


class _Order(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    medication_reference: _Reference | None = None


_ORDER: msgspec.json.Decoder[_Order] = msgspec.json.Decoder(_Order)


def fetch_medications(chart: Chart, fetch: _Fetch, contents: Iterable[Content]) -> None:
    """Read the products that nothing in the call resolves, in the order of `contents`;
    failures stay so.
    """
    wanted: dict[str, str] = {}
    for ref, reference in _unresolved(chart, contents):
        if len(wanted) < _MOST:
            wanted.setdefault(ref, reference)
    if not wanted:
        return
    for ref, answer in fetch.gather(wanted).items():
        for body in answer.bodies if isinstance(answer, Pages) else ():
            try:
                found = typed(body)
            except (Unreadable, RecursionError, UnicodeDecodeError, msgspec.DecodeError):
                continue
            if found is not None and isinstance(found.resource, Medication):
                chart.directory.add(ref, found.resource)


def _unresolved(chart: Chart, contents: Iterable[Content]) -> Iterator[tuple[str, str]]:
    """Products by `Type/id` and by the URL to read them at."""
    for content in contents:
        for named in _named(content):
            reference = (named or "").strip()
            ref = chart.directory.resolved(reference)
            if ref.startswith("Medication/") and chart.directory.find(reference) is None:
                yield ref, reference if "://" in reference else ref


def _named(content: Content) -> Iterator[str | None]:
    """The references to products in the orders of a content."""
    if content.uniform in _ORDERED:
        for each in content.fitting(content.uniform):
            product = getattr(each.resource, "medication_reference", None)
            if product is not None:
                yield product.reference
    elif not content.uniform and content.mentions(b'"medicationReference"'):
        for entry in content.entries:
            with suppress(msgspec.ValidationError):
                product = _ORDER.decode(entry.resource).medication_reference
                if product is not None:
                    yield product.reference
