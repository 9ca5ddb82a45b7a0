"""Spinal emergencies: what must be seen today."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.criteria import CRITICAL, Criterion
from cds_service.clinical.evidence import said
from cds_service.clinical.facts import Facts
from cds_service.clinical.red_flags import red_flags
from cds_service.clinical.rule import Known, declared, rule

WORDS = ("evidence",)


@rule(
    hooks=("patient-view", "order-select", "order-sign"),
    uses=(red_flags,),
    criteria=(
        declared("cauda-equina", worst=CRITICAL, words=WORDS),
        declared("acute-cord-deficit", worst=CRITICAL, words=WORDS),
        declared("spinal-infection", worst=CRITICAL, words=WORDS),
        declared("acute-spinal-fracture", worst=CRITICAL, words=WORDS),
        declared("postoperative-complication", worst=CRITICAL, words=WORDS),
    ),
)
def spine_emergency(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Sends a patient of any age with back pain and an emergency sign to emergency care.

    Cauda equina syndrome, a new cord deficit, spinal infection or strong signs of it, an acute
    fracture, or a complication of recent spine surgery (which needs no diagnosis of back pain). A
    sign on the active list without a date counts as new. While one is met, routine cards are
    silent. What could not be read is named.

    Source: cigna-lbp-guide, spine surgeon row; acp-imaging and hedis-lbp for the evidence.
    """
    flags = known.derived(red_flags)
    yield from said("cauda-equina", flags.cauda_equina, CRITICAL, flags.context)
    yield from said("acute-cord-deficit", flags.cord_deficit, CRITICAL, flags.context)
    yield from said("spinal-infection", flags.infection, CRITICAL, flags.context)
    yield from said("acute-spinal-fracture", flags.fracture, CRITICAL, flags.context)
    yield from said("postoperative-complication", flags.complication, CRITICAL, flags.context)
