"""What the session holds beside the orders asked about, and what waits unsigned, is not offered again."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.cases import Call, House, Road
from cds_service.cases.roads import faults, met
from tests.test_opioid_buttons import (
    AS_OF,
    DAY,
    DISORDER,
    FOUR_A_DAY,
    LORAZEPAM,
    PATIENT,
    SPRAY,
    draft,
    ordered,
)

OPIOID = draft({"timing": {"repeat": FOUR_A_DAY}}, {"expectedSupplyDuration": {"value": 30, **DAY}})
NALOXONE = "Order naloxone nasal spray"
THERAPY = "Refer to physical therapy"
NAPROXEN = "Draft naproxen 500 mg (check contraindications)"
TAPER = "Plan a taper with the patient"


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def asked(
    house: House, hook: str, *chart: dict[str, Any], session: tuple[dict[str, Any], ...] = ()
) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """The buttons and the criteria met; on the order hooks of the opioid, which alone is selected,
    with what else the session holds.
    """
    context: dict[str, Any] = {"userId": "Practitioner/dr", "patientId": "p1"}
    if hook != "patient-view":
        entry = [{"resource": each} for each in (OPIOID, *session)]
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entry}
        context["selections"] = ["MedicationRequest/d1"]
    call = Call("opioid-safety", hook, AS_OF, "session", context, (PATIENT, *chart))
    answer = house.ask(call, Road.PREFETCH)
    assert not faults(answer, call)
    offered = {
        suggestion["label"]: suggestion["actions"][0]["resource"]
        for card in answer.body["cards"]
        for suggestion in card.get("suggestions", ())
    }
    return offered, set(met(answer))


@pytest.mark.parametrize("label", [NALOXONE, THERAPY, NAPROXEN])
def test_what_was_accepted_is_not_selected_and_not_offered_again(house: House, label: str) -> None:
    """Only the selected orders count; what stands beside them is no news to the prescriber."""
    offered, before = asked(house, "order-select")
    accepted = {**offered[label], "id": "accepted"}
    again, after = asked(house, "order-select", session=(accepted,))
    assert label not in again
    assert after == before


@pytest.mark.parametrize(("status", "there"), [("draft", True), ("cancelled", False)])
def test_a_task_of_the_session_is_not_offered_again(house: House, status: str, there: bool) -> None:
    chart = ordered(LORAZEPAM)
    offered, _ = asked(house, "order-sign", chart)
    task = {**offered[TAPER], "id": "accepted", "status": status}
    again, _ = asked(house, "order-sign", chart, session=(task,))
    assert (TAPER not in again) is there


@pytest.mark.parametrize(
    ("said", "there"),
    [
        ({"authoredOn": "2026-02-28"}, True),
        ({"authoredOn": "2026-02-10"}, False),
        ({}, False),
        ({"authoredOn": "2026-02-28", "status": "cancelled"}, False),
    ],
)
def test_an_unsigned_prescription_is_not_offered_again(
    house: House, said: dict[str, str], there: bool
) -> None:
    offered, before = asked(house, "patient-view", DISORDER)
    assert NALOXONE in offered
    waits = {k: v for k, v in ordered(SPRAY).items() if k != "authoredOn"}
    again, after = asked(house, "patient-view", DISORDER, {**waits, "status": "draft", **said})
    assert (NALOXONE not in again) is there
    assert after == before
