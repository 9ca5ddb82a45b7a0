"""What stands at the root of an answer besides its cards. Pure."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from cds_service.card_text import CHART_TEXT_LIMIT, clean
from cds_service.clinical.criteria import Evaluation
from cds_service.clinical.facts import Facts
from cds_service.clinical.mme import DailyMme, OrderMme
from cds_service.clinical.opioid_course import Course
from cds_service.clinical.references import invented

_PLACES = 6  # of a JSON number, finer than any factor and dose can tell apart


def root_extension(
    facts: Facts, evaluation: Evaluation, mme: DailyMme | None = None, course: Course | None = None
) -> dict[str, Any]:
    """The members that have a value: opioids, what was not evaluated, not read, not this
    patient's.
    """
    members: dict[str, Any] = {}
    if mme is not None and mme.seen:
        members["cds-service.mme"] = _mme(mme)
        if course is not None:
            members["cds-service.opioidCourse"] = _course(course)
    members["cds-service.notEvaluated"] = [
        {"criterion": gap.criterion, "why": gap.why} for gap in evaluation.not_evaluated
    ]
    members["cds-service.unread"] = [
        {"why": gap.why} if invented(gap.ref) else {"reference": gap.ref, "why": gap.why}
        for gap in facts.unread
    ]
    members["cds-service.dropped"] = facts.dropped
    return {name: value for name, value in members.items() if value}


def _mme(mme: DailyMme) -> dict[str, Any]:
    found: dict[str, Any] = {
        "perDay": json_number(mme.per_day),
        "isLowerBound": mme.is_lower_bound,
        "factors": mme.factors,
    }
    if mme.orders:
        found["orders"] = [_order(order) for order in mme.orders]
    return found


def _order(order: OrderMme) -> dict[str, Any]:
    members = {
        "reference": "" if invented(order.ref) else order.ref,
        "label": clean(order.label, CHART_TEXT_LIMIT),
        "perDay": None if order.per_day is None else json_number(order.per_day),
        "arithmetic": order.arithmetic,
        "counted": order.counted,
        "why": "" if order.counted else clean(order.why, CHART_TEXT_LIMIT),
    }
    return {name: value for name, value in members.items() if value not in (None, "")}


def _course(course: Course) -> dict[str, Any]:
    return {
        "start": course.start.isoformat(),
        "days": course.days,
        "projectedDays": course.projected_days,
        "phase": str(course.phase),
    }


def json_number(value: Fraction) -> int | float:
    """A number as JSON shows it.

    >>> json_number(Fraction(255, 4)), json_number(Fraction(60)), json_number(Fraction(100, 3))
    (63.75, 60, 33.333333)
    """
    return int(value) if value.denominator == 1 else round(float(value), _PLACES)
