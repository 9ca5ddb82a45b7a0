"""One answer told: the call is answered as always, by a service that lets a witness see how.

Holds values of the patient: for `cds-service explain` and tests, never for logs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from cds_service.card_files import COULD_NOT_CHECK
from cds_service.card_text import number_text
from cds_service.clinical.criteria import INFO, MET, Criterion, Evaluation, Finding, RuleTrace
from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.facts import Facts, Need, Patient, Quantity
from cds_service.clinical.mme import DailyMme, daily_mme
from cds_service.clinical.opioid_course import Course, opioid_course
from cds_service.clinical.rule import Call, Rule
from cds_service.fhir.prefetch import Reading
from cds_service.knowledge.numbers import Number
from cds_service.protocol.messages import HookRequest
from cds_service.service import Service
from cds_service.story.model import Data, Read, Ruling, Said, Shown, Story, Who
from cds_service.trace import card_id

_REASONS = "cds-service.reasons"


@dataclass(slots=True)
class _Seen:
    """What a witness saw of an answer in the making."""

    parts: list[tuple[HookRequest, Reading, Call, Evaluation]] = field(default_factory=list)

    def __call__(
        self, request: HookRequest, reading: Reading, call: Call, evaluation: Evaluation
    ) -> None:
        self.parts.append((request, reading, call, evaluation))


def story(service: Service, service_id: str, body: bytes, as_of: date | None = None) -> Story:
    """Answer a hook and tell how. Raises RequestError for a call that is refused."""
    seen = _Seen()
    answer = service.respond(service_id, body, as_of=as_of, witness=seen)
    title = next(e["title"] for e in service.discovery()["services"] if e["id"] == service_id)
    if not seen.parts:
        return Story(service_id, title, answer)
    request, reading, call, evaluation = seen.parts[0]
    facts = reading.facts
    cards = answer.body.get("cards", [])
    return Story(
        service=service_id,
        title=title,
        answer=answer,
        who=_who(request, facts.patient, facts.as_of),
        payers=tuple(payer.name for payer in call.payers),
        data=tuple(_data(service, reading)),
        unread=tuple((gap.ref, gap.why) for gap in facts.unread),
        dropped=facts.dropped,
        emergency=evaluation.emergency,
        rules=tuple(_ruling(service, trace, call, evaluation, cards) for trace in evaluation.trace),
        mme=_derived(call, daily_mme),
        course=_derived(call, opioid_course),
        shown=tuple(_shown(card, evaluation) for card in cards),
        not_evaluated=tuple(
            (gap.criterion, gap.why, gap.serious) for gap in evaluation.not_evaluated
        ),
    )


def _who(request: HookRequest, patient: Patient | None, as_of: date) -> Who:
    return Who(
        patient=f"Patient/{request.patient_id}",
        age=patient.age(as_of) if patient else None,
        sex=(patient.sex if patient else None) or "",
        user=request.user_id,
        encounter=request.encounter_id,
        fhir_server=request.fhir_server,
        token=request.authorization is not None,
    )


def _data(service: Service, reading: Reading) -> Iterator[Data]:
    words = service.library.cards[COULD_NOT_CHECK].needs
    counts = _counts(reading.facts)
    for need, came in reading.came.items():
        yield Data(
            need.value, words.get(need.value, need.value), came.how, came.why, counts.get(need, 0)
        )


def _counts(facts: Facts) -> Mapping[Need, int]:
    """How many facts of each kind, drafts left out."""
    return {
        Need.PATIENT: int(facts.patient is not None),
        Need.MEDICATIONS: sum(not order.draft for order in facts.orders),
        Need.DISPENSES: len(facts.dispenses),
        Need.STATEMENTS: len(facts.statements),
        Need.CONDITIONS: len(facts.conditions),
        Need.OBSERVATIONS: len(facts.observations),
        Need.PROCEDURES: len(facts.procedures),
        Need.ENCOUNTERS: len(facts.encounters),
        Need.SERVICE_REQUESTS: sum(not request.draft for request in facts.requests),
        Need.CARE_PLANS: len(facts.care_plans),
        Need.COVERAGES: len(facts.coverages),
        Need.CLAIMS: len(facts.claims),
        Need.CLAIM_RESPONSES: len(facts.claim_responses),
        Need.DOCUMENTS: len(facts.documents),
        Need.GOALS: len(facts.goals),
        Need.ALLERGIES: len(facts.allergies),
        Need.QUESTIONNAIRE_RESPONSES: len(facts.questionnaire_responses),
        Need.DEVICES: sum(not request.draft for request in facts.devices),
    }


def _ruling(
    service: Service,
    trace: RuleTrace,
    call: Call,
    evaluation: Evaluation,
    cards: list[dict[str, Any]],
) -> Ruling:
    finding = next((f for f in evaluation.findings if f.card == trace.rule), None)
    kept = {c.name: c for c in finding.criteria} if finding else {}
    rule = service.rules[trace.rule]
    return Ruling(
        card=trace.rule,
        title=service.library.cards[trace.rule].title,
        applies=trace.applies,
        failed=trace.failed,
        said=tuple(_said(name, status, kept.get(name), rule) for name, status in trace.criteria),
        read=tuple(_read(rule, call)) if trace.applies is not False else (),
        stands=_stands(finding, cards) if not trace.failed else "not evaluated",
        microseconds=trace.microseconds,
    )


def _said(name: str, status: str, criterion: Criterion | None, rule: Rule) -> Said:
    if criterion is None:
        return Said(
            name,
            status,
            rule.criteria[name].worst.value,
            {},
            (),
            (),
            "an emergency red flag is met",
        )
    words = {word: text for word, value in criterion.words.items() if (text := shown(value))}
    missing = tuple(need.value for need in criterion.missing)
    return Said(name, status, criterion.indicator.value, words, criterion.because, missing, "")


def _read(rule: Rule, call: Call) -> Iterator[Read]:
    """The numbers of a rule that were read, its own first."""
    for name in sorted(
        rule.all_numbers & frozenset(call.read), key=lambda n: (n not in rule.numbers, n)
    ):
        number = call.number(name)
        yield Read(
            name=name,
            value=str(number),
            unit=number.unit,
            boundary=number.boundary.value,
            source=f"{number.source}, {number.at}",
            since=number.since,
            payer=_overriding(name, call),
            shared=name not in rule.numbers,
        )


def _overriding(name: str, call: Call) -> str:
    for payer in call.payers:
        if any(value.since <= call.facts.as_of for value in payer.overrides.get(name, ())):
            return payer.name
    return ""


def _stands(finding: Finding | None, cards: Iterable[dict[str, Any]]) -> str:
    """Where the finding of a rule went, and why there."""
    if finding is None:
        return "silent"
    names = {c.name for c in finding.criteria}
    found = [card_id(card) for card in cards if names & {r["criterion"] for r in _reasons(card)}]
    if finding.card in found:
        return "its own card"
    if not finding.speaks:
        return f"nothing met; listed on {found[0]}" if found else "nothing met, no card"
    if not found:
        return "its card could not be written"
    why = (
        "notes share one card" if finding.indicator is INFO else "more than four cards would stand"
    )
    return f"folded into {found[0]}: {why}"


def _shown(card: dict[str, Any], evaluation: Evaluation) -> Shown:
    names = {r["criterion"] for r in _reasons(card) if r["status"] == MET.value}
    sources = [
        f.card
        for f in evaluation.findings
        if names & {c.name for c in f.criteria if c.status is MET}
    ]
    return Shown(
        card=card_id(card),
        indicator=card["indicator"],
        summary=card["summary"],
        from_cards=tuple(sources),
        buttons=tuple(suggestion["label"] for suggestion in card.get("suggestions", ())),
        url=card["source"].get("url", ""),
    )


def _reasons(card: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    return tuple(card.get("extension", {}).get(_REASONS, ()))


def _derived(call: Call, function: Any) -> Any:
    """What shared reasoning concluded in this call, if something asked for it."""
    return call.cache.get(function)


def shown(value: object) -> str:
    """A word's value on one line; empty for what has no short form.

    >>> shown(Fraction(255, 4)), shown((date(2026, 3, 1), "a")), shown(None)
    ('63.75', '2026-03-01, a', '')
    """
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case int() | Decimal() | Fraction():
            return number_text(value)
        case Number():
            return f"{value} {value.unit}".strip()
        case date():
            return value.isoformat()
        case FuzzyDate():
            return str(value)
        case Quantity():
            return f"{number_text(value.value)} {value.unit}".strip()
        case DailyMme():
            return (
                f"{'at least ' if value.is_lower_bound else ''}{number_text(value.per_day)} MME/day"
            )
        case Course():
            return f"{value.days} days since {value.start}"
        case tuple():
            return ", ".join(filter(None, map(shown, value)))
        case _:
            return str(getattr(value, "label", "") or "")
