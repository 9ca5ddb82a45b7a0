"""The cover that a request to the payer is made on."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.clinical.covers import covers
from cds_service.clinical.dates import on
from cds_service.clinical.facts import Coverage
from cds_service.clinical.rule import Asker, Call, Known
from cds_service.knowledge.model import Payer
from tests.changes import replace
from tests.clinical.spine_charts import chart, knowledge

ACME = Payer("acme", "Acme", names=("acme",), turns_on=frozenset({"a-step"}))
OTHER = Payer("other", "Other", names=("other",), turns_on=frozenset({"b-step", "a-step"}))
OWN = Coverage("Coverage/1", status="active", names=("Acme Gold",))
MAPPED = Coverage("Coverage/2", status="active", names=("Plan Seven",))
OTHERS = Coverage("Coverage/3", status="active", names=("Other",))


def found(*coverages: Coverage, payers: tuple[Payer, ...] = (ACME,)) -> dict[str, str]:
    facts = replace(chart(), coverages=coverages)
    call = Call(facts, knowledge(), payers)
    return Known(call, Asker("test", (covers,))).derived(covers)


@pytest.mark.parametrize(
    ("coverages", "expected"),
    [
        ((OWN,), {"a-step": "Coverage/1"}),
        ((OWN, MAPPED), {"a-step": "Coverage/1"}),
        ((MAPPED,), {"a-step": "Coverage/2"}),
        ((OWN, OWN), {"a-step": "Coverage/1"}),  # one that was sent twice is one
        ((OWN, replace(OWN, ref="Coverage/9")), {}),
        ((MAPPED, replace(MAPPED, ref="Coverage/9")), {}),
        ((replace(OWN, status="cancelled"),), {}),
        ((replace(OWN, ends=on(date(2020, 1, 1))),), {}),
        ((replace(OWN, ref="Coverage"),), {}),
        ((), {}),
    ],
)
def test_the_payers_own_active_cover(
    coverages: tuple[Coverage, ...], expected: dict[str, str]
) -> None:
    assert found(*coverages) == expected


def test_the_first_payer_that_turns_a_criterion_on_is_asked() -> None:
    assert found(OTHERS, OWN, payers=(ACME, OTHER)) == {
        "a-step": "Coverage/1",
        "b-step": "Coverage/3",
    }
    assert found(OTHERS, payers=(ACME, OTHER)) == {"a-step": "Coverage/3", "b-step": "Coverage/3"}
