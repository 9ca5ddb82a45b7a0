"""Which buttons the opioid cards offer, and which they leave out for what the chart says."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.cases import House
from tests.test_opioid_buttons import (
    DAY,
    FOUR_A_DAY,
    LORAZEPAM,
    RXNORM,
    coded,
    draft,
    ordered,
    suggestions,
)

DAYS = {"expectedSupplyDuration": {"value": 5, **DAY}}
EITHER, SEDATIVE = "Plan a taper with the patient", "Plan a taper of the sedative with the patient"
FOR_DISORDER = [coded("http://hl7.org/fhir/sid/icd-10-cm", "F11.20")]


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def order_of(code: str = "1049621", **members: Any) -> dict[str, Any]:
    """An order of four doses a day for five days, to be signed."""
    made = draft({"timing": {"repeat": FOUR_A_DAY}}, DAYS)
    return {**made, "medicationCodeableConcept": coded(RXNORM, code), **members}


@pytest.mark.parametrize(
    ("order", "taken", "offered"),
    [
        (order_of(), LORAZEPAM, EITHER),
        (order_of("1010604"), LORAZEPAM, SEDATIVE),  # a film for opioid use disorder only
        (order_of("864706", reasonCode=FOR_DISORDER), LORAZEPAM, SEDATIVE),  # methadone
        (order_of("864706"), LORAZEPAM, EITHER),
        (order_of(LORAZEPAM), "1010604", SEDATIVE),
    ],
)
def test_no_taper_of_a_treatment_for_opioid_use_disorder_is_offered(
    house: House, order: dict[str, Any], taken: str, offered: str
) -> None:
    found = suggestions(house, "order-sign", order, ordered(taken))
    assert {EITHER, SEDATIVE} & set(found) == {offered}


def test_another_opioid_beside_the_treatment_can_be_tapered(house: House) -> None:
    found = suggestions(house, "order-sign", order_of(), ordered("1010604"), ordered(LORAZEPAM))
    assert EITHER in found and SEDATIVE not in found
