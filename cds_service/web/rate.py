"""How often a caller may call: a client by its own limit, anyone by address. Each worker
counts alone.
"""

from __future__ import annotations

from flask import Flask, request

from cds_service.clients import ANYONE
from cds_service.web.gate import caller
from cds_service.web.routes import cds_hooks


def limit_rate(app: Flask, requests_per_minute: int) -> None:
    """At most so many calls a minute, unless the client's own limit says otherwise; after
    `register_gate`.
    """
    from flask_limiter import Limiter

    def allowed() -> str:
        return f"{caller().limits.requests_per_minute or requests_per_minute} per minute"

    limiter = Limiter(_counted_as, app=app, storage_uri="memory://")
    limiter.limit(allowed)(cds_hooks)


def _counted_as() -> str:
    client = caller()
    return f"address {request.remote_addr}" if client is ANYONE else f"client {client.id}"
