"""The buttons of a card: each creates one order, or updates or deletes one draft."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from uuid_utils import NAMESPACE_URL, uuid5

from cds_service.card_buttons import Button, told_apart
from cds_service.card_changes import answers_of, as_written
from cds_service.card_drafts import Drafted, changed, drafted_in
from cds_service.card_files import OWN_DRAFT, CardFile, SuggestionFile
from cds_service.card_orders import (
    OrderTemplate,
    asked,
    basis_of,
    conditions_of,
    filled,
    reasons_of,
    reference_to,
    results_of,
)
from cds_service.card_templates import summary_of
from cds_service.clinical.criteria import Criterion, OrderChange
from cds_service.clinical.facts import Facts
from cds_service.frozen import Frozen
from cds_service.knowledge.directory import NOBODY, Directory, Partner
from cds_service.knowledge.model import Knowledge, Payer
from cds_service.protocol.services import Service

REQUESTERS = frozenset(
    {"Practitioner", "PractitionerRole", "Organization", "Patient", "RelatedPerson", "Device"}
)
PROVIDERS = frozenset({"Practitioner", "PractitionerRole", "Organization"})  # who may claim


class Occasion(Frozen):
    """On which hook whose chart is answered about, and who asks.

    `drafts` are the draft orders as received, by reference, `beside` what else the session holds.
    `patient`, `encounter` and `requester` are references or bare ids for the orders that suggestions
    create, `site` is the client that asks.
    """

    service: Service
    hook: str
    hook_instance: str
    facts: Facts
    drafts: Mapping[str, Mapping[str, Any]]
    beside: tuple[Mapping[str, Any], ...] = ()
    patient: str = ""
    encounter: str = ""
    requester: str = ""
    payers: tuple[Payer, ...] = ()
    site: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """What one answer's cards are written for, and what they are written from."""

    occasion: Occasion
    knowledge: Knowledge
    orders: Mapping[str, OrderTemplate]
    directory: Directory = NOBODY
    _reasons: dict[tuple[str, ...], list[dict[str, Any]]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )
    _drafted: list[Drafted] = field(init=False, default_factory=list, compare=False, repr=False)
    _named: dict[str, Any] = field(init=False, default_factory=dict, compare=False, repr=False)

    def reasons(self, references: tuple[str, ...]) -> list[dict[str, Any]]:
        """Why an order is made; worked out once for all buttons that rest on the same."""
        if references not in self._reasons:
            self._reasons[references] = reasons_of(references, self.occasion.facts, self.knowledge)
        return self._reasons[references]

    def drafted(self, template: OrderTemplate) -> bool:
        """Whether what a template orders is among the drafts."""
        if not self._drafted:
            given = self.occasion
            session = (*given.drafts.values(), *given.beside)
            self._drafted.append(drafted_in(given.facts, session, self.knowledge))
        return self._drafted[0].has(template.resource, template.known_by)

    def partner(self, order: str) -> Partner | None:
        """The preferred partner for what an order file orders."""
        wanted = asked(self.orders[order], self.knowledge)
        payers = tuple(payer.id for payer in self.occasion.payers)
        return self.directory.preferred(wanted, payers, self.occasion.site)

    def performer(self, order: str) -> Any:
        """Who is to do it: the preferred partner, if there is one."""
        if (partner := self.partner(order)) is None:
            return None
        several = self.orders[order].kind == "ServiceRequest"
        return [partner.reference] if several else partner.reference

    def uuid(self, card: str, ordinal: int) -> str:
        """The id of a card (0) or of one of its suggestions (1, 2, ...): the same call gets
        the same ids.
        """
        return identity(self.occasion.hook_instance, self.occasion.service.id, card, ordinal)

    def values(self, order: str) -> dict[str, Any]:
        """What the placeholders of an order file stand for that do not depend on why it is
        made.
        """
        if not self._named:
            self._named.update(self._everywhere())
        values = self._named.copy()
        if self.directory.partners:
            values["$performer"] = self.performer(order)
        return values

    def _everywhere(self) -> dict[str, Any]:
        """What stands for the same in every order of the answer."""
        given = self.occasion
        subject = given.patient or (given.facts.patient.ref if given.facts.patient else "")
        requester = reference_to("Practitioner", given.requester)
        if requester and requester["reference"].partition("/")[0] not in REQUESTERS:
            requester = None
        bills = requester and requester["reference"].partition("/")[0] in PROVIDERS
        as_of = given.facts.as_of.isoformat()
        return {
            "$subject": reference_to("Patient", subject),
            "$encounter": reference_to("Encounter", given.encounter),
            "$requester": requester,
            "$provider": requester if bills else None,
            "$as_of": as_of,
            "$start": as_of,
        }


def identity(hook_instance: str, service: str, card: str, ordinal: int | str) -> str:
    """The id of a card (0), of one of its suggestions (1, 2, ...), or of what stands in its place."""
    return str(uuid5(NAMESPACE_URL, f"urn:cds-service:{hook_instance}:{service}:{card}:{ordinal}"))


def buttons(file: CardFile, met: Sequence[Criterion], call: Call) -> tuple[Button, ...]:
    """What the met criteria suggest, in the order of the card file, each once and under its own label.

    An order rests on what the criteria that suggest it rest on; only where that is no reason FHIR
    knows, on what the card rests on.
    """
    made: dict[tuple[object, ...], Button] = {}
    behind: dict[str, dict[str, None]] = {}
    offered: list[tuple[str, Criterion]] = []
    for criterion in met:
        for name in file.voices[criterion.name].suggest:
            if _offered(file.suggestions[name], criterion):
                offered.append((name, criterion))
                behind.setdefault(name, {}).update(dict.fromkeys(criterion.because))
    for name, criterion in offered:
        button = _button(file.suggestions[name], criterion, met, tuple(behind[name]), call)
        if button is not None:
            made.setdefault(button.key, button)
    return told_apart(tuple(made.values()))


def _offered(suggestion: SuggestionFile, criterion: Criterion) -> bool:
    """Whether the criterion's words leave something to suggest."""
    return not suggestion.when or bool(criterion.words[suggestion.when])


def partners(file: CardFile, met: Sequence[Criterion], call: Call) -> Iterator[tuple[str, Partner]]:
    """What the met criteria suggest to order from a preferred partner, and that partner,
    each once.
    """
    if not call.directory.partners:
        return
    seen: set[str] = set()
    for criterion in met:
        for name in file.voices[criterion.name].suggest:
            suggestion = file.suggestions[name]
            if suggestion.create in seen or not _offered(suggestion, criterion):
                continue
            seen.add(suggestion.create)
            partner = call.partner(suggestion.create) if suggestion.create else None
            if partner is not None:
                yield call.orders[suggestion.create].label, partner


def _button(
    suggestion: SuggestionFile,
    criterion: Criterion,
    met: Sequence[Criterion],
    because: tuple[str, ...],
    call: Call,
) -> Button | None:
    """The button, or None when there is nothing to do: no change to offer, or already among the
    drafts.
    """
    if suggestion.create:
        done = _create(suggestion, met, because, call)
    elif suggestion.update:
        done = _update(criterion.words[suggestion.update], call)
    else:
        done = _delete(suggestion.delete, criterion, call)
    if done is None:
        return None
    key, action = done
    label = summary_of(suggestion.label, criterion.words)
    same = suggestion.description is suggestion.label
    described = label if same else summary_of(suggestion.description, criterion.words)
    return Button(
        key, label, {"type": key[0], "description": described, **action}, suggestion.recommended
    )


_Done = tuple[tuple[object, ...], dict[str, Any]] | None


def _create(
    suggestion: SuggestionFile, met: Sequence[Criterion], because: tuple[str, ...], call: Call
) -> _Done:
    template = call.orders[suggestion.create]
    if call.drafted(template):
        return None
    reasons = call.reasons(because)
    results = [] if reasons else results_of(because)
    if not reasons and not results:
        reasons = call.reasons(tuple(dict.fromkeys([r for c in met for r in c.because])))
    values = call.values(suggestion.create)
    values["$reasons"], values["$results"] = reasons, results
    if reasons:
        values["$reason"] = reasons[0]
    if suggestion.start:
        values["$start"] = _word(suggestion.start, met, call.occasion.facts.as_of).isoformat()
    due = _word(suggestion.due, met)
    if due is not None and due >= call.occasion.facts.as_of:
        values["$due"] = due.isoformat()
    if "$basis" in template.asks:
        values["$basis"] = basis_of(because, call.occasion.drafts)
    if "$conditions" in template.asks:
        values["$conditions"] = conditions_of(because)
    if suggestion.answers:
        values["$answers"] = answers_of(_word(suggestion.answers, met, ()))
    if suggestion.coverage:
        values |= _billed(_word(suggestion.coverage, met, ""), reasons)
    for name in template.demands:
        if not values.get(name):
            return None  # an order for nobody, or a claim on no cover, is not valid
    done = {"resource": filled(template, values)}
    return ("create", template.kind, template.known_by or suggestion.create), done


def _word(name: str, met: Sequence[Criterion], otherwise: Any = None) -> Any:
    """What the first criterion that has the word says by it; no name names no word."""
    if name:
        for criterion in met:
            if name in criterion.words:
                return criterion.words[name]
    return otherwise


def _billed(coverage: str, reasons: list[dict[str, Any]]) -> dict[str, Any]:
    """What only a claim says: the cover it is made on, and the reasons as numbered diagnoses."""
    diagnoses = [
        {"sequence": number, "diagnosisCodeableConcept": reason}
        for number, reason in enumerate(reasons, 1)
    ]
    return {"$coverage": reference_to("Coverage", coverage), "$diagnoses": diagnoses}


def _update(change: OrderChange | None, call: Call) -> _Done:
    drafts = call.occasion.drafts
    if change is None or change.ref not in drafts:
        return None
    changes = as_written(drafts[change.ref], change.changes, call.knowledge)
    resource = None if changes is None else changed(drafts[change.ref], changes)
    if resource is None or resource == drafts[change.ref]:
        return None
    return ("update", change.ref, tuple(change.changes)), {"resource": resource}


def _delete(word: str, criterion: Criterion, call: Call) -> _Done:
    named = criterion.because if word == OWN_DRAFT else (criterion.words[word],)
    ref = next((ref for ref in named if ref in call.occasion.drafts), None)
    return None if ref is None else (("delete", ref), {"resourceId": ref})
