"""First-line therapy for low back pain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cds_service.clinical.back_pain import adult_back_pain, back_pain
from cds_service.clinical.criteria import INFO, MET, UNKNOWN, Criterion
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.red_flags import red_flags
from cds_service.clinical.referrals import referrals
from cds_service.clinical.rule import Known, declared, rule
from cds_service.clinical.visits import visits


@rule(
    hooks=("patient-view",),
    applies=adult_back_pain,
    needs=(Need.CONDITIONS,),
    wants=(Need.PATIENT, Need.SERVICE_REQUESTS),
    uses=(back_pain, red_flags, referrals, visits),
    numbers=(
        "therapy.visit_days",
        "therapy.request_days",
        "therapy.reevaluation_day",
        "therapy.overdue_day",
    ),
    criteria=(
        declared(
            "first-line-therapy", worst=INFO, words=("days", "from_day", "by_day"), routine=True
        ),
    ),
)
def therapy_referral(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Offers physical or occupational therapy, chiropractic care or acupuncture to adults with low
    back pain.

    Silent with a therapy visit or an open therapy request of late, and with any red flag. Visits
    that could not be read do not hold it back; requests or an age that could not be read leave it
    unknown.

    Source: cigna-lbp-guide, therapy row; healthpartners-msc for therapy first.
    """
    attended = known.derived(visits).therapy(known.number("therapy.visit_days").days)
    asked = known.derived(referrals).therapy(known.number("therapy.request_days").days)
    if attended or asked or known.derived(red_flags).any_met:
        return
    pain = known.derived(back_pain)
    words = {
        "days": pain.days,
        "from_day": facts.as_of + timedelta(days=known.number("therapy.reevaluation_day").days),
        "by_day": facts.as_of + timedelta(days=known.number("therapy.overdue_day").days),
    }
    missing = known.derived(referrals).unknown + (
        (Need.PATIENT,) if facts.lacks(Need.PATIENT) else ()
    )
    if pain.adult is None or missing:
        yield Criterion("first-line-therapy", UNKNOWN, INFO, words, pain.references, missing)
    else:
        yield Criterion("first-line-therapy", MET, INFO, words, pain.references)
