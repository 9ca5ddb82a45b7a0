"""The roads of a case: straight into the rules, or as a request with all, none or half of it
prefetched.

Every answer of a road with cards is checked as one that ships: against CDS Hooks and, resource by
resource, against FHIR R4.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cds_service.answer import Answer
from cds_service.assembly import load_service
from cds_service.cases.chart import PATIENT_ID
from cds_service.cases.compare import Said, differences
from cds_service.cases.load import Case
from cds_service.cases.responder import Responder, bundle, encode
from cds_service.cases.validity import invalid
from cds_service.clients import ANYONE
from cds_service.clinical.criteria import MET, Indicator, Status
from cds_service.clinical.evaluate import evaluate, needs_of
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.rule import Rule
from cds_service.fhir.prefetch import read_facts
from cds_service.fhir.queries import TYPES
from cds_service.knowledge.model import Knowledge
from cds_service.protocol.linter import lint
from cds_service.protocol.messages import read_request
from cds_service.service import Service
from cds_service.settings import Mode, load_settings

Resource = Mapping[str, Any]


class Road(StrEnum):
    """How the chart reaches the rules."""

    DIRECT = "direct"
    PREFETCH = "prefetch"
    FETCH = "fetch"
    HALF = "half"


REQUEST_ROADS = (Road.PREFETCH, Road.FETCH, Road.HALF)


@dataclass(frozen=True, slots=True)
class Call:
    """One hook call before a road is chosen: its context, the chart, and the needs that no
    road can get.
    """

    service: str
    hook: str
    as_of: date
    name: str
    context: Mapping[str, Any]
    resources: tuple[Resource, ...]
    withheld: frozenset[Need] = frozenset()

    def body(self, keys: Iterable[Need]) -> bytes:
        """The request with these needs prefetched."""
        request: dict[str, Any] = {
            "hook": self.hook,
            "hookInstance": str(uuid5(NAMESPACE_URL, self.name)),
            "context": self.context,
        }
        prefetch = {need.value: self._found(need) for need in keys if need not in self.withheld}
        return encode({**request, "prefetch": prefetch} if prefetch else request)

    def responder(self) -> Responder:
        """The FHIR server of this chart."""
        return Responder(self.resources, frozenset(TYPES[need] for need in self.withheld))

    def _found(self, need: Need) -> Resource | None:
        found = [r for r in self.resources if r["resourceType"] == TYPES[need]]
        if need is Need.PATIENT:
            return found[0] if found else None
        return bundle(found)


@dataclass(slots=True)
class House:
    """A service without memory, on which cases run."""

    service: Service = field(
        default_factory=lambda: load_service(
            load_settings(mode=Mode.TEST), remember=False, failed=_raise
        )
    )
    _facts: dict[str, Facts] = field(default_factory=dict)

    @property
    def systems(self) -> Mapping[str, str]:
        """Short code system names and their URLs."""
        return self.service.knowledge.system_urls

    def with_knowledge(self, knowledge: Knowledge) -> House:
        """The same house, knowing something else."""
        service = self.service
        library = replace(service.library, knowledge=knowledge)
        other = Service(
            service.settings, knowledge, service.vocabulary, service.rules, library, failed=_raise
        )
        return House(other, self._facts)

    def run(self, case: Case, road: Road) -> list[str]:
        """How the answer by this road differs from what the case expects; empty when it
        does not.
        """
        if road is Road.DIRECT:
            return differences(case, self.direct(case))
        return self.wrong(case, self.ask(call_of(case), road))

    def wrong(self, case: Case, answer: Answer) -> list[str]:
        """What is wrong with an answer to a case; empty when nothing is."""
        if answer.status != 200:
            return [f"status {answer.status}"]
        return [
            *differences(case, self._said(case, answer)),
            *misplaced(case, answer.body),
            *faults(answer, call_of(case)),
        ]

    def direct(self, case: Case) -> dict[str, Said]:
        """What the rule says of the facts, without request or cards."""
        facts = self._facts_of(case)
        rules = (
            tuple(self.service.rules.values()) if case.alone else (self.service.rules[case.rule],)
        )
        asked = tuple(rule for rule in rules if case.hook in rule.hooks)
        payers = self.service.payers(facts, ANYONE)
        found = evaluate(asked, facts, self.service.knowledge, payers, _raise)
        return {
            criterion.name: Said(
                criterion.status, criterion.indicator, frozenset(criterion.because)
            )
            for finding in found.findings
            for criterion in finding.criteria
        }

    def ask(self, call: Call, road: Road) -> Answer:
        """The answer to a call by one road."""
        needs = self._needs(call)
        keys: Iterable[Need] = needs
        if road is Road.FETCH:
            keys = ()
        elif road is Road.HALF:
            keys = random.Random(call.name).sample(needs, len(needs) // 2)
        fetch = None if road is Road.PREFETCH else call.responder()
        return self.service.respond(call.service, call.body(keys), as_of=call.as_of, fetch=fetch)

    def _needs(self, call: Call) -> list[Need]:
        """The keys that discovery offers for a call."""
        entries = self.service.discovery()["services"]
        entry = next(e for e in entries if (e["id"], e["hook"]) == (call.service, call.hook))
        return [Need(key) for key in entry.get("prefetch", {})]

    def _facts_of(self, case: Case) -> Facts:
        key = str(case)
        if key not in self._facts:
            call, rule = call_of(case), self.service.rules[case.rule]
            needs = (
                frozenset(Need) if case.alone else needs_of(rule) | {Need.COVERAGES, Need.PATIENT}
            )
            self._facts[key] = read_facts(
                read_request(call.body(sorted(needs))),
                as_of=case.as_of,
                needs=needs - case.withheld,
                vocabulary=self.service.vocabulary,
            ).facts
        return self._facts[key]

    def _said(self, case: Case, answer: Answer) -> dict[str, Said]:
        """The criteria of the case's rule: those met from the cards, those unknown from the
        trace.
        """
        rules: Mapping[str, Rule] = self.service.rules
        asked = {
            n
            for rule in (rules.values() if case.alone else (rules[case.rule],))
            for n in rule.criteria
        }
        said = {name: one for name, one in met(answer).items() if name in asked}
        for trace in answer.trace.rules:
            for name, status in trace.criteria:
                if name in asked and name not in said and status == Status.UNKNOWN.value:
                    said[name] = Said(Status.UNKNOWN, _worst(rules[trace.rule], name))
        expected = {one.criterion for one in case.then}
        return {n: s for n, s in said.items() if s.status is MET or n in expected}


def call_of(case: Case) -> Call:
    """The hook call of a case."""
    context: dict[str, Any] = {"userId": "Practitioner/case-doctor", "patientId": PATIENT_ID}
    if case.hook != "patient-view":
        entries = [{"resource": draft} for draft in case.chart.drafts]
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    if case.selected is not None:
        context["selections"] = list(case.selected)
    resources = (case.chart.patient, *case.chart.resources)
    return Call(case.service, case.hook, case.as_of, str(case), context, resources, case.withheld)


def met(answer: Answer) -> dict[str, Said]:
    """The criteria met in any card of an answer, each with its most severe mention."""
    found: dict[str, Said] = {}
    for card in answer.body.get("cards", ()):
        text = f"{card['summary']}\n{card.get('detail', '')}"
        for reason in card.get("extension", {}).get("cds-service.reasons", ()):
            if reason["status"] != MET.value:
                continue
            said = Said(
                MET, Indicator(reason["indicator"]), frozenset(reason.get("because", ())), text
            )
            before = found.get(reason["criterion"])
            if before is None or said.indicator.severity > before.indicator.severity:
                found[reason["criterion"]] = said
    return found


def misplaced(case: Case, body: Mapping[str, Any]) -> list[str]:
    """The places of the answer that do not hold what the case expects there."""
    found = {place: _at(body, place) for place in case.answer}
    return [
        f"{place}: expected {case.answer[place]!r}, found {value!r}"
        for place, value in found.items()
        if str(value) != str(case.answer[place])
    ]


def _at(value: Any, place: str) -> Any:
    """What stands at a place such as `cards.0.summary`; names are split as far as they go."""
    if not place:
        return value
    if isinstance(value, list):
        head, _, rest = place.partition(".")
        return _at(value[int(head)], rest) if head.isdigit() and int(head) < len(value) else None
    if isinstance(value, Mapping):
        for name in value:
            if place == name or place.startswith(f"{name}."):
                return _at(value[name], place[len(name) + 1 :])
    return None


def faults(answer: Answer, call: Call) -> list[str]:
    """What would be wrong with shipping this answer."""
    drafts = call.context.get("draftOrders")
    held = {f"{r['resourceType']}/{r['id']}" for r in call.resources}
    held |= {
        f"{e['resource']['resourceType']}/{e['resource']['id']}"
        for e in (drafts or {}).get("entry", ())
    }
    strangers = {ref for said in met(answer).values() for ref in said.because} - held
    return [
        *lint(answer.body, call.hook, drafts),
        *invalid(answer.body),
        *(f"because of {ref}, which is not in the chart" for ref in sorted(strangers)),
    ]


def _worst(rule: Rule, name: str) -> Indicator:
    return rule.criteria[name].worst


def _raise(what: str, error: Exception) -> None:
    """In a case no failure is forgiven."""
    raise error
