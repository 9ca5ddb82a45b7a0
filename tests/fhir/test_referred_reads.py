"""Products that orders refer to and the call does not bring along."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.facts import Need
from cds_service.fhir.prefetch import Came
from tests.fhir.calls import OXYCODONE, Call, Server, bundle, order, read


def referring(name: str, **members: Any) -> dict[str, Any]:
    """An order of a product that the call does not bring along."""
    named = {"reference": f"Medication/{name}"}
    return order(name, medicationCodeableConcept=None, medicationReference=named, **members)


def test_products_that_nothing_brings_along_are_read_those_of_orders_that_are_over_last() -> None:
    """Twenty at most; an order whose product stays unknown may be the drug that is looked for."""
    over = [referring(f"o{n}", status="completed") for n in range(18)]
    live = [referring(f"m{n}") for n in range(4)]
    server = Server(
        {
            f"Medication/{kind}{n}": {"resourceType": "Medication", "code": OXYCODONE}
            for kind in "om"
            for n in range(18)
        }
    )
    reading = read(Call({"medicationRequests": bundle(*over, *live)}), [Need.MEDICATIONS], server)
    assert sum(o.opioid for o in reading.facts.orders) == 20
    assert server.asked == [f"Medication/{name}" for name in ("m0", "m1", "m2", "m3")] + [
        f"Medication/o{n}" for n in range(16)
    ]
    assert {u.ref for u in reading.facts.unread} == {
        "MedicationRequest/o16",
        "MedicationRequest/o17",
    }
    assert reading.came[Need.MEDICATIONS] == Came("prefetch")


@pytest.mark.parametrize("of_one_type", [True, False])
@pytest.mark.parametrize(
    ("status", "why"), [("active", "a medication could not be read"), ("stopped", "")]
)
def test_an_order_of_nobody_knows_what_leaves_the_list_unknown_unless_it_is_over(
    status: str, why: str, of_one_type: bool
) -> None:
    beside = [] if of_one_type else [{"resourceType": "Practitioner"}]
    found = bundle(order(), referring("none", status=status), *beside)
    reading = read(Call({"medicationRequests": found}), [Need.MEDICATIONS], Server({}))
    assert reading.came[Need.MEDICATIONS] == Came("prefetch", why)
    assert sum(o.opioid for o in reading.facts.orders) == 1


@pytest.mark.parametrize("of_one_type", [True, False])
@pytest.mark.parametrize("reference", [{"reference": "Medication/m"}, "Medication/m"])
def test_a_product_that_is_referred_to_as_in_r5_is_read(reference: Any, of_one_type: bool) -> None:
    beside = [] if of_one_type else [{"resourceType": "Practitioner"}]
    named = order(medicationCodeableConcept=None, medication={"reference": reference})
    server = Server({"Medication/m": {"resourceType": "Medication", "code": OXYCODONE}})
    call = Call({"medicationRequests": bundle(named, *beside)})
    (found,) = read(call, [Need.MEDICATIONS], server).facts.orders
    assert (found.opioid, server.asked) == (True, ["Medication/m"])
