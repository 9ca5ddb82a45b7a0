"""What was sent to the payer for review, and what the payer decided. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.evidence import age, day_of
from cds_service.clinical.facts import Claim, ClaimResponse, Facts, Need
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen, field

KINDS: Mapping[str, str] = {
    "therapy_review": "therapy-review-claim",
    "spine_visit": "spine-visit-authorization-claim",
}
SENT = ("active", "")
WITHDRAWN = ("cancelled", "entered-in-error")
NEEDS = (Need.CLAIMS, Need.CLAIM_RESPONSES)
# X12 review action codes: certified, in part, not, still under review, changed.
APPROVED, PARTIAL, DENIED, PENDED, MODIFIED = "A1", "A2", "A3", "A4", "A6"
SATURDAY = 5


class Submission(Frozen):
    """One request to a payer; `decision`: none | pended | approved | partial | denied | answered.

    `ref` is empty when only the payer's answer is on file, and `day` is then that of the answer.
    `updates`: the earlier requests that it takes up.
    """

    ref: str
    day: date
    complete: bool | None
    decision: str
    decided: date | None
    refs: tuple[str, ...]
    updates: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the payer has decided."""
        return self.decision not in ("none", "pended")


class Submissions(Frozen):
    """Requests by kind, oldest first; `drafted` the days of those just being prepared; `unknown` the
    needs that could not be read.
    """

    by_kind: Mapping[str, tuple[Submission, ...]] = field(default_factory=dict)
    drafted: Mapping[str, tuple[date, ...]] = field(default_factory=dict)
    unknown: tuple[Need, ...] = ()

    def of(self, kind: str) -> tuple[Submission, ...]:
        """Requests of a kind, oldest first."""
        return self.by_kind[kind]


@reasoning(wants=NEEDS, numbers=("payer.draft_days",), codes=tuple(KINDS.values()))
def submissions(facts: Facts, known: Known) -> Submissions:
    """Requests for review or authorization by the type of the claim, each with the latest answer to
    it.

    An answer that names no request belongs to the last one of its kind that was sent before it; one
    to a request that was withdrawn goes with it. A draft is no submission, but for a few days it is
    one being prepared.
    """
    found = {kind: tuple(_of_kind(facts, known, codes)) for kind, codes in KINDS.items()}
    drafted = {kind: tuple(_drafted(facts, known, codes)) for kind, codes in KINDS.items()}
    return Submissions(found, drafted, tuple(need for need in NEEDS if facts.lacks(need)))


def _drafted(facts: Facts, known: Known, codes: str) -> Iterator[date]:
    window = known.number("payer.draft_days")
    for claim in facts.claims:
        drafted = claim.status == "draft" and known.codes(codes).any_of(claim.codes)
        if drafted and age(claim.when, facts.as_of, window):
            yield day_of(claim.when, facts.as_of)


def _of_kind(facts: Facts, known: Known, codes: str) -> list[Submission]:
    claims = [
        c
        for c in facts.claims
        if c.status in SENT and known.codes(codes).any_of(c.codes) and _past(c.when, facts.as_of)
    ]
    claims.sort(key=lambda c: (day_of(c.when, facts.as_of), c.ref))
    withdrawn = {c.ref for c in facts.claims if c.status in WITHDRAWN}
    answers: dict[str, list[ClaimResponse]] = {}
    for response in facts.claim_responses:
        stands = response.status in SENT and response.request not in withdrawn
        if not stands or not _past(response.when, facts.as_of):
            continue
        mine = response.request in {c.ref for c in claims}
        if mine or known.codes(codes).any_of(response.codes):
            owner = response.request if mine else _sent_before(response, claims, facts.as_of)
            answers.setdefault(owner, []).append(response)
    made = [_submission(claim, answers.get(claim.ref, ()), facts.as_of) for claim in claims]
    made += [_submission(None, [alone], facts.as_of) for alone in answers.get("", ())]
    return sorted(made, key=lambda s: (s.day, s.ref))


def _past(when: FuzzyDate | None, as_of: date) -> bool:
    return when is None or when.first <= as_of


def _sent_before(response: ClaimResponse, claims: list[Claim], as_of: date) -> str:
    if response.request:
        return ""  # it answers a request that is not on file
    day = day_of(response.when, as_of)
    return next((c.ref for c in reversed(claims) if day_of(c.when, as_of) <= day), "")


def _submission(claim: Claim | None, answers: Iterable[ClaimResponse], as_of: date) -> Submission:
    sent = None if claim is None else day_of(claim.when, as_of)
    dated = sorted((day_of(a.when, as_of), a.ref, a) for a in answers)
    last = dated[-1][0] if dated else None
    latest = [answer for day, _, answer in dated if day == last]
    return Submission(
        "" if claim is None else claim.ref,
        sent or last or as_of,
        None if claim is None else claim.complete,
        _decision(latest),
        last,
        tuple(sorted({*([claim.ref] if claim else ()), *(a.ref for a in latest)})),
        () if claim is None else claim.related,
    )


def _decision(answers: list[ClaimResponse]) -> str:
    if not answers:
        return "none"
    codes = frozenset[str]().union(*(a.decisions for a in answers))
    if DENIED in codes:
        return "partial" if codes & {APPROVED, PARTIAL, MODIFIED} else "denied"
    if codes & {PARTIAL, MODIFIED}:
        return "partial"
    if APPROVED in codes:
        return "approved"
    pending = PENDED in codes or all(a.outcome == "queued" for a in answers)
    return "pended" if pending else "answered"


def business_days(since: date, until: date, holidays: frozenset[date] = frozenset()) -> int:
    """Weekdays from the day after `since` to `until`, both included, without `holidays`.

    >>> business_days(date(2025, 6, 9), date(2025, 6, 16)), business_days(date(2025, 6, 6), date(2025, 6, 16))
    (5, 6)
    """
    days = (since + timedelta(days=n) for n in range(1, max(0, (until - since).days) + 1))
    return sum(day.weekday() < SATURDAY and day not in holidays for day in days)
