"""AuditEvents of FHIR R4 in the patterns of IHE's Basic Audit Log: a read, a query, an answer, a
caller that was refused. Pure.

Patient and user stand there by pseudonym, queries with the prefetch token in the patient's place.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]

_BALP = "https://profiles.ihe.net/ITI/BALP"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_REFUSED = {  # event and kind of event
    401: (("110114", "User Authentication"), ("110122", "Login")),
    403: (("110113", "Security Alert"), ("110132", "Use of Restricted Function")),
}
_PSEUDONYM = "urn:cds-service:pseudonym"
_SUCCESS, _MINOR, _SERIOUS = "0", "4", "8"  # outcome codes of FHIR's AuditEvent


@dataclass(frozen=True, slots=True)
class Occasion:
    """The hook call an event belongs to; `patient` and `person` are pseudonyms."""

    client: str
    service: str
    hook: str
    instance: str
    patient: str
    person: str
    at: datetime
    software: str = ""
    details: Mapping[str, str] = field(default_factory=dict)  # knowledge version, cards, ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call whose caller was refused: 401 not known, 403 not allowed. `why` is one of our own
    sentences; `issuer` is what the token said of itself, true or not.
    """

    status: int
    why: str
    service: str
    client: str = ""  # once it is known
    issuer: str = ""
    source: str = ""  # the address it came from


def read_event(occasion: Occasion, query: str, searched: bool, good: bool, why: str) -> Json:
    """Our read or search at the client's FHIR server."""
    profile, kind, action = (
        ("PatientQuery", "search", "E") if searched else ("PatientRead", "read", "R")
    )
    event = _event(
        occasion, profile, _interaction(kind), action, _SUCCESS if good else _SERIOUS, why
    )
    us, server = (
        _agent("110153", "Source Role ID", "cds-service"),
        f"FHIR server of {occasion.client}",
    )
    event["agent"] = [us, _agent("110152", "Destination Role ID", server), _user(occasion)]
    data: Json = {"type": _coding(_ENTITY, "2", "System Object")}
    if searched:
        data["role"] = _coding(_ROLE, "24", "Query")
        data["query"] = b64encode(query.encode()).decode()
    else:
        data["role"] = _coding(_ROLE, "4", "Domain Resource")
        data["what"] = {"display": query}
    event["entity"] = [_patient(occasion), data, _transaction(occasion)]
    return event


def answer_event(occasion: Occasion, status: int) -> Json:
    """Our answer to a hook: what was evaluated and which cards left."""
    outcome = _SUCCESS if status < 400 else _MINOR if status < 500 else _SERIOUS
    event = _event(occasion, "", _interaction("operation"), "E", outcome)
    caller, us = _agent("110153", "Source Role ID", occasion.client), "cds-service"
    event["agent"] = [caller, _agent("110152", "Destination Role ID", us), _user(occasion)]
    said = {"service": occasion.service, "hook": occasion.hook, **occasion.details}
    asked: Json = {
        "type": _coding(_ENTITY, "2", "System Object"),
        "role": _coding(_ROLE, "20", "Job"),
        "name": f"CDS Hooks {occasion.hook} at {occasion.service}",
        "detail": [{"type": name, "valueString": text} for name, text in said.items() if text],
    }
    event["entity"] = [_patient(occasion), asked, _transaction(occasion)]
    return event


def refusal_event(
    refusal: Refusal, since: datetime, last: datetime, calls: int, software: str
) -> Json:
    """Calls refused for the same reason: of an unknown caller a failed login, of a known one
    something it may not do.
    """
    kind, subtype = _REFUSED[refusal.status]
    who = refusal.client or (f"says it is {refusal.issuer}" if refusal.issuer else "unknown")
    caller = {**_agent("110153", "Source Role ID", who), "requestor": True}
    if refusal.source:
        caller["network"] = {"address": refusal.source, "type": "2"}  # an IP address
    said = {"reason": refusal.why, "calls": str(calls), "status": str(refusal.status)}
    asked = {
        "type": _coding(_ENTITY, "2", "System Object"),
        "role": _coding(_ROLE, "20", "Job"),
        "name": f"CDS Hooks at {refusal.service or 'several services'}",
        "detail": [{"type": name, "valueString": text} for name, text in said.items()],
    }
    return {
        "resourceType": "AuditEvent",
        "type": _coding(_DICOM, *kind),
        "subtype": [_coding(_DICOM, *subtype)],
        "action": "E",
        "period": {"start": _instant(since), "end": _instant(last)},
        "recorded": _instant(last),
        "outcome": _MINOR,
        "outcomeDesc": refusal.why,
        "agent": [caller, _agent("110152", "Destination Role ID", "cds-service")],
        "source": _observer(software),
        "entity": [asked],
    }


def _event(
    occasion: Occasion, profile: str, subtype: Json, action: str, outcome: str, why: str = ""
) -> Json:
    event: Json = {"resourceType": "AuditEvent"}
    if profile:
        event["meta"] = {"profile": [f"{_BALP}/StructureDefinition/IHE.BasicAudit.{profile}"]}
    event |= {
        "type": _coding(
            "http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation"
        ),
        "subtype": [subtype],
        "action": action,
        "recorded": _instant(occasion.at),
        "outcome": outcome,
    }
    if why:
        event["outcomeDesc"] = why
    event["purposeOfEvent"] = [
        {
            "coding": [
                _coding("http://terminology.hl7.org/CodeSystem/v3-ActReason", "TREAT", "treatment")
            ]
        }
    ]
    event["source"] = _observer(occasion.software)
    return event


def _observer(software: str) -> Json:
    server = _coding(
        "http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server"
    )
    return {"observer": {"display": f"cds-service {software}".strip()}, "type": [server]}


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _interaction(code: str) -> Json:
    return _coding("http://hl7.org/fhir/restful-interaction", code, code)


def _coding(system: str, code: str, display: str) -> Json:
    return {"system": system, "code": code, "display": display}


def _agent(code: str, display: str, who: str) -> Json:
    return {
        "type": {"coding": [_coding(_DICOM, code, display)]},
        "who": {"display": who},
        "requestor": False,
    }


def _user(occasion: Occasion) -> Json:
    kind = _coding(
        "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
        "IRCP",
        "information recipient",
    )
    return {"type": {"coding": [kind]}, "who": _pseudonym(occasion.person), "requestor": True}


def _patient(occasion: Occasion) -> Json:
    return {
        "what": {**_pseudonym(occasion.patient), "type": "Patient"},
        "type": _coding(_ENTITY, "1", "Person"),
        "role": _coding(_ROLE, "1", "Patient"),
    }


def _transaction(occasion: Occasion) -> Json:
    """The call, by its hook instance: ties the reads to the answer."""
    return {
        "what": {"identifier": {"value": occasion.instance}},
        "type": _coding(f"{_BALP}/CodeSystem/BasicAuditEntityType", "XrequestId", "Request ID"),
    }


def _pseudonym(value: str) -> Json:
    return {"identifier": {"system": _PSEUDONYM, "value": value}}
