"""Which service speaks which cards on which hook: the one table. Pure."""

from __future__ import annotations

from dataclasses import dataclass

PATIENT_VIEW, ORDER_SELECT, ORDER_SIGN = "patient-view", "order-select", "order-sign"
ORDER_HOOKS = (ORDER_SELECT, ORDER_SIGN)


@dataclass(frozen=True, slots=True)
class Service:
    """One CDS service: `cards` by hook in order of evaluation, `folding` the card of info
    findings.
    """

    id: str
    title: str
    description: str
    usage: str
    folding: str
    cards: dict[str, tuple[str, ...]]

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks it answers."""
        return tuple(self.cards)


_SPINE_ORDER_CARDS = (
    "spine-emergency",
    "spine-red-flag-workup",
    "spine-surgeon-referral",
    "medical-spine-center",
    "esi-decision-support",
    "lumbar-imaging",
    "therapy-medical-necessity-review",
)
_OPIOID_ORDER_CARDS = (
    "opioid-dose",
    "opioid-with-sedative",
    "opioid-nonopioid-first",
    "opioid-long-acting-start",
    "opioid-supply-length",
    "opioid-follow-up",
    "naloxone-offer",
    "pdmp-review",
    "toxicology-test",
    "opioid-use-disorder-treatment",
    "pain-specialist-referral",
)
SERVICES: tuple[Service, ...] = (
    Service(
        id="low-back-pain",
        title="Low back pain pathway",
        description="Red flags, therapy, referrals, behavioral health and programs for low back pain.",
        usage="Works from prefetch alone or from the FHIR server; without conditions it can evaluate little.",
        folding="care-pathway",
        cards={
            PATIENT_VIEW: (
                "spine-emergency",
                "suicide-risk",
                "spine-red-flag-workup",
                "spine-surgeon-referral",
                "pain-specialist-referral",
                "therapy-referral",
                "therapy-reevaluation",
                "specialist-evaluation",
                "behavioral-health-referral",
                "screening-due",
                "care-programs",
                "therapy-medical-necessity-review",
                "medical-spine-center",
            )
        },
    ),
    Service(
        id="spine-orders",
        title="Spine orders",
        description="Red flags and payer requirements for spine referrals, injections, imaging and therapy.",
        usage="Wire order-select together with order-sign, so that stale advice is replaced.",
        folding="spine-order-notes",
        cards=dict.fromkeys(ORDER_HOOKS, _SPINE_ORDER_CARDS),
    ),
    Service(
        id="opioid-safety",
        title="Opioid safety",
        description="Morphine milligram equivalents, opioid course and the CDC 2022 recommendations.",
        usage="Wire order-select together with order-sign, so that stale advice is replaced.",
        folding="opioid-checklist",
        cards={
            PATIENT_VIEW: (
                "opioid-with-sedative",
                "toxicology-test",
                "opioid-use-disorder-treatment",
            ),
            ORDER_SELECT: _OPIOID_ORDER_CARDS,
            ORDER_SIGN: _OPIOID_ORDER_CARDS,
        },
    ),
)


def service(service_id: str) -> Service | None:
    """The service of that id, or None."""
    return next((s for s in SERVICES if s.id == service_id), None)
