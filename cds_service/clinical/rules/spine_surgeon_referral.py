"""When the spine surgeon should see the patient, short of an emergency."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.criteria import WARNING, Criterion
from cds_service.clinical.evidence import said
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.medications import medications
from cds_service.clinical.mme import daily_mme
from cds_service.clinical.red_flags import red_flags
from cds_service.clinical.rule import Known, declared, rule
from cds_service.clinical.surgery import surgery


@rule(
    hooks=("patient-view", "order-select", "order-sign"),
    wants=(Need.MEDICATIONS,),
    uses=(daily_mme, medications, red_flags, surgery),
    criteria=(
        declared("postoperative-pain", worst=WARNING, words=("evidence", "days", "opioids", "mme")),
        declared("ongoing-neurological-deficit", worst=WARNING, words=("evidence",)),
    ),
)
def spine_surgeon_referral(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Refers pain within six weeks of spine surgery, and a lasting neurological deficit, to the
    spine surgeon.

    Silent where an emergency of the same kind speaks. Opioids are shown with pain after surgery,
    not required. A deficit that began well before the back pain is left alone.

    Source: cigna-lbp-guide, spine surgeon row.
    """
    flags = known.derived(red_flags)
    opioids = tuple(order.text for order in known.derived(medications).active_opioids if order.text)
    yield from said(
        "postoperative-pain",
        flags.postoperative_pain,
        WARNING,
        flags.context,
        days=known.derived(surgery).days,
        opioids=opioids,
        mme=known.derived(daily_mme),
    )
    yield from said("ongoing-neurological-deficit", flags.lasting_deficit, WARNING, flags.context)
