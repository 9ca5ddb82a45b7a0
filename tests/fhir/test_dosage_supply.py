"""Quantity and days' supply: how long a fill lasts, and the dose they give where no
instruction does.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from cds_service.clinical.facts import Sig
from cds_service.fhir.r4_dosage import Quantity
from cds_service.fhir.supply import supply_days
from cds_service.knowledge.drugs.model import Component, Drug
from tests.changes import replace
from tests.clinical.prescriptions import decoded
from tests.fhir.instructions import INGREDIENT, LIQUID, PATCH, TABLET, only, sig, tablets

SPRAY = Drug(
    "3", "butorphanol", "SCD", (Component("butorphanol", "1841", Decimal(1), "mg/{actuat}"),)
)
DIAZEPAM = Drug("4", "diazepam", "SCD", (Component("diazepam", "3322", Decimal(5), "mg"),))


def test_quantity_and_supply_are_the_last_resort() -> None:
    counted = only(sig(quantity={"value": 120, "unit": "TAB"}, days=30))
    assert (counted.amount, counted.per_day) == (1, 4)
    assert only(sig({"text": "as directed"}, quantity={"value": 90}, days=30)).per_day == 3
    assert only(sig(quantity={"value": 300, "unit": "mL"}, days=30, drug=LIQUID)).amount == 10
    assert sig(quantity={"value": 300}, days=30, drug=LIQUID).unread
    assert sig(quantity={"value": 1, "unit": "bottle"}, days=30).unread
    assert sig(quantity={"value": 120, "unit": "TAB"}).unread == "no dosage instruction"
    assert sig(quantity={"value": 120, "unit": "TAB"}, days=30).basis == "supply"
    patches = only(sig(quantity={"value": 10, "unit": "patch"}, days=30, drug=PATCH))
    assert (patches.amount, patches.per_day) == (1, Fraction(1, 3))


def test_a_supply_is_a_bound_where_words_were_not_read() -> None:
    """Thirty tablets for ten days may be two every four hours on the first of them."""
    supply: Any = {"quantity": {"value": 30, "unit": "tablet"}, "days": 10}
    assert sig({"text": "1-2 tablets every 4 hours alternating with tylenol"}, **supply).partly
    for text in ("as directed", "every 6 hours as needed", "at bedtime"):
        assert sig({"text": text}, **supply).partly is None, text
    assert sig(tablets(event=["2026-03-01"]), **supply).partly is None


def days(
    expected: Any = None, quantity: Any = None, found: Sig | None = None, drug: Drug = TABLET
) -> Fraction | None:
    """The supply length of one fill."""
    found = found or sig(
        tablets(2, frequency=3, period=1, periodUnit="d", boundsDuration={"value": 9, "unit": "d"})
    )
    return supply_days(
        decoded(expected, Quantity) if expected else None,
        decoded(quantity, Quantity) if quantity else None,
        found,
        drug,
    )


def test_supply_length() -> None:
    assert days({"value": 30, "unit": "days", "code": "d"}, {"value": 12, "unit": "tablet"}) == 30
    assert days({"value": 1, "unit": "Day", "code": "d"}) == 1
    assert days({"value": 720, "code": "h"}) == 30
    assert days({"value": 671, "code": "h"}) == Fraction(671, 24)
    assert days({"value": 0, "code": "d"}, {"value": 60, "unit": "tablet"}) == 10
    assert days(None, {"value": 61, "unit": "tablet"}) == Fraction(61, 6)
    assert days(None, {"value": 60}) == 10
    assert days(None, {"value": 1, "unit": "box"}) == 9
    assert days() == 9
    assert days(found=Sig(unread="x")) is None


def test_supply_length_across_units() -> None:
    in_mg = tablets(frequency=4, period=1, periodUnit="d")
    in_mg["doseAndRate"] = [{"doseQuantity": {"value": 5, "unit": "mg"}}]
    assert days(None, {"value": 60, "unit": "tablet"}, sig(in_mg)) == 30
    assert days(None, {"value": 600, "unit": "mL"}, sig(in_mg, drug=LIQUID), LIQUID) == 30
    assert (
        days(None, {"value": 60, "unit": "tablet"}, sig(in_mg, drug=INGREDIENT), INGREDIENT) is None
    )
    patch = sig({"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "patch"}}]}, drug=PATCH)
    assert days(None, {"value": 10, "unit": "patch"}, patch, PATCH) == 30


def test_a_daily_maximum_makes_a_fill_last_longer_whatever_its_unit() -> None:
    handed_out = {"value": 28, "unit": "tablet"}
    a_day = {"value": 1, "unit": "d"}
    often = tablets(frequency=6, period=1, periodUnit="d")
    by_mass = often | {"doseAndRate": [{"doseQuantity": {"value": 10, "unit": "mg"}}]}
    for told in (often, by_mass):
        assert days(None, handed_out, sig(told)) == Fraction(14, 3)
        for most in ({"value": 4, "unit": "tablet"}, {"value": 40, "unit": "mg"}):
            capped = told | {"maxDosePerPeriod": {"numerator": most, "denominator": a_day}}
            assert days(None, handed_out, sig(capped)) == 7
    said = sig({"text": "1 tablet every 4 hours as needed. Max Daily Amount: 40 mg"})
    assert days(None, handed_out, said) == 7
    # A maximum in mg of a combination may be that of its other ingredient, and one in mL of a tablet
    # says nothing.
    both = replace(TABLET, components=(*TABLET.components, Component("acetaminophen", "161")))
    capped = often | {
        "maxDosePerPeriod": {"numerator": {"value": 40, "unit": "mg"}, "denominator": a_day}
    }
    assert days(None, handed_out, sig(capped, drug=both), both) == Fraction(14, 3)
    assert days(None, handed_out, sig(capped | by_mass, drug=both), both) == 7
    capped = often | {
        "maxDosePerPeriod": {"numerator": {"value": 40, "unit": "mL"}, "denominator": a_day}
    }
    assert days(None, handed_out, sig(capped)) == Fraction(14, 3)


def test_patches_dosed_by_their_rate_are_worn_one_after_another() -> None:
    rate = {"doseAndRate": [{"rateQuantity": {"value": 50, "unit": "ug/h"}}]}
    patches = {"value": 10, "unit": "patch"}
    assert days(None, patches, sig(rate, drug=PATCH), PATCH) == 15
    assert days(None, patches, sig(rate, drug=INGREDIENT), INGREDIENT) is None


def test_the_lengths_of_steps_are_added() -> None:
    said = sig({"text": "2 tablets daily for 3 days then 1 tablet daily for 4 days"})
    assert days(None, {"value": 10, "unit": "tablet"}, said) == 7


def test_a_part_of_the_instructions_says_nothing_of_how_long_a_fill_lasts() -> None:
    known = tablets(frequency=4, period=1, periodUnit="d")
    told = sig(known, {"text": "and as told"})
    assert days(quantity={"value": 120, "unit": "tablet"}, found=sig(known)) == 30
    assert days(quantity={"value": 120, "unit": "tablet"}, found=told) is None
    assert days(expected={"value": 28, "unit": "d"}, found=told) == 28


def test_supplies_of_no_use() -> None:
    assert sig(quantity={"value": 9000, "unit": "tablet"}, days=30).unread
    assert sig(quantity={"value": 0, "unit": "tablet"}, days=30).unread
    assert days(None, {"value": 30000, "unit": "tablet"}) == 9
    taken = sig(tablets(frequency=1, period=1, periodUnit="d"), drug=None)
    assert supply_days(None, decoded({"value": 300, "unit": "mL"}, Quantity), taken, None) is None
    in_mg = tablets(frequency=4, period=1, periodUnit="d")
    in_mg["doseAndRate"] = [{"doseQuantity": {"value": 5, "unit": "mg"}}]
    unknown = sig(in_mg, drug=None)
    assert (
        supply_days(None, decoded({"value": 30, "unit": "tablet"}, Quantity), unknown, None) is None
    )


def test_a_patch_is_worn_as_long_as_its_name_says() -> None:
    weekly = replace(PATCH, name="168 HR fentanyl 0.025 MG/HR")
    unnamed = replace(PATCH, name="fentanyl 0.025 MG/HR")
    four = {"quantity": {"value": 4, "unit": "patch"}, "days": 28}
    assert only(sig(drug=weekly, **four)).per_day == Fraction(1, 7)
    assert (only(sig(drug=weekly, **four)).amount, only(sig(drug=weekly, **four)).daily) == (
        1,
        Fraction(1, 7),
    )
    assert only(sig({"text": "apply 1 patch"}, drug=weekly)).per_day == Fraction(1, 7)
    for drug in (unnamed, None):
        assert only(sig({"text": "apply 1 patch"}, drug=drug)).per_day == Fraction(1, 3)
    # Twenty for thirty days: two at a time, whatever they are called.
    for handed_out in ({"value": 20, "unit": "patch"}, {"value": 20}):
        two = only(sig(quantity=handed_out, days=30, drug=PATCH))
        assert (two.amount, two.per_day) == (2, Fraction(1, 3))


@pytest.mark.parametrize(
    ("quantity", "days", "drug", "daily", "unit", "word"),
    [
        ({"value": 1, "unit": "tablet"}, 1, TABLET, 1, "unit", "tablet"),
        ({"value": 120, "unit": "TAB"}, 30, None, 4, "unit", "tablet"),
        ({"value": 10, "unit": "patch"}, 30, PATCH, Fraction(1, 3), "unit", "patch"),
        ({"value": 300, "unit": "mL"}, 30, PATCH, 10, "mL", ""),
        ({"value": 2880, "unit": "tablet"}, 30, TABLET, 96, "unit", "tablet"),
        ({"value": 3000, "unit": "mL"}, 30, LIQUID, 100, "mL", ""),
        ({"value": "0.3", "unit": "L"}, 30, LIQUID, 10, "mL", ""),
        ({"value": "0.6", "unit": "g"}, 30, INGREDIENT, 20, "mg", ""),
        ({"value": 600, "unit": "ug"}, 30, INGREDIENT, 20, "mcg", ""),
        ({"value": 90}, 30, SPRAY, 3, "unit", ""),
        ({"value": 90}, 30, DIAZEPAM, 3, "unit", ""),
    ],
)
def test_what_was_handed_out_for_so_many_days(
    quantity: Any, days: int, drug: Drug | None, daily: Any, unit: str, word: str
) -> None:
    found = only(sig(quantity=quantity, days=days, drug=drug))
    assert (found.daily, found.unit, found.unit_text) == (daily, unit, word)


def test_a_quantity_without_a_unit_counts_nothing_where_the_product_has_no_parts() -> None:
    for drug in (None, replace(TABLET, components=()), INGREDIENT):
        assert sig(quantity={"value": 120}, days=30, drug=drug).unread


def test_the_step_that_uses_most_says_how_long_a_fill_lasts_at_least() -> None:
    def step(number: int, times: int, unit: str = "tablet") -> dict[str, Any]:
        told = tablets(frequency=times, period=1, periodUnit="d")
        dose = [{"doseQuantity": {"value": 1, "unit": unit}}]
        return {**told, "doseAndRate": dose, "sequence": number}

    handed_out = {"value": 120, "unit": "tablet"}
    assert days(None, handed_out, sig(step(1, 2), step(2, 4))) == 30
    assert days(None, handed_out, sig(step(1, 4), step(2, 2))) == 30
    assert days(None, handed_out, sig(step(1, 4), step(2, 2, "mL"))) is None
    # What could be read of three steps uses six a day in one of them, more than sixty for thirty days.
    told = sig(
        step(1, 6),
        step(2, 1),
        {"sequence": 3, "text": "as told"},
        quantity={"value": 60, "unit": "tablet"},
        days=30,
    )
    assert max(dose.daily for each in told.steps for dose in each) == 6


def test_a_fill_of_nothing_lasts_as_long_as_the_instruction() -> None:
    for number in (0, -12):
        assert days(None, {"value": number, "unit": "tablet"}) == 9
    assert days(None, {"value": 1, "unit": "tablet"}) == Fraction(1, 6)
    assert days(None, {"value": 60, "unit": "tablet"}, Sig(unread="x")) is None


def test_a_dose_in_mass_is_counted_by_a_strength_of_the_same_kind() -> None:
    def daily(value: int, unit: str) -> dict[str, Any]:
        told = tablets(frequency=2, period=1, periodUnit="d")
        return {**told, "doseAndRate": [{"doseQuantity": {"value": value, "unit": unit}}]}

    sixty = {"value": 60, "unit": "tablet"}
    # 5000 mcg and 5 mg of a 10 mg tablet are half of one, twice a day one.
    for told in (daily(5000, "ug"), daily(5, "mg")):
        assert days(None, sixty, sig(told)) == 60
    assert days(None, sixty, sig(daily(5, "mg"), drug=DIAZEPAM), DIAZEPAM) == 30
    assert days(None, {"value": 60, "unit": "mL"}, sig(daily(5, "mg"))) is None
    gram = {"value": 1, "unit": "g"}
    assert days(None, gram, sig(daily(5000, "ug"), drug=LIQUID), LIQUID) == 100
    assert days(None, gram, sig(tablets(frequency=2, period=1, periodUnit="d"))) == 50
    naproxen = (Component("naproxen", "7258", Decimal(500), "mg"),)
    two = replace(DIAZEPAM, components=(*DIAZEPAM.components, *naproxen))
    assert days(None, sixty, sig(daily(5, "mg"), drug=two), two) is None


def test_a_maximum_in_what_is_counted_limits_a_dose_in_milligrams() -> None:
    def capped(most: dict[str, Any]) -> dict[str, Any]:
        often = tablets(frequency=6, period=1, periodUnit="d")
        return {
            **often,
            "doseAndRate": [{"doseQuantity": {"value": 10, "unit": "mg"}}],
            "maxDosePerPeriod": {"numerator": most, "denominator": {"value": 1, "unit": "d"}},
        }

    both = replace(TABLET, components=(*TABLET.components, Component("acetaminophen", "161")))
    told = sig(capped({"value": 4, "unit": "tablet"}), drug=both)
    assert days(None, {"value": 28, "unit": "tablet"}, told, both) == 7
    syrup = replace(LIQUID, components=(*LIQUID.components, Component("acetaminophen", "161")))
    told = sig(capped({"value": 40, "unit": "mL"}), drug=syrup)
    assert days(None, {"value": 280, "unit": "mL"}, told, syrup) == 7
