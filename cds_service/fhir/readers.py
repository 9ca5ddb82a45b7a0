"""From entries to facts: which reader makes which kind, and the loop that calls them.

A new kind of data is one line here, one reader and one field of `Facts`. Each resource must belong
to the patient of the context; others are dropped and counted. Members that could not be read are
named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from cds_service.clinical.facts import Fact, Facts, Need
from cds_service.fhir import r4
from cds_service.fhir import readers_care as of_care
from cds_service.fhir import readers_chart as of_chart
from cds_service.fhir import readers_orders as of_orders
from cds_service.fhir import readers_payer as of_payer
from cds_service.fhir import readers_requests as of_requests
from cds_service.fhir.bundles import Content, Entry
from cds_service.fhir.chart import Chart
from cds_service.fhir.r4_resource import OfPatient, Resource
from cds_service.fhir.references import ref_of
from cds_service.fhir.resources import Lost, Typed, failure, typed
from cds_service.fhir.salvage import Unreadable

PATIENT_MEMBERS = ("subject", "patient", "beneficiary")  # one of them says whose a resource is

Read = Callable[[Chart, Any, str, Lost], Fact | None]


class Reader(NamedTuple):
    """Which field of `Facts` a resource type fills, and how; None is read of what no rule
    asks about.
    """

    field: str
    read: Read


READERS: Mapping[str, Reader] = {
    "MedicationRequest": Reader("orders", of_orders.order),
    "MedicationDispense": Reader("dispenses", of_orders.dispense),
    "MedicationStatement": Reader("statements", of_orders.statement),
    "Condition": Reader("conditions", of_chart.condition),
    "Observation": Reader("observations", of_chart.observation),
    "Procedure": Reader("procedures", of_chart.procedure),
    "Encounter": Reader("encounters", of_care.encounter),
    "ServiceRequest": Reader("requests", of_requests.service_request),
    "DeviceRequest": Reader("devices", of_requests.device_request),
    "CarePlan": Reader("care_plans", of_care.care_plan),
    "Coverage": Reader("coverages", of_payer.coverage),
    "Claim": Reader("claims", of_payer.claim),
    "ExplanationOfBenefit": Reader("claims", of_payer.claim),
    "ClaimResponse": Reader("claim_responses", of_payer.claim_response),
    "DocumentReference": Reader("documents", of_care.document),
    "Goal": Reader("goals", of_care.goal),
    "AllergyIntolerance": Reader("allergies", of_care.allergy),
    "QuestionnaireResponse": Reader("questionnaire_responses", of_care.answers),
}


@dataclass(slots=True)
class Tally:
    """What reading one content came to: resources of the patient, of others, and why it is
    not all.
    """

    mine: int = 0
    foreign: int = 0
    trouble: str = ""


def read_patient(chart: Chart, content: Content) -> Tally:
    """Take the patient of the context from a content."""
    tally = Tally()
    for entry in content.entries:
        found = _typed(entry, "Patient", tally)
        if found is None or not isinstance(found.resource, r4.Patient):
            continue
        if found.resource.id and f"Patient/{found.resource.id}" != chart.mine:
            tally.foreign += 1
        elif chart.patient is None:
            tally.mine += 1
            chart.patient = of_chart.patient(chart, found.resource)
            for path in found.lost:
                chart.lose(chart.mine, f"{path} could not be read")
    chart.dropped += tally.foreign
    return tally


def read_entries(chart: Chart, content: Content, kind: str) -> Tally:
    """Make facts of the entries of one type; the others are only there to be referred to."""
    reader, tally, mine, start, others = READERS[kind], Tally(), chart.mine, f"{kind}/", 0
    read, found = reader.read, chart.facts.setdefault(reader.field, [])
    fits: Any = r4.TYPES[kind]
    for at, entry in enumerate(entries := content.fitting(kind)):
        resource: Any = entry.resource
        entries[at] = None  # nobody reads it again
        try:
            if resource.__class__ is not fits:
                if resource is None:
                    raise msgspec.ValidationError
                tally.trouble = tally.trouble or failure(resource)
                others += 1
                continue
            subject = resource.subject
            whose = mine if subject is None else subject.reference
            if whose != mine and not chart.is_mine(whose):
                tally.foreign += 1
                others += 1
                continue
            identity = resource.id
            ref = start + identity if identity else ref_of(kind, None, content.entries[at], at)
            fact = read(chart, resource, ref, ())
        except msgspec.ValidationError:
            _read_misfit(chart, content.entries[at], kind, at, tally)
            others += 1
            continue
        if fact is not None:
            found.append(fact)
    tally.mine += len(entries) - others
    chart.dropped += tally.foreign
    return tally


def _read_misfit(chart: Chart, entry: Entry, kind: str, at: int, tally: Tally) -> None:
    """Make a fact of what can be saved of an entry, if it is of the type."""
    found = _typed(entry, kind, tally)
    if found is not None and found.resource.kind == kind:
        read_one(chart, found, entry, at, tally)


def _typed(entry: Entry, expected: str, tally: Tally) -> Typed | None:
    """A resource that did not fit at once; what it says of the whole answer goes to the tally."""
    try:
        found = typed(entry.resource, expected)
    except Unreadable:
        tally.trouble = tally.trouble or "an entry could not be read"
        return None
    if found is not None:
        tally.trouble = tally.trouble or failure(found.resource)
    return found


def read_one(chart: Chart, found: Typed, entry: Entry, at: int, tally: Tally) -> bool:
    """Make a fact of one resource if it is the patient's; whether one was made."""
    resource: Resource = found.resource
    subject = resource.subject if isinstance(resource, OfPatient) else None
    unsure = any(path.startswith(PATIENT_MEMBERS) for path in found.lost)
    if unsure or (subject is not None and not chart.is_mine(subject.reference)):
        tally.foreign += 1
        return False
    tally.mine += 1
    ref = ref_of(resource.kind, resource.id, entry, at)
    reader = READERS[resource.kind]
    fact = reader.read(chart, resource, ref, found.lost)
    if fact is not None:
        chart.facts.setdefault(reader.field, []).append(fact)
    for path in found.lost:
        chart.lose(ref, f"{path} could not be read")
    return fact is not None


def gathered(chart: Chart, hook: str, available: frozenset[Need]) -> Facts:
    """The facts read so far. A chart copy of a request that is being signed gives way to
    the draft.
    """
    read: dict[str, tuple[Any, ...]] = {field: tuple(found) for field, found in chart.facts.items()}
    for field in ("requests", "devices"):
        drafted = {request.ref for request in read.get(field, ()) if request.draft}
        if drafted:
            read[field] = tuple(r for r in read[field] if r.draft or r.ref not in drafted)
    return Facts(
        chart.as_of,
        hook,
        chart.patient,
        available=available,
        unread=tuple(dict.fromkeys(chart.unread)),
        dropped=chart.dropped,
        **read,
    )
