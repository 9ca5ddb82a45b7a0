"""An EHR that calls CDS services as real ones do: a chart, drafts, cards on a screen, and what it
does next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient

from tests.client_habits import KNOWN_EMPTY, Habits, Json, Spelling, State


@dataclass(frozen=True)
class Answer:
    """What one service answered to one call."""

    service: str
    status: int
    body: Json

    @property
    def cards(self) -> list[Json]:
        """The cards, checked as a strict client draws them."""
        return [drawn(card) for card in self.body.get("cards", ())]


class ErrorCard(AssertionError):
    """A card that a strict client cannot draw."""


def drawn(card: Json) -> Json:
    """A card as it is, or an ErrorCard."""
    if card.get("selectionBehavior") not in (None, "any", "at-most-one"):
        raise ErrorCard("selectionBehavior")
    if bool(card.get("suggestions")) != ("selectionBehavior" in card):
        raise ErrorCard("suggestions")
    if (
        not card["summary"]
        or len(card["summary"]) >= 140
        or card["indicator"] not in ("info", "warning", "critical")
    ):
        raise ErrorCard("summary")
    return card


class Ehr:
    """One session: a patient's chart, the drafts of the session, and the cards on the screen."""

    def __init__(
        self, web: FlaskClient, habits: Habits, patient: Json, chart: Iterable[Json] = ()
    ) -> None:
        self._web, self.habits = web, habits
        self.patient, self.chart = patient, list(chart)
        self.drafts: list[Json] = []
        self.screen: dict[
            str, list[Json]
        ] = {}  # the cards of each service; an answer replaces the last
        self.access: Json = {}  # fhirServer and fhirAuthorization
        self.dropped_links: list[str] = []

    def open_chart(self) -> list[Answer]:
        """Open the patient's chart."""
        return self._hook("patient-view")

    def select(self, *orders: Json) -> list[Answer]:
        """Choose orders; they become drafts of the session."""
        self.drafts += [deepcopy(order) for order in orders]
        return self._hook("order-select", [f"{o['resourceType']}/{o['id']}" for o in orders])

    def sign(self, *orders: Json) -> list[Answer]:
        """Sign the drafts of the session, these among them."""
        self.drafts += [deepcopy(order) for order in orders]
        return self._hook("order-sign")

    def accept(self, service: str, card: Json, suggestion: Json) -> int:
        """Do what a suggestion says, as one transaction, and report it; the status of the
        report.
        """
        order = {"delete": 0, "create": 1, "update": 2}
        for action in sorted(suggestion["actions"], key=lambda action: order[action["type"]]):
            self._apply(action)
        item = {"acceptedSuggestions": [{"id": suggestion["uuid"]}]}
        if self.habits.spelling is Spelling.HEALTHCHAIN:
            item = {"acceptedSuggestion": [{"id": suggestion["uuid"]}]}
        return self.report(service, {"card": card["uuid"], "outcome": "accepted", **item})

    def override(
        self, service: str, card: Json, reason: Json | None = None, comment: str = ""
    ) -> int:
        """Set a card aside, and report it."""
        given: Json = {"reason": reason} if reason else {}
        if comment:
            given["userComment"] = comment
        names = {Spelling.EPIC: "overrideReasons", Spelling.HEALTHCHAIN: "overriddeReason"}
        name = names.get(self.habits.spelling, "overrideReason")
        return self.report(service, {"card": card["uuid"], "outcome": "overridden", name: given})

    def report(self, service: str, *items: Any) -> int:
        """Send feedback, with a time where an item has none."""
        timed = [
            {"outcomeTimestamp": "2024-03-01T10:00:00Z", **item} if isinstance(item, dict) else item
            for item in items
        ]
        return self._web.post(
            f"/cds-services/{service}/feedback", json={"feedback": timed}
        ).status_code

    def request(self, entry: Json, selections: Sequence[str] = ()) -> Json:
        """The call of one service."""
        habits, hook = self.habits, entry["hook"]
        identity = self.patient["id"]
        context: Json = {
            "userId": "Practitioner/simulated",
            "patientId": habits.patient_prefix + identity,
        }
        if hook != "patient-view" and not habits.strips_drafts:
            entries = [{"resource": habits.reshape(deepcopy(draft))} for draft in self.drafts]
            context["draftOrders"] = {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": entries,
            }
        if hook == "order-select" and habits.sends_selections:
            context["selections"] = list(selections)
        request: Json = {
            "hook": hook,
            "hookInstance": habits.instance(str(uuid4())),
            "context": context,
        }
        if habits.prefetches:
            request["prefetch"] = {
                **self._prefetch(entry.get("prefetch", {})),
                **deepcopy(dict(habits.extra)),
            }
        if habits.request_extension is not None:
            request["extension"] = habits.request_extension
        return {**request, **self.access}

    def _hook(self, hook: str, selections: Sequence[str] = ()) -> list[Answer]:
        if hook not in self.habits.hooks:
            return []
        entries = self._web.get("/cds-services").get_json()["services"]
        return [self._call(entry, selections) for entry in entries if entry["hook"] == hook]

    def _call(self, entry: Json, selections: Sequence[str]) -> Answer:
        sent = self.request(entry, selections)
        reply = self._web.post(f"/cds-services/{entry['id']}", json=sent)
        answer = Answer(entry["id"], reply.status_code, reply.get_json())
        self.screen[entry["id"]] = [self._allowed(card) for card in answer.cards]
        return answer

    def _allowed(self, card: Json) -> Json:
        """A card without the links whose host is not on the list."""
        hosts = self.habits.link_hosts
        if hosts is None or "links" not in card:
            return card
        kept = [link for link in card["links"] if link["url"].split("/")[2] in hosts]
        self.dropped_links += [link["url"] for link in card["links"] if link not in kept]
        return {**card, "links": kept}

    def _prefetch(self, templates: Mapping[str, str]) -> Json:
        found: Json = {}
        for key, template in templates.items():
            state = self.habits.states.get(key, self.habits.states.get("*", State.VALUE))
            if template.startswith("Patient/"):
                state = self.habits.states.get(key, State.VALUE)
            if state is not State.OMITTED:
                found[self.habits.rename(key)] = self._value(template, state)
        return found

    def _value(self, template: str, state: State) -> Any:
        kind, search, _ = template.partition("?")
        if not search:
            return (
                None
                if state in KNOWN_EMPTY
                else outcome("error")
                if state is State.FAILED
                else self.patient
            )
        matches = [resource for resource in self.chart if resource["resourceType"] == kind]
        return valued(matches, state)

    def _apply(self, action: Json) -> None:
        if action["type"] == "create":
            self.drafts.append({"id": f"new-{len(self.drafts)}", **action["resource"]})
            return
        target = (
            action.get("resourceId")
            or f"{action['resource']['resourceType']}/{action['resource']['id']}"
        )
        place = [f"{draft['resourceType']}/{draft['id']}" for draft in self.drafts].index(target)
        if action["type"] == "delete":
            del self.drafts[place]
        else:
            self.drafts[place] = action["resource"]


def outcome(severity: str, code: str = "processing") -> Json:
    """What a FHIR server says besides a result."""
    issue = {"severity": severity, "code": code, "details": {"coding": [{"code": "4101"}]}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def valued(matches: Sequence[Json], state: State) -> Any:
    """A search result in one of its states."""
    entries: list[Json] = [{"resource": match, "search": {"mode": "match"}} for match in matches]
    whole: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(matches),
        "entry": entries,
    }
    empty: Json = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    said = {"search": {"mode": "outcome"}}
    return {
        State.VALUE: whole,
        State.NULL: None,
        State.EMPTY: empty,
        State.NO_ENTRIES: {**empty, "entry": []},
        State.WARNED: {**empty, "entry": [{**said, "resource": outcome("warning")}]},
        State.FAILED: outcome("error"),
        State.PARTLY: {**whole, "entry": [*entries, {**said, "resource": outcome("error")}]},
        State.PAGED: {
            **whole,
            "link": [{"relation": "next", "url": "https://ehr.invalid/fhir?page=2"}],
        },
        State.BARE: matches[0] if matches else None,
        State.COLLECTION: {"resourceType": "Bundle", "type": "collection", "entry": entries},
    }[state]
