"""Readers of referrals, tests, procedures and devices asked for."""

from __future__ import annotations

from decimal import Decimal

from cds_service.clinical.facts import Quantity, Request
from cds_service.fhir import r4_orders as r4
from cds_service.fhir.amounts import quantity
from cds_service.fhir.chart import Chart
from cds_service.fhir.concepts import label
from cds_service.fhir.r4_dosage import Timing, as_list, plain_number
from cds_service.fhir.readers_orders import reasons_given
from cds_service.fhir.resources import Lost
from cds_service.fhir.timing import bounds_days, rhythm
from cds_service.knowledge.codes import Code


def service_request(
    chart: Chart, resource: r4.ServiceRequest, ref: str, lost: Lost
) -> Request | None:
    """A referral, test, image or procedure asked for; None for one that must not be done."""
    return _request(
        chart,
        resource,
        ref,
        chart.vocabulary.codes(resource.code),
        label(resource.code),
        _most(resource),
        _times(resource.occurrence_timing),
        bool(resource.do_not_perform),
    )


def _most(resource: r4.ServiceRequest) -> Quantity | None:
    """How many are asked for; a range counts at its end."""
    asked, span = resource.quantity_quantity, resource.quantity_range
    if asked is None and span is not None:
        asked = span.low if span.high is None else span.high
    return quantity(asked)


def _times(timing: Timing | None) -> Decimal | None:
    """How often it is to happen in all, by a count, or by how often a day and for how long; None if
    that is not said.
    """
    if timing is None or timing.repeat is None:
        return None
    repeat = timing.repeat
    count = plain_number(repeat.count if repeat.count_max is None else repeat.count_max)
    if count is not None:
        return count
    per_day = rhythm(timing).per_day
    days = bounds_days(timing, per_day)
    return None if per_day is None or days is None else Decimal(int(per_day * days))


def device_request(
    chart: Chart, resource: r4.DeviceRequest, ref: str, lost: Lost
) -> Request | None:
    """A device asked for."""
    concept = resource.code_codeable_concept
    return _request(
        chart,
        resource,
        ref,
        chart.vocabulary.codes(concept),
        label(concept),
        None,
        None,
        False,
    )


def _request(
    chart: Chart,
    resource: r4.ServiceRequest | r4.DeviceRequest,
    ref: str,
    codes: frozenset[Code],
    text: str,
    amount: Quantity | None,
    times: Decimal | None,
    forbidden: bool,
) -> Request | None:
    if forbidden:
        return None
    named = as_list(resource.reason_reference)
    reason_refs = chart.refs(named)
    if chart.draft:
        chart.named.update(reason_refs)
    return Request(
        ref,
        codes,
        text,
        resource.status or ("draft" if chart.draft else ""),
        chart.when(ref, "authoredOn", resource.authored_on),
        chart.draft,
        resource.intent or "",
        reasons_given(chart, resource, chart.vocabulary.all_codes(resource.reason_code), named),
        reason_refs,
        chart.vocabulary.codes(resource.performer_type),
        amount,
        chart.ref(resource.requester),
        resource.priority or "",
        chart.when(ref, "occurrenceDateTime", resource.occurrence_date_time)
        or chart.start(ref, "occurrencePeriod", resource.occurrence_period),
        tuple(filter(None, map(label, as_list(resource.reason_code)))) if chart.draft else (),
        times,
    )
