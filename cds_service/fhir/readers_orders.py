"""Readers of what is ordered, dispensed and taken."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import msgspec

from cds_service.clinical.dates import FAR_PAST, FuzzyDate, Span, span_of
from cds_service.clinical.facts import (
    MERE_INTENT,
    NO_CODES,
    Dispense,
    Order,
    Sig,
    Statement,
)
from cds_service.fhir import r4_orders as r4
from cds_service.fhir.chart import Chart
from cds_service.fhir.ordered_product import ordered_product
from cds_service.fhir.r4_chart import Condition
from cds_service.fhir.r4_dosage import as_list
from cds_service.fhir.r4_parts import ABSENT, REFERENCES
from cds_service.fhir.r4_resource import OfPatient, Reference
from cds_service.fhir.resources import Lost
from cds_service.fhir.terms import Fill, Product
from cds_service.knowledge.codes import Code

_NOT_ASKED = Sig(unread="no rule asks about this drug")
_A_DAY = timedelta(days=1)
_NOBODY: frozenset[str] = frozenset()
_SPANS = 4096  # kept, as orders share dates and lengths
_ENCODE = msgspec.json.Encoder().encode


def order(chart: Chart, resource: r4.MedicationRequest, ref: str, lost: Lost) -> Order | None:
    """A prescription, None in the chart for a drug that no rule asks about."""
    product, draft = ordered_product(chart, resource, ref), chart.draft
    if not (product.asked or draft or lost):
        return None
    told, asked = b"" + resource.dosage_instruction, b"" + resource.dispense_request
    fill = chart.fills.of(product, told, asked, lost)
    written = resource.authored_on or ""
    when = chart.glossary.days[written] or chart.when(ref, "authoredOn", written) or fill.begins
    if resource.intent in MERE_INTENT and resource.reported and not draft:
        _state(chart, product, resource, ref, fill, when)
        return None
    found, prior = product.identified, resource.prior_prescription
    reasons, explained = _why(chart, resource)
    return Order(
        ref,
        product.codes,
        product.label,
        resource.status or ("draft" if draft else ""),
        when,
        found.drug,
        found.conflict,
        product.opioid,
        fill.sig,
        _span(chart, when, fill),
        fill.days,
        fill.whole_days,
        fill.refills,
        draft,
        resource.intent or "",
        chart.glossary.words[b"" + resource.category],
        reasons,
        explained,
        "" if prior is None else chart.order_named(prior),
        _prescribers(chart, resource) if draft else _NOBODY,
        bool(resource.do_not_perform),
        fill.quantity,
        found.strengths_differ,
        chart.refs(resource.based_on) if resource.based_on else (),
    )


def _state(
    chart: Chart,
    product: Product,
    resource: r4.MedicationRequest,
    ref: str,
    fill: Fill,
    when: FuzzyDate | None,
) -> None:
    """Note what the patient is said to take, by a plan that is reported: Epic and US Core have it
    so.
    """
    found = product.identified
    stated = Statement(
        ref,
        product.codes,
        product.label,
        resource.status or "",
        when,
        found.drug,
        product.opioid,
        fill.sig,
        fill.bounds,
        (),
        *_why(chart, resource),
        found.conflict,
        found.strengths_differ,
    )
    chart.facts.setdefault("statements", []).append(stated)


def _prescribers(chart: Chart, resource: r4.MedicationRequest) -> frozenset[str]:
    """References to who asks for a prescription and who enters it."""
    named = (chart.ref(resource.recorder), chart.ref(resource.requester))
    return frozenset(ref for ref in named if ref)


def _why(chart: Chart, resource: r4.MedicationRequest) -> tuple[frozenset[Code], tuple[str, ...]]:
    """The reasons of a prescription: codes, and references to conditions and results."""
    coded, listed = resource.reason_code, resource.reason_reference
    codes = NO_CODES if coded is ABSENT else chart.glossary.codes[b"" + coded]
    if listed is ABSENT:
        return codes, ()
    named = as_list(REFERENCES.read(b"" + listed))
    return reasons_given(chart, resource, codes, named), chart.refs(named)


def reasons_given(
    chart: Chart, resource: OfPatient, coded: frozenset[Code], named: tuple[Reference, ...]
) -> frozenset[Code]:
    """The codes of the reasons, also of conditions that the request brings along itself."""
    if not named or not resource.contained:
        return coded
    found = (chart.target(resource, each) for each in named)
    brought = (b"" + each.code for each in found if isinstance(each, Condition))
    return coded.union(*(chart.glossary.concepts[code].codes for code in brought))


def _span(chart: Chart, when: FuzzyDate | None, fill: Fill) -> Span | None:
    """How long an order is current: from the as-of date for a draft, else from the date it was
    written, or on which every instruction is to begin later, the latest it can be where that is
    partial. Bounds that alone tell its length also say on which days.
    """
    if chart.draft:
        return _from_to(chart.as_of, chart.as_of, fill.all_days)
    if when is None:
        return None
    if fill.put_off is None or fill.put_off.first <= when.first:
        return _from_to(when.first, when.last, fill.all_days)
    return fill.bounds or _from_to(fill.put_off.first, fill.put_off.last, fill.all_days)


@lru_cache(_SPANS)
def _from_to(first: date, last: date, days: int | None) -> Span:
    """From the first day it may begin until `days` after the last; open without a length."""
    return Span(first) if days is None else Span(first, span_of(last, days).end)


def dispense(chart: Chart, resource: r4.MedicationDispense, ref: str, lost: Lost) -> Dispense:
    """What the pharmacy handed out."""
    product = ordered_product(chart, resource, ref)
    days, sig = None, _NOT_ASKED
    if product.asked:
        handed = r4.DispenseRequest(
            quantity=resource.quantity, expected_supply_duration=resource.days_supply
        )
        told = b"" + resource.dosage_instruction
        fill = chart.fills.of(product, told, _ENCODE(handed), lost)
        days, sig = fill.whole_days, fill.sig
    return Dispense(
        ref,
        product.codes,
        product.label,
        resource.status or "",
        chart.when(ref, "whenHandedOver", resource.when_handed_over)
        or chart.when(ref, "whenPrepared", resource.when_prepared),
        product.identified.drug,
        product.opioid,
        days,
        chart.refs(resource.authorizing_prescription),
        sig,
        product.identified.conflict,
        product.identified.strengths_differ,
    )


def statement(chart: Chart, resource: r4.MedicationStatement, ref: str, lost: Lost) -> Statement:
    """What the patient is said to take. A period includes the day of its end."""
    product = ordered_product(chart, resource, ref)
    sig = _NOT_ASKED
    if product.asked:
        sig = chart.fills.of(product, b"" + resource.dosage, b"", lost).sig
    start = chart.start(ref, "effectivePeriod", resource.effective_period)
    end = chart.end(ref, "effectivePeriod", resource.effective_period)
    when = chart.when(ref, "effectiveDateTime", resource.effective_date_time) or start
    span = None
    if start is not None or end is not None:
        span = Span(start.first if start else FAR_PAST, end.last + _A_DAY if end else None)
    named = as_list(resource.reason_reference)
    return Statement(
        ref,
        product.codes,
        product.label,
        resource.status or "",
        when or chart.when(ref, "dateAsserted", resource.date_asserted),
        product.identified.drug,
        product.opioid,
        sig,
        span,
        chart.refs(resource.based_on),
        reasons_given(chart, resource, chart.vocabulary.all_codes(resource.reason_code), named),
        chart.refs(named),
        product.identified.conflict,
        product.identified.strengths_differ,
    )
