"""The orders being signed or selected: which entries of `context.draftOrders` count, and
whose they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from cds_service.clinical.facts import OVER
from cds_service.errors import BadRequest
from cds_service.fhir.bundles import Content, Entry, content
from cds_service.fhir.chart import Chart
from cds_service.fhir.readers import PATIENT_MEMBERS, Tally, read_one
from cds_service.fhir.references import plain, ref_of
from cds_service.fhir.resources import Json, typed
from cds_service.fhir.salvage import plain_json
from cds_service.frozen import Frozen

ORDER_SELECT = "order-select"
# An entry counts whatever its status, as orders may be signed again, unless it is over or was a
# mistake.
_REQUESTS = frozenset({"MedicationRequest", "ServiceRequest", "DeviceRequest"})
_OLDER = frozenset(  # what earlier versions of FHIR called them
    {
        "DeviceUseRequest",
        "DiagnosticOrder",
        "MedicationOrder",
        "MedicationPrescription",
        "ProcedureRequest",
        "ReferralRequest",
    }
)
_UUID = "urn:uuid:"


class Drafts(Frozen):
    """The draft orders of a session as they were sent: those that count, by reference, and what stands
    `beside` them: orders that are not selected or share their id with another, tasks and other
    resources.
    """

    counted: Mapping[str, dict[str, Any]]
    beside: tuple[dict[str, Any], ...] = ()


class _Sent(Frozen):
    """One entry as it was sent: whether it could be given back so, and what a selection may call it."""

    entry: Entry
    at: int
    resource: dict[str, Any]
    exact: bool
    kind: str
    ref: str
    names: frozenset[str]


def draft_content(raw: Json | None) -> Content | None:
    """The entries of the draft bundle. Raises BadRequest if it is none."""
    if raw is None:
        return None
    try:
        return content(raw)
    except BadRequest:
        raise BadRequest("context.draftOrders must be a FHIR Bundle") from None


def read_drafts(chart: Chart, drafts: Content, hook: str, selections: tuple[str, ...]) -> Drafts:
    """Make facts of the entries that count; the JSON of all that is not over.

    A draft with a number that could not be given back as it was is left out of the JSON, not of the
    facts.

    Raises BadRequest if any entry is of another patient: drafts of mixed patients get no guidance.
    """
    sent = [_sent(entry, at) for at, entry in enumerate(drafts.entries)]
    if not all(_is_of(chart, each.resource) for each in sent):
        raise BadRequest("context.draftOrders holds orders of another patient")
    selected = _selected(chart, sent, selections) if hook == ORDER_SELECT else frozenset()
    counted: dict[str, list[dict[str, Any]]] = {}
    beside: list[dict[str, Any]] = []
    chart.draft = True
    for each in sent:
        resource, ref = each.resource, each.ref
        if each.kind not in _REQUESTS:
            _name_lost(chart, each.kind, ref)
        if _word(resource, "status") in OVER:
            continue
        if each.kind not in _REQUESTS or (selected and selected.isdisjoint(each.names)):
            beside.append(resource)
            continue
        if resource in counted.get(ref, ()):
            continue  # the same order once more
        found = typed(each.entry.resource)
        known = found is not None and read_one(chart, found, each.entry, each.at, Tally())
        if known and each.exact:
            counted.setdefault(ref, []).append(resource)
    chart.draft = False
    # Of several that go by one reference nobody could tell which to change.
    named = {ref: found[0] for ref, found in counted.items() if len(found) == 1}
    beside += [each for ref, found in counted.items() if ref not in named for each in found]
    return Drafts(named, tuple(beside))


def _sent(entry: Entry, at: int) -> _Sent:
    """An entry as it was sent; what is no object may hide an order. Raises BadRequest."""
    exact = True
    try:
        resource = orjson.loads(bytes(entry.resource))
    except orjson.JSONDecodeError:  # a number beyond 64 bits
        resource, exact = plain_json(entry.resource), False
    if resource is None:
        resource = {}
    if not isinstance(resource, dict):
        raise BadRequest("context.draftOrders holds an entry that is no resource")
    kind, identity = _word(resource, "resourceType"), _word(resource, "id")
    ref, url = ref_of(kind, identity, entry, at), entry.full_url or ""
    bare = url.removeprefix(_UUID)
    names = frozenset({ref, url, bare, identity, f"{kind}/{bare}"})
    return _Sent(entry, at, resource, exact, kind, ref, names)


def _word(resource: dict[str, Any], member: str) -> str:
    found = resource.get(member)
    return str(found) if isinstance(found, str | int) else ""


def _is_of(chart: Chart, resource: dict[str, Any]) -> bool:
    """Whether a draft, of any type, is of the patient of the context or names none."""
    if resource.get("resourceType") == "Patient":
        return resource.get("id") in (None, chart.mine.removeprefix("Patient/"))
    for member in PATIENT_MEMBERS:
        subject = resource.get(member)
        for each in subject if isinstance(subject, list) else [subject]:
            reference = each.get("reference") if isinstance(each, dict) else each
            if reference is not None and not (
                isinstance(reference, str) and chart.is_mine(reference)
            ):
                return False
    return True


def _name_lost(chart: Chart, kind: str, ref: str) -> None:
    """Name an entry that may be an order, but none that we can read."""
    if not kind:
        chart.lose(ref.removeprefix("/"), "an entry of the draft orders is no resource")
    elif kind == "Bundle":
        chart.lose(ref, "a bundle among the draft orders")
    elif kind in _OLDER:
        chart.lose(ref, "not a resource of FHIR R4")


def _selected(chart: Chart, sent: list[_Sent], selections: tuple[str, ...]) -> frozenset[str]:
    """The selections in every form an entry may be named by; what names no entry is named as lost."""
    there = frozenset[str]().union(*(each.names for each in sent))
    forms: set[str] = set()
    for name in filter(plain, selections):
        found = {name, plain(name), chart.directory.resolved(name)}
        if there.isdisjoint(found):
            chart.lose(plain(name), "selected, but not among the draft orders")
        forms |= found
    return frozenset(forms)
