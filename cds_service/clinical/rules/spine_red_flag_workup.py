"""Red flags that ask for imaging and laboratory tests within days."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.criteria import WARNING, Criterion
from cds_service.clinical.evidence import said
from cds_service.clinical.facts import Facts
from cds_service.clinical.red_flags import red_flags
from cds_service.clinical.rule import Known, declared, rule

WORDS = ("evidence",)


@rule(
    hooks=("patient-view", "order-select", "order-sign"),
    uses=(red_flags,),
    criteria=(
        declared("possible-spinal-infection", worst=WARNING, words=WORDS),
        declared("possible-spinal-malignancy", worst=WARNING, words=WORDS),
        declared("possible-vertebral-fracture", worst=WARNING, words=WORDS),
    ),
)
def spine_red_flag_workup(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Asks for a work-up within days when back pain comes with signs of infection, tumour or
    fracture.

    Fever alone, or a raised marker with a risk of infection; cancer at any time, or weight loss
    past the age; a recent fracture, major injury or fragility fracture, or a small fall in a frail
    patient. Each is silent where the matching emergency speaks. Absent readings are never taken as
    normal.

    Source: cigna-lbp-guide, spine surgeon row; acp-imaging and hedis-lbp for the evidence.
    """
    flags = known.derived(red_flags)
    yield from said("possible-spinal-infection", flags.possible_infection, WARNING, flags.context)
    yield from said("possible-spinal-malignancy", flags.malignancy, WARNING, flags.context)
    yield from said("possible-vertebral-fracture", flags.possible_fracture, WARNING, flags.context)
