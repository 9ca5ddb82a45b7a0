"""A client's own prefetch queries in place of ours: what its discovery document shows and
what is fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cds_service.clients import Client
from cds_service.clinical.facts import Need
from cds_service.errors import KnowledgeError
from cds_service.fhir.queries import TYPES, faults
from cds_service.knowledge.strict_yaml import Loaded

_PATIENT = "={{context.patientId}}"


def query_faults(clients: Iterable[Client], loaded: Loaded) -> Iterator[KnowledgeError]:
    """What is wrong with the queries of clients: a key that we do not ask for, or a query
    unfit for it.
    """
    keys = {need.value: need for need in Need if need is not Need.PATIENT}
    for client in clients:
        for key, query in client.prefetch:
            place = ("clients", client.id, "prefetch", key)
            where = f"prefetch.{key} of {client.id}"
            if key not in keys:
                yield loaded.fault(place, f"{where}: no such prefetch key", ", ".join(keys))
                continue
            kind = TYPES[keys[key]]
            if not query.startswith(f"{kind}?") or _PATIENT not in query:
                allowed = f"{kind}?patient{_PATIENT}&..."
                yield loaded.fault(place, f"{where}: not a search of {kind} by patient", allowed)
            for fault in faults(query):
                yield loaded.fault(place, f"{where}: {fault}")


def templates(client: Client) -> Mapping[Need, str]:
    """The client's own queries by need."""
    return {Need(key): query for key, query in client.prefetch}


def offered(document: dict[str, Any], client: Client) -> dict[str, Any]:
    """A discovery document with the services a client may use and its own queries."""
    own = dict(client.prefetch)
    if not own and not client.services:
        return document
    entries = [
        {
            **entry,
            "prefetch": {key: own.get(key, query) for key, query in entry["prefetch"].items()},
        }
        for entry in document["services"]
        if not client.services or entry["id"] in client.services
    ]
    return {**document, "services": entries}
