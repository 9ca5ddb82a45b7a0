"""Calling back: the FHIR server of a call, if it names one that its client may have us ask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from time import monotonic
from urllib.parse import urlsplit

import requests

from cds_service.addresses import Reach
from cds_service.clients import Client
from cds_service.fhir.client import FhirClient, Token
from cds_service.outbound import guarded_session
from cds_service.protocol.messages import HookRequest
from cds_service.settings import Settings
from cds_service.waiting import Outages, Seated

_AT_ONCE = 8  # GETs of one worker process; more overflow the listen queue of a small FHIR server
_PATIENCE = 0.25  # seconds for a place, with a fixed date


class Callbacks:
    """The connections of one worker to FHIR servers: a session a client, one pool of threads for
    all.

    At most half of the worker's threads wait for them. A service with a fixed date gives the same
    answer to the same call, so there no server counts as out, and a call waits a moment for a
    place.
    """

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.fetch_seconds
        self._loopback = settings.open_access
        self._sessions: dict[str, requests.Session] = {}
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fhir")
        self._places = Semaphore(max(1, settings.threads // 2))
        fixed = settings.as_of is not None
        self._outages = None if fixed else Outages()
        self._patience = _PATIENCE if fixed else 0.0

    def of(self, request: HookRequest, client: Client) -> tuple[Seated | None, str]:
        """The server of a call, for the time of that call; else None, and a note if one was
        named in vain.
        """
        if not request.fhir_server:
            return None, ""
        if not client.reaches(request.fhir_server):
            return None, "fhirServer is not one this client may name"
        session = self._sessions.get(client.id)
        if session is None:
            reach = Reach(client.allow_private, self._loopback)
            session = self._sessions.setdefault(client.id, guarded_session(client.reaches, reach))
        granted = request.authorization
        token = Token(granted.token) if granted is not None else None
        deadline = monotonic() + self._seconds
        server = FhirClient(request.fhir_server, token, session, deadline, pool=self._pool)
        base = client.fhir or urlsplit(request.fhir_server).netloc
        return Seated(server, base, self._places, self._outages, self._patience), ""

    def close(self) -> None:
        """Let go of all connections."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for session in self._sessions.values():
            session.close()
