"""Products and payers that a call refers to but did not bring along: read from the server, a few of
each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple, Protocol

import msgspec

from cds_service.clinical.facts import OVER
from cds_service.errors import FhirReadError
from cds_service.fhir.bundles import Content
from cds_service.fhir.chart import Chart
from cds_service.fhir.client import Pages
from cds_service.fhir.ordered_product import Ordered
from cds_service.fhir.r4_dosage import as_list
from cds_service.fhir.r4_orders import CodeableReference, Medication
from cds_service.fhir.r4_payer import Coverage, Organization
from cds_service.fhir.r4_resource import Reference
from cds_service.fhir.resources import typed
from cds_service.fhir.salvage import Unreadable

_MOST = {"Medication": 20, "Organization": 4}  # reads a call
_READ = (Medication, Organization)
_NAMING = (b'"medicationReference"', b'"medication"')
_ORDERED = ("MedicationRequest", "MedicationDispense", "MedicationStatement")


class _Fetch(Protocol):
    def gather(self, queries: Mapping[str, str]) -> dict[str, Pages | FhirReadError]: ...


class _Reference(msgspec.Struct, frozen=True, gc=False):
    reference: str | None = None


class _Order(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    medication_reference: _Reference | None = None
    medication: CodeableReference | None = None
    status: str | None = None


class _Cover(msgspec.Struct, frozen=True, gc=False):
    payor: tuple[Reference, ...] | Reference = ()
    status: str | None = None


_ORDER: msgspec.json.Decoder[_Order] = msgspec.json.Decoder(_Order)
_COVER: msgspec.json.Decoder[_Cover] = msgspec.json.Decoder(_Cover)


def fetch_referred(chart: Chart, fetch: _Fetch, contents: Iterable[Content]) -> None:
    """Read the products and the payers that nothing in the call resolves, those of orders that are
    over last, else in the order of `contents`; failures stay so.
    """
    wanted: dict[str, dict[str, str]] = {kind: {} for kind in _MOST}
    found = sorted(_unresolved(chart, contents), key=lambda each: each.over)
    for each in found:
        if len(wanted[each.kind]) < _MOST[each.kind]:
            wanted[each.kind].setdefault(each.ref, each.url)
    queries = {ref: url for each in wanted.values() for ref, url in each.items()}
    if not queries:
        return
    for ref, answer in fetch.gather(queries).items():
        for body in answer.bodies if isinstance(answer, Pages) else ():
            try:
                product = typed(body)
            except (Unreadable, RecursionError, UnicodeDecodeError, msgspec.DecodeError):
                continue
            if product is not None and isinstance(product.resource, _READ):
                chart.directory.add(ref, product.resource)


class _Referred(NamedTuple):
    """What is referred to: its type, its `Type/id`, the URL to read it at, and whether by an order
    that is over.
    """

    kind: str
    ref: str
    url: str
    over: bool


def _unresolved(chart: Chart, contents: Iterable[Content]) -> Iterator[_Referred]:
    for content in contents:
        for named, over in (*_products(content), *_payers(content)):
            reference = (named or "").strip()
            ref = chart.directory.resolved(reference)
            kind = ref.partition("/")[0]
            if kind in _MOST and "/" in ref and chart.directory.find(reference) is None:
                yield _Referred(kind, ref, reference if "://" in reference else ref, over)


def _products(content: Content) -> Iterator[tuple[str | None, bool]]:
    """The references to products in the orders of a content, each with whether the order is over."""
    if content.uniform in _ORDERED:
        for each in content.fitting(content.uniform):
            if isinstance(each.resource, Ordered):
                yield from _product(each.resource)
    elif not content.uniform and any(map(content.mentions, _NAMING)):
        for entry in content.entries:
            with suppress(msgspec.ValidationError):
                yield from _product(_ORDER.decode(entry.resource))


def _product(order: Ordered | _Order) -> Iterator[tuple[str | None, bool]]:
    """What an order refers to as its product, in R4's member or in R5's."""
    product: Reference | _Reference | None = order.medication_reference
    if order.medication is not None:
        product = order.medication.named
    if product is not None:
        yield product.reference, order.status in OVER


def _payers(content: Content) -> Iterator[tuple[str | None, bool]]:
    """The references to payers of active cover of whom the cover itself tells neither name nor
    identifier.
    """
    covers: list[Coverage | _Cover] = []
    if content.uniform == "Coverage":
        found = (each.resource for each in content.fitting("Coverage"))
        covers = [cover for cover in found if isinstance(cover, Coverage)]
    elif not content.uniform and content.mentions(b'"payor"'):
        for entry in content.entries:
            with suppress(msgspec.ValidationError):
                covers.append(_COVER.decode(entry.resource))
    for cover in covers:
        for payor in as_list(cover.payor) if cover.status == "active" else ():
            if not payor.display and not payor.identifier:
                yield payor.reference, False
