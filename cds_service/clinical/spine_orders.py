"""The spine orders being signed: what each draft asks for, and whether it is for the back. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from cds_service.clinical.facts import Condition, Facts, Need, Request
from cds_service.clinical.problems import CONTEXT
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen
from cds_service.knowledge.codes import Code

LUMBAR_IMAGING = ("imaging-lumbar-mri", "imaging-lumbar-ct", "imaging-lumbar-xray")
ADVANCED_IMAGING = ("imaging-lumbar-mri", "imaging-lumbar-ct")
THERAPY_SERVICES = ("pt-visit", "ot-visit")
THERAPY_REFERRALS = ("pt-order", "ot-order")
BILLED = ("CPT", "HCPCS")  # systems whose codes name a service that is done, not a referral


class SpineOrders(Frozen):
    """Drafts by what they ask for. `imaging` is lumbar, or of an unnamed region for back pain; a
    therapy `plan` names services or a number of visits, a plain referral is none.
    """

    lumbar_injections: tuple[Request, ...] = ()
    other_injections: tuple[Request, ...] = ()  # cervical or thoracic
    imaging: tuple[Request, ...] = ()
    advanced_imaging: tuple[Request, ...] = ()
    surgeon: tuple[Request, ...] = ()
    therapy_plans: tuple[Request, ...] = ()
    equipment: tuple[Request, ...] = ()
    for_back: frozenset[str] = frozenset()  # drafts whose reason is back pain
    without_reason: frozenset[str] = frozenset()

    @property
    def injections(self) -> tuple[Request, ...]:
        """Epidural injections of every region, the lumbar and sacral ones first."""
        return (*self.lumbar_injections, *self.other_injections)


@reasoning(
    wants=(Need.CONDITIONS,),
    codes=(
        "esi-lumbar-sacral",
        "esi-cervical-thoracic",
        "imaging-spine-unspecified",
        *LUMBAR_IMAGING,
        "spine-surgeon-consult-order",
        *THERAPY_SERVICES,
        *THERAPY_REFERRALS,
        "dme",
        *CONTEXT,
    ),
)
def spine_orders(facts: Facts, known: Known) -> SpineOrders:
    """Drafts told apart by CPT, HCPCS, LOINC or SNOMED CT code, surgeons and therapists
    also by specialty.
    """
    drafts = tuple(r for r in (*facts.requests, *facts.devices) if r.draft)
    for_back = frozenset(r.ref for r in drafts if _for_back(r, facts, known))

    def of(*names: str) -> tuple[Request, ...]:
        return tuple(r for r in drafts if any(known.codes(name).any_of(asked(r)) for name in names))

    unspecified = tuple(r for r in of("imaging-spine-unspecified") if r.ref in for_back)
    lumbar = of(*LUMBAR_IMAGING)
    return SpineOrders(
        lumbar_injections=of("esi-lumbar-sacral"),
        other_injections=of("esi-cervical-thoracic"),
        imaging=(*lumbar, *(r for r in unspecified if r not in lumbar)),
        advanced_imaging=of(*ADVANCED_IMAGING),
        surgeon=of("spine-surgeon-consult-order"),
        therapy_plans=tuple(r for r in drafts if _is_plan(r, known)),
        equipment=of("dme"),
        for_back=for_back,
        without_reason=frozenset(r.ref for r in drafts if not gives_reason(r, facts)),
    )


def asked(request: Request) -> frozenset[Code]:
    """What a request asks for: its codes, and the specialty that is to do it."""
    return request.codes | {code for code in request.performer_types if code.system == "NUCC"}


def visits_asked(request: Request) -> Decimal | None:
    """How many visits a request asks for, as a quantity or as a rhythm for some time."""
    return request.times if request.quantity is None else request.quantity.value


def named_conditions(request: Request, facts: Facts) -> tuple[Condition, ...]:
    """The conditions of the chart that a request gives as its reason."""
    return tuple(c for c in facts.conditions if c.ref in request.reason_refs)


def reasons_of(request: Request, facts: Facts) -> frozenset[Code]:
    """The codes of a request's reasons, those of the conditions it refers to included."""
    return request.reasons.union(*(c.codes for c in named_conditions(request, facts)))


def gives_reason(request: Request, facts: Facts) -> bool:
    """Whether a request says in codes what it is for; a report, or a condition that is not on file,
    does not.
    """
    unread = bool(request.reason_refs) and facts.lacks(Need.CONDITIONS)
    return unread or bool(reasons_of(request, facts))


def planned_day(requests: Iterable[Request], as_of: date) -> date:
    """The earliest day on which one of the requests is to happen: today unless it is deferred."""
    days = [max(r.occurs.first, as_of) if r.occurs else as_of for r in requests]
    return min(days, default=as_of)


def _for_back(request: Request, facts: Facts, known: Known) -> bool:
    reasons = reasons_of(request, facts)
    return any(known.codes(name).any_of(reasons) for name in CONTEXT)


def _is_plan(request: Request, known: Known) -> bool:
    """Services by CPT or HCPCS, or a request to a therapist with a number of visits."""
    services = (
        code for name in THERAPY_SERVICES for code in request.codes if code in known.codes(name)
    )
    if any(code.system in BILLED for code in services):
        return True
    referred = any(
        known.codes(name).any_of(asked(request)) for name in (*THERAPY_SERVICES, *THERAPY_REFERRALS)
    )
    return referred and visits_asked(request) is not None
