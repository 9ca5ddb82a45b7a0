"""Before a call is read: whether this worker still takes any, who calls, and how much they
have in hand.
"""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import cast

from flask import Flask, current_app, g, request

from cds_service.clients import ANYONE, Client
from cds_service.errors import Draining, TooBusy
from cds_service.service import Service

_MEGABYTE = 1024 * 1024
_HOOKS = "cds_hooks."  # endpoints of that blueprint
_DISCOVERY = "cds_hooks.discover"


class Gate:
    """The gate of one worker. Once `closed`, what is begun is finished and nothing else is
    taken.
    """

    def __init__(self, service: Service) -> None:
        self.closed = False
        self._service = service
        concurrent = {each.id: each.limits.concurrent for each in service.registry.clients.values()}
        self._seats = {id: BoundedSemaphore(most) for id, most in concurrent.items() if most}

    def admit(self) -> None:
        """Let one call in, with its client in `g`. Raises RequestError, SQLAlchemyError."""
        endpoint = request.endpoint or ""
        if not endpoint.startswith(_HOOKS) or request.method == "OPTIONS":
            return
        if self.closed:
            raise Draining("This worker is about to stop; try again.")
        client = self._caller(endpoint)
        if client.limits.body_mb:
            request.max_content_length = client.limits.body_mb * _MEGABYTE
        seats = self._seats.get(client.id)
        if seats is not None:
            if not seats.acquire(blocking=False):
                raise TooBusy("This client has as many calls in hand as it may; try again.")
            g.seat = seats
        g.client = client

    def leave(self, _error: BaseException | None = None) -> None:
        """The call is over."""
        seat = g.pop("seat", None)
        if seat is not None:
            seat.release()

    def _caller(self, endpoint: str) -> Client:
        """The client; anyone for the list of services, unless the site keeps that to its
        clients.
        """
        named = request.environ.get("HTTP_AUTHORIZATION")
        if endpoint == _DISCOVERY:
            if not named and not self._service.settings.private_discovery:
                return ANYONE
        else:
            self._service.known((request.view_args or {})["service_id"])
        return self._service.identify(named, request.path)


def register_gate(app: Flask, service: Service) -> None:
    """Have every call of `app` pass the gate first."""
    gate = Gate(service)
    app.extensions["cds-gate"] = gate
    app.before_request(gate.admit)
    app.teardown_request(gate.leave)


def close_gate(app: Flask) -> None:
    """Take no more calls; safe in a signal handler."""
    app.extensions["cds-gate"].closed = True


def gate_closed() -> bool:
    """Whether this worker is about to stop."""
    return cast(Gate, current_app.extensions["cds-gate"]).closed


def caller() -> Client:
    """The client of the call in hand; anyone before it is known."""
    return cast(Client, g.get("client", ANYONE))


def known_as() -> str:
    """The name of the client of the call in hand; empty while it is not known."""
    return caller().id if "client" in g else ""
