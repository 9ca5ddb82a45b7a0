"""One hook call: from a file, or made from what a FHIR server holds of a patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from cds_service.errors import CdsError
from cds_service.fhir.queries import expand
from cds_service.integration.remote import Remote, objects
from cds_service.integration.samples import bundle
from cds_service.integration.server import FhirServer

Json = dict[str, Any]
_USER = "Practitioner/invoke"
_OK = 200


class NoSuchService(CdsError):
    """The service is not in discovery, or not on that hook."""


class BadAnswer(CdsError):
    """What came is no answer of a CDS service."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one service answered."""

    service: str
    status: int
    body: Json
    milliseconds: float

    @property
    def cards(self) -> Sequence[Mapping[str, Any]]:
        """The cards of the answer."""
        found = self.body.get("cards")
        return [card for card in found if isinstance(card, dict)] if isinstance(found, list) else []

    @property
    def answered(self) -> bool:
        """Whether it is an answer, which has a list of cards, be it an empty one."""
        return self.status == _OK and isinstance(self.body.get("cards"), list)

    @property
    def trouble(self) -> str:
        """What an answer without cards says went wrong."""
        if self.status == _OK:
            return "no list of cards"
        for issue in objects(self.body.get("issue")):
            details = issue.get("details")
            text = details.get("text") if isinstance(details, dict) else None
            if text or issue.get("diagnostics"):
                return str(text or issue["diagnostics"])
        return "no details"


def offered(remote: Remote, hook: str, service: str = "") -> list[Json]:
    """The discovery entries on a hook, or the one of that service. Raises NoSuchService,
    BadAnswer.
    """
    reply = remote.discover()
    listed = reply.object.get("services")
    if not isinstance(listed, list):
        raise BadAnswer(
            f"{remote.base}/cds-services: status {reply.status}, and no discovery document"
        )
    named = [each for each in objects(listed) if isinstance(each.get("id"), str)]
    found = [e for e in named if e.get("hook") == hook and service in ("", e["id"])]
    if not found:
        raise NoSuchService(f"no service {service or ''} on {hook}".replace("  ", " "))
    return found


def context(
    hook: str, patient: str, drafts: Sequence[Json] = (), user: str = _USER, encounter: str = ""
) -> Json:
    """The context of a call about a patient; `drafts` are the orders being signed."""
    about: Json = {"userId": user, "patientId": patient.removeprefix("Patient/")}
    if encounter:
        about["encounterId"] = encounter
    if hook in ("order-select", "order-sign"):
        about["draftOrders"] = bundle(*drafts, kind="collection")
    if hook == "order-select":
        about["selections"] = [
            f"{draft['resourceType']}/{draft['id']}" for draft in drafts if "id" in draft
        ]
    return about


def prefetched(
    server: FhirServer, templates: Mapping[str, str], about: Json
) -> tuple[Json, list[str]]:
    """What a FHIR server answers to the templates, and the keys left out for want of an
    answer, each with the reason.
    """
    found: Json = {}
    lacking: list[str] = []
    for key, template in templates.items():
        url = expand(
            template,
            patient_id=about["patientId"],
            user_id=about["userId"],
            encounter_id=about.get("encounterId", ""),
        )
        asked = server.ask(url) if url is not None else None
        if asked is None:
            continue
        if asked.fault or asked.cut:
            lacking.append(f"{key} ({asked.fault or asked.cut})")
        elif "?" in template:
            found[key] = bundle(*asked.resources)
        elif asked.resources:
            found[key] = asked.resources[0]
    return found, lacking


def invoke(remote: Remote, service: str, request: Json) -> Said:
    """Send one request. Raises Unreachable, BadAnswer."""
    reply = remote.call(service, request)
    try:
        body = reply.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BadAnswer(f"{service}: status {reply.status}, and no JSON object")
    return Said(service, reply.status, body, reply.milliseconds)


def about_patient(server: FhirServer, entry: Json, about: Json) -> tuple[Json, list[str]]:
    """The request that an EHR on this FHIR server would send to a service, and the prefetch
    keys it could not fill, each with the reason.
    """
    request: Json = {"hook": entry["hook"], "hookInstance": str(uuid4()), "context": about}
    lacking: list[str] = []
    if entry.get("prefetch"):
        request["prefetch"], lacking = prefetched(server, entry["prefetch"], about)
    return request, lacking
