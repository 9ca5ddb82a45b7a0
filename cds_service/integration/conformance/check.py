"""What a check is, and the service it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cds_service.integration.remote import Remote, Reply
from cds_service.integration.samples import sample

Json = dict[str, Any]


class Level(StrEnum):
    """How firmly a requirement binds; a SHOULD that is not kept is told but does not fail."""

    SHALL = "SHALL"
    SHOULD = "SHOULD"


class Verdict(StrEnum):
    """How a check ended."""

    PASS = "pass"
    FAIL = "fail"
    ADVICE = "advice"
    SKIP = "skip"


class Skip(Exception):
    """A check that cannot be run on this service, and why."""


@dataclass(frozen=True, slots=True)
class Result:
    """One requirement, as this service keeps it."""

    requirement: str
    says: str
    level: Level
    verdict: Verdict
    why: str = ""
    milliseconds: float = 0.0


@dataclass(slots=True)
class Subject:
    """The service under test: its discovery document, and its answers to whole requests."""

    remote: Remote
    document: Json
    given: Mapping[str, Json] = field(
        default_factory=dict
    )  # requests of the user, by service and hook
    origin: str = "https://sandbox.cds-hooks.org"
    _replies: dict[tuple[str, str], Reply] = field(default_factory=dict)

    @property
    def entries(self) -> list[Json]:
        """The services of the document that look like services."""
        listed = self.document.get("services")
        found = listed if isinstance(listed, list) else []
        return [
            e for e in found if isinstance(e, dict) and isinstance(e.get("id"), str) and e["id"]
        ]

    def request(self, entry: Json) -> Json | None:
        """A whole request for an entry: the user's own, else a made-up one."""
        own = self.given.get(f"{entry['id']}:{entry.get('hook')}")
        return deepcopy(own) if own is not None else sample(entry)

    def callable(self) -> Iterator[tuple[Json, Json]]:
        """Each entry we can call, with a request of its own. Raises Skip if there is none."""
        found = [
            (entry, request)
            for entry in self.entries
            if (request := self.request(entry)) is not None
        ]
        if not found:
            raise Skip("no service on a hook that we know")
        yield from found

    def first(self) -> tuple[Json, Json]:
        """The first entry we can call, and a request."""
        return next(self.callable())

    def replies(self) -> Iterator[tuple[Json, Reply]]:
        """The answer of each entry to a whole request, asked once."""
        for entry, request in self.callable():
            name = (entry["id"], str(entry["hook"]))
            if name not in self._replies:
                self._replies[name] = self.remote.call(entry["id"], request)
            yield entry, self._replies[name]

    def cards(self) -> Iterator[tuple[str, Json]]:
        """Every card of the answers, and where it stands. Raises Skip if there is none."""
        found = False
        for entry, reply in self.replies():
            cards = reply.object.get("cards")
            for index, card in enumerate(cards if isinstance(cards, list) else []):
                if isinstance(card, dict):
                    found = True
                    yield f"{entry['id']} on {entry['hook']}: card {index}", card
        if not found:
            raise Skip("the service answered no cards; give a request of your own")


Look = Callable[[Subject], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement and how it is looked at: each fault that `look` yields breaks it."""

    requirement: str
    says: str
    level: Level
    look: Look


CHECKS: list[Check] = []


def check(requirement: str, says: str, level: Level = Level.SHALL) -> Callable[[Look], Look]:
    """Register a check of a requirement."""

    def register(look: Look) -> Look:
        CHECKS.append(Check(requirement, says, level, look))
        return look

    return register


def refused(reply: Reply) -> str:
    """What is wrong with the way a bad call was refused; empty if nothing."""
    if 400 <= reply.status < 500:
        return ""
    return f"expected a status from 400 to 499, got {reply.status}"
