"""The opioid panel: dose, arithmetic and course from the service's own answer, and twelve
months of dose.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from cds_service.clinical.facts import Need, Order
from cds_service.clinical.medications import NEVER_TAKEN
from cds_service.clinical.mme_series import daily_series
from cds_service.clinical.oud_treatment import oud_treatment
from cds_service.clinical.rule import Asker, Call, Known
from cds_service.fhir.prefetch import read_facts
from cds_service.knowledge.model import FactorTable
from cds_service.protocol.messages import read_request
from cds_service.service import Service
from cds_service.web.demo.calls import Exchange
from cds_service.web.demo.dose_chart import Step, dose_chart, steps_of

_LIMIT = "opioid.dose_caution"
_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Opioids:
    """What is known of the patient's opioids today. `mme` and `course` are members of the
    answer.
    """

    mme: Mapping[str, Any]
    course: Mapping[str, Any] | None
    chart: Markup | None = None
    steps: tuple[Step, ...] = ()
    unread: tuple[tuple[date, date], ...] = ()

    @property
    def total(self) -> str:
        """The daily dose in words."""
        if self.mme["isLowerBound"] and not self.mme["perDay"]:
            return "No opioid counted in MME"
        return f"{'At least ' if self.mme['isLowerBound'] else ''}{self.mme['perDay']:g} MME a day"

    def arithmetic(self, reference: str) -> str:
        """What one order adds, or why it is not counted; empty if it is no opioid."""
        for order in self.mme.get("orders", ()):
            if order.get("reference") == reference:
                if not order["counted"]:
                    return f"not counted: {order['why']}"
                return f"{order['arithmetic']} = {order['perDay']:g} MME/day"
        return ""


def opioids_of(exchanges: Iterable[Exchange]) -> Opioids | None:
    """What the answers say of opioids, None when they saw none."""
    for exchange in exchanges:
        mme = exchange.extension("mme")
        if mme:
            return Opioids(mme, exchange.extension("opioidCourse"))
    return None


def opioid_panel(exchanges: Iterable[Exchange], service: Service, as_of: date) -> Opioids | None:
    """The same with the dose of the last twelve months."""
    exchanges = tuple(exchanges)
    found = opioids_of(exchanges)
    if found is None:
        return None
    exchange = next(each for each in exchanges if each.extension("mme"))
    facts = read_facts(
        read_request(json.dumps(exchange.request).encode()),
        as_of=as_of,
        needs=(Need.PATIENT, Need.MEDICATIONS, Need.CONDITIONS),
        vocabulary=service.vocabulary,
    ).facts
    call = Call(facts, service.knowledge)
    known = Known(call, Asker("dose chart", (oud_treatment,), frozenset({_LIMIT})))
    oud = known.derived(oud_treatment)
    for_pain = [order for order in facts.orders if not oud.treats(order)]
    end = as_of + timedelta(days=1)
    start = end - timedelta(days=_A_YEAR + 1)
    series = daily_series(for_pain, service.knowledge.factors, start, end)
    unread = tuple(_uncounted(for_pain, service.knowledge.factors, start, end))
    chart = None
    if unread or any(dose for _, dose in series):
        chart = dose_chart(series, known.number(_LIMIT).value, unread)
    return Opioids(found.mme, found.course, chart, steps_of(series), unread)


def _uncounted(
    orders: Iterable[Order], table: FactorTable, start: date, end: date
) -> Iterator[tuple[date, date]]:
    """The days between `start` and `end` of each opioid that was to be taken and adds
    nothing to the line.
    """
    for order in orders:
        if not order.opioid or order.span is None or order.status in NEVER_TAKEN or not order.meant:
            continue
        first, over = order.span.start, order.span.end or end
        if over <= start or first >= end:
            continue
        if not any(
            dose for _, dose in daily_series((order,), table, first, first + timedelta(days=1))
        ):
            yield max(first, start), min(over, end)
