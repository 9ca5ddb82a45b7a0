"""A measured quantity meets a limit on the side its boundary says, compared exactly."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from cds_service.knowledge.codes import Code, ValueSet
from cds_service.knowledge.model import ndc11
from cds_service.knowledge.numbers import Boundary, Number


@pytest.mark.parametrize(
    ("boundary", "below", "equal", "above"),
    [
        (Boundary.AT_OR_ABOVE, False, True, True),
        (Boundary.ABOVE, False, False, True),
        (Boundary.AT_OR_BELOW, True, True, False),
        (Boundary.BELOW, True, False, False),
    ],
)
def test_each_boundary(boundary: Boundary, below: bool, equal: bool, above: bool) -> None:
    limit = Number("x.y", Decimal("30.0"), "days", boundary, "s", "p", date(2022, 1, 1))
    assert limit.met_by(Fraction(29999999999, 10**9)) is below
    assert limit.met_by(Decimal("30")) is equal
    assert limit.met_by(Fraction(30000000001, 10**9)) is above
    assert limit.days == 30
    assert str(limit) == "30"


def test_a_limit_with_a_decimal_point_is_compared_with_sums() -> None:
    limit = Number(
        "x.y", Decimal("49.5"), "MME/day", Boundary.AT_OR_ABOVE, "s", "p", date(2022, 1, 1)
    )
    assert limit.met_by(Fraction(99, 2)) and limit.met_by(Decimal("49.5")) and limit.met_by(50)
    assert not limit.met_by(Fraction(99, 2) - Fraction(1, 10**9))
    assert not limit.met_by(Decimal("49.49")) and not limit.met_by(49)
    assert limit.met_by_bound(Fraction(99, 2), ">=") is True


@pytest.mark.parametrize(
    ("boundary", "said", "expected"),
    [
        (Boundary.AT_OR_ABOVE, "30", True),
        (Boundary.AT_OR_ABOVE, "<30", False),
        (Boundary.AT_OR_ABOVE, "<=30", None),
        (Boundary.AT_OR_ABOVE, "<=29", False),
        (Boundary.AT_OR_ABOVE, "<31", None),
        (Boundary.AT_OR_ABOVE, ">=30", True),
        (Boundary.AT_OR_ABOVE, ">29", None),
        (Boundary.ABOVE, "<=30", False),
        (Boundary.ABOVE, "<31", None),
        (Boundary.ABOVE, ">30", True),
        (Boundary.ABOVE, ">=30", None),
        (Boundary.AT_OR_BELOW, "<30", True),
        (Boundary.AT_OR_BELOW, "<=30", True),
        (Boundary.AT_OR_BELOW, "<31", None),
        (Boundary.AT_OR_BELOW, ">30", False),
        (Boundary.AT_OR_BELOW, ">=30", None),
        (Boundary.BELOW, "<30", True),
        (Boundary.BELOW, "<=30", None),
        (Boundary.BELOW, ">=30", False),
        (Boundary.BELOW, ">29", None),
        (Boundary.BELOW, "~20", None),
    ],
)
def test_an_amount_that_is_only_known_to_lie_on_a_side(
    boundary: Boundary, said: str, expected: bool | None
) -> None:
    limit = Number("x.y", Decimal("30.0"), "days", boundary, "s", "p", date(2022, 1, 1))
    number = said.lstrip("<>=~")
    assert limit.met_by_bound(Decimal(number), said.removesuffix(number)) is expected


def test_ndc_forms() -> None:
    assert ndc11("0023-6011-60") == ndc11("00023-6011-60") == ndc11("00023601160") == "00023601160"
    assert ndc11(" 12345-678-90 ") == "12345067890"


def test_the_first_match_is_the_least_code() -> None:
    found = ValueSet("x", exact=frozenset({Code("A", "2"), Code("A", "1")}))
    assert found.match([Code("A", "3"), Code("A", "2"), Code("A", "1")]) == Code("A", "1")
    assert found.match([Code("A", "3")]) is None
    assert found.any_of(frozenset([Code("A", "3"), Code("A", "2")]))
    assert str(Code("A", "1")) == "A#1"
