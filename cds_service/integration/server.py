"""A FHIR server asked by an operator: what it says it can, and what it answers, each query
timed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import monotonic, perf_counter
from typing import Any

from cds_service.addresses import ANYWHERE, http_host
from cds_service.errors import CdsError, FhirNotFound, FhirReadError
from cds_service.fhir.client import FhirClient, Pages, Token
from cds_service.integration.remote import objects
from cds_service.outbound import guarded_session

Json = dict[str, Any]


class BadServer(CdsError):
    """The FHIR server did not say what it can."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One query: how many resources came in how many pages, after how long; `fault` if none did."""

    url: str
    resources: tuple[Json, ...] = ()
    pages: int = 0
    milliseconds: float = 0.0
    fault: str = ""
    cut: str = ""


class FhirServer:
    """One FHIR base that an operator names, so any address may be asked; `seconds` are for
    one query. Raises BadServer for a base that is no address.
    """

    def __init__(self, base: str, token: str = "", seconds: float = 10.0) -> None:
        if not http_host(base):
            raise BadServer(f"{base!r} is no http(s) URL of a FHIR server")
        self.base = base.rstrip("/")
        self._token = Token(token) if token else None
        self._seconds = seconds
        self._session = guarded_session(lambda _address: True, ANYWHERE)

    def __enter__(self) -> FhirServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def ask(self, url: str) -> Asked:
        """One query with the pages that follow it."""
        client = FhirClient(self.base, self._token, self._session, monotonic() + self._seconds)
        start = perf_counter()
        answer = client.gather({"it": url})["it"]
        spent = (perf_counter() - start) * 1000
        if isinstance(answer, FhirNotFound):
            return Asked(url, milliseconds=spent, fault="not found")
        if isinstance(answer, FhirReadError):
            return Asked(url, milliseconds=spent, fault=str(answer))
        try:
            found = tuple(_resources(answer))
        except ValueError:
            return Asked(url, milliseconds=spent, fault="not FHIR JSON")
        wrong = next(_failures(found), "")
        kept = tuple(each for each in found if each.get("resourceType") != "OperationOutcome")
        return Asked(url, kept, len(answer.bodies), spent, wrong, answer.cut)

    def capabilities(self) -> dict[str, Capability]:
        """What the server says it can, by resource type. Raises BadServer."""
        asked = self.ask("metadata")
        if asked.fault or not asked.resources:
            raise BadServer(f"{self.base}/metadata: {asked.fault or 'no CapabilityStatement'}")
        statement = asked.resources[0]
        if statement.get("resourceType") != "CapabilityStatement":
            raise BadServer(f"{self.base}/metadata: no CapabilityStatement")
        sides = objects(statement.get("rest"))
        rest: Json = next((each for each in sides if each.get("mode", "server") == "server"), {})
        return {
            str(each["type"]): Capability.of(each)
            for each in objects(rest.get("resource"))
            if "type" in each
        }


@dataclass(frozen=True, slots=True)
class Capability:
    """Interactions, search parameters and `_include`s of one resource type."""

    interactions: frozenset[str]
    parameters: frozenset[str]
    includes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, resource: Mapping[str, Any]) -> Capability:
        """Read from a CapabilityStatement."""
        included = resource.get("searchInclude")
        return cls(
            frozenset(str(each.get("code")) for each in objects(resource.get("interaction"))),
            frozenset(str(each.get("name")) for each in objects(resource.get("searchParam"))),
            frozenset(map(str, included if isinstance(included, list) else ())),
        )


def _resources(answer: Pages) -> Iterator[Json]:
    for body in answer.bodies:
        read = json.loads(body)
        if not isinstance(read, dict):
            raise ValueError
        if read.get("resourceType") == "Bundle":
            held = (entry.get("resource") for entry in objects(read.get("entry")))
            yield from (resource for resource in held if isinstance(resource, dict))
        else:
            yield read


def _failures(found: tuple[Json, ...]) -> Iterator[str]:
    for resource in found:
        if resource.get("resourceType") == "OperationOutcome":
            for issue in objects(resource.get("issue")):
                if issue.get("severity") in ("error", "fatal"):
                    yield "the server reported an error"
