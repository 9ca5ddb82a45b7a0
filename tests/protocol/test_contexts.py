"""Each hook has its own context, and its own users."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.errors import BadRequest
from cds_service.protocol.messages import read_request
from tests.protocol.hook_requests import OXYCODONE, body, order_sign, patient_view
from tests.protocol.test_messages import SERVER, context


@pytest.mark.parametrize(
    ("hook", "members", "named"),
    [
        ("order-select", {"selections": "x"}, "context.selections: must be an array"),
        ("order-select", {"draftOrders": "text"}, "context.draftOrders: must be an object"),
        ("order-sign", {"draftOrders": [1]}, "context.draftOrders: must be an object"),
    ],
)
def test_members_of_a_context_are_read_on_the_hooks_that_have_them(
    hook: str, members: dict[str, Any], named: str
) -> None:
    with pytest.raises(BadRequest, match=named):
        read_request(body(patient_view(hook=hook, context=context(**members))))
    read = read_request(body(patient_view(context=context(**members))))
    assert (read.draft_orders, read.selections) == (None, None)


def test_an_order_in_the_context_of_another_hook_is_not_read() -> None:
    drafts = order_sign(OXYCODONE)["context"]["draftOrders"]
    assert (
        read_request(body(patient_view(context=context(draftOrders=drafts)))).draft_orders is None
    )


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("Practitioner/1", False),
        ("PractitionerRole/Patient", False),
        ("Patient/1", True),
        ("RelatedPerson/1", True),
        (f"{SERVER}/Patient/1/_history/2", True),
    ],
)
def test_a_patient_or_someone_close_to_them_gets_no_advice(user: str, said: bool) -> None:
    for sent in (
        patient_view(context=context(userId=user)),
        order_sign(OXYCODONE) | {"context": order_sign(OXYCODONE)["context"] | {"userId": user}},
    ):
        assert bool(read_request(body(sent)).unadvised) is said


def test_order_hooks_without_their_orders_are_stripped() -> None:
    read = read_request(body(order_sign(context=context())))
    assert read.stripped
    assert read.unadvised == "order hook without draftOrders"
    assert not read_request(body(patient_view())).stripped
