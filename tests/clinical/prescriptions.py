"""Prescriptions for tests: FHIR dosages and the real drug table turned into facts, and
reasoned about.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from functools import cache
from math import ceil
from typing import Any, TypeVar

import msgspec

from cds_service.clinical.dates import Span, on, span_of
from cds_service.clinical.facts import Facts, Order
from cds_service.clinical.mme import DailyMme, daily_mme
from cds_service.clinical.rule import Asker, Call, Known
from cds_service.fhir.dosage import read_sig
from cds_service.fhir.r4_dosage import Dosage, Quantity
from cds_service.fhir.supply import supply_days
from cds_service.fhir.timing import duration_days
from cds_service.knowledge.drugs.model import Drug
from cds_service.knowledge.drugs.table import DrugTable
from cds_service.knowledge.loader import load_knowledge
from cds_service.knowledge.model import Knowledge

T = TypeVar("T")
AS_OF = date(2024, 3, 1)
Json = dict[str, Any]


@cache
def table() -> DrugTable:
    """The shipped drug table."""
    return DrugTable.load()


@cache
def knowledge(factors: str = "cdc-2022") -> Knowledge:
    """The shipped knowledge with one factor table."""
    return load_knowledge(factors=factors)


def drug(rxcui: str) -> Drug:
    """A drug of the shipped table."""
    found = table().by_rxcui(rxcui)
    assert found is not None, rxcui
    return found


def decoded(value: Any, kind: type[T]) -> T:
    """JSON members as the typed struct the reader gets."""
    return msgspec.json.decode(json.dumps(value), type=kind)


def amount(value: float, unit: str) -> Json:
    """A quantity; a unit that is no measure counts things."""
    measured = unit in ("mg", "ug", "mL", "g", "ug/h", "mg/h", "d", "h", "wk")
    return {
        "value": value,
        "unit": unit,
        "system": "http://unitsofmeasure.org",
        "code": unit if measured else f"{{{unit}}}",
    }


def dose(
    value: float,
    unit: str = "tbl",
    times: float | None = None,
    every: float = 1,
    per: str = "d",
    **more: Any,
) -> Json:
    """One instruction: `value` `unit`, `times` in `every` `per`."""
    said: Json = {"doseAndRate": [{"doseQuantity": amount(value, unit)}], **more}
    if times is not None:
        said["timing"] = {"repeat": {"frequency": times, "period": every, "periodUnit": per}}
    return said


def order(
    code: str | Drug | None,
    *dosages: Json,
    ref: str = "MedicationRequest/rx1",
    draft: bool = True,
    status: str = "",
    written: date = AS_OF,
    supply: int | None = None,
    quantity: Json | None = None,
    refills: int = 0,
    **more: Any,
) -> Order:
    """An order as the reader makes it."""
    product = drug(code) if isinstance(code, str) else code
    instructions = tuple(decoded(each, Dosage) for each in dosages)
    expected = decoded(amount(supply, "d"), Quantity) if supply else None
    filled = decoded(quantity, Quantity) if quantity else None
    sig = read_sig(instructions, product, filled, duration_days(expected))
    days = supply_days(expected, filled, sig, product)
    start = AS_OF if draft else written
    return Order(
        ref,
        text=product.name if product else "some tablets",
        status=status or ("draft" if draft else "active"),
        when=on(written),
        drug=product,
        sig=sig,
        span=Span(start) if days is None else span_of(start, ceil(days * (1 + refills))),
        supply=days,
        supply_days=None if days is None else ceil(days),
        refills=refills,
        draft=draft,
        intent=more.pop("intent", "order"),
        opioid=more.pop("opioid", product is not None and product.is_opioid),
        **more,
    )


def chart(
    code: str | Drug | None, *dosages: Json, ref: str = "MedicationRequest/a1", **more: Any
) -> Order:
    """An order of the chart, active unless it says otherwise."""
    return order(code, *dosages, ref=ref, draft=False, **more)


def facts(*orders: Order, hook: str = "order-sign", as_of: date = AS_OF, **more: Any) -> Facts:
    """The facts of a call about these orders."""
    return Facts(as_of=as_of, hook=hook, orders=orders, **more)


def derived(function: Callable[[Facts, Known], T], given: Facts, factors: str = "cdc-2022") -> T:
    """What shared reasoning concludes from these facts."""
    known = Known(Call(given, knowledge(factors)), Asker("test", (function,)))
    return known.derived(function)


def mme(*orders: Order, factors: str = "cdc-2022", **more: Any) -> DailyMme:
    """The daily total of these orders."""
    return derived(daily_mme, facts(*orders, **more), factors)
