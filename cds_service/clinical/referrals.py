"""Open requests by kind: what has been ordered and not yet done. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from cds_service.clinical.facts import Facts, Need, Request
from cds_service.clinical.rule import Known, reasoning
from cds_service.clinical.visits import THERAPIES
from cds_service.frozen import Frozen, field

KINDS: Mapping[str, tuple[str, ...]] = {
    "pt": ("pt-order", "pt-visit"),
    "ot": ("ot-order", "ot-visit"),
    "chiropractic": ("chiropractic-order", "chiropractic-visit"),
    "acupuncture": ("acupuncture-order", "acupuncture-visit"),
    "pain": ("pain-specialist-consult",),
    "medical_spine": ("medical-spine-consult",),
    "behavioral": ("behavioral-health-referral", "behavioral-health-visit"),
    "sud": ("sud-treatment-referral",),
    "rheumatology": ("rheumatology-consult",),
    "surgeon": ("spine-surgeon-consult-order",),
    "emergency": ("emergency-referral",),
}


class Referrals(Frozen):
    """Open requests by kind, and those `done`; `unknown` is set when service requests could not be
    read.
    """

    as_of: date
    by_kind: Mapping[str, tuple[Request, ...]] = field(default_factory=dict)
    done: Mapping[str, tuple[Request, ...]] = field(default_factory=dict)
    unknown: tuple[Need, ...] = ()

    def open(self, kind: str, most_days: int | None = None) -> tuple[Request, ...]:
        """Open requests of a kind, at most `most_days` old; a draft and an undated request
        are of today.
        """
        return self.open_any((kind,), most_days)

    def open_any(self, kinds: tuple[str, ...], most_days: int | None = None) -> tuple[Request, ...]:
        """Open requests of any of `kinds`, each once, as `open`."""
        found = {request.ref: request for kind in kinds for request in self.by_kind[kind]}
        return tuple(
            r for _, r in sorted(found.items()) if most_days is None or self._age(r) <= most_days
        )

    def since(self, kinds: tuple[str, ...], day: date) -> bool:
        """Whether a request of any of `kinds` was made on or after `day`, open or done by now.

        An open one without a date is of today; a done one says nothing without its date.
        """
        if any(r.draft or r.when is None or r.when.last >= day for r in self.open_any(kinds)):
            return True
        done = (r.when for kind in kinds for r in self.done[kind])
        return any(w is not None and day <= w.last and w.first <= self.as_of for w in done)

    def therapy(self, most_days: int | None = None) -> tuple[Request, ...]:
        """Open requests for physical, occupational, chiropractic or acupuncture therapy."""
        return self.open_any(THERAPIES, most_days)

    def _age(self, request: Request) -> int:
        if request.draft or request.when is None:
            return 0
        return (self.as_of - request.when.last).days


@reasoning(
    wants=(Need.SERVICE_REQUESTS,),
    codes=tuple(sorted({name for names in KINDS.values() for name in names})),
)
def referrals(facts: Facts, known: Known) -> Referrals:
    """Requests that are draft, active or on hold, by code or by the specialty asked to
    perform them.
    """
    open_now = [r for r in facts.requests if _is_open(r, facts.as_of)]
    done = [r for r in facts.requests if r.status == "completed"]
    unknown = (Need.SERVICE_REQUESTS,) if facts.lacks(Need.SERVICE_REQUESTS) else ()
    return Referrals(facts.as_of, _by_kind(open_now, known), _by_kind(done, known), unknown)


def _by_kind(requests: list[Request], known: Known) -> dict[str, tuple[Request, ...]]:
    if not requests:
        return dict.fromkeys(KINDS, ())
    return {
        kind: tuple(r for r in requests if _asks_for(r, names, known))
        for kind, names in KINDS.items()
    }


def _is_open(request: Request, as_of: date) -> bool:
    if request.draft:
        return True
    return request.open and (request.when is None or request.when.first <= as_of)


def _asks_for(request: Request, names: tuple[str, ...], known: Known) -> bool:
    asked = request.codes | {code for code in request.performer_types if code.system == "NUCC"}
    return any(known.codes(name).any_of(asked) for name in names)
