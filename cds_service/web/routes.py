"""The CDS Hooks addresses. Each does one thing and hands over to the use case."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from time import perf_counter
from typing import Any, cast

import orjson
from flask import Blueprint, Response, current_app, request

from cds_service import __version__
from cds_service.answer import Answer
from cds_service.clients import ANYONE
from cds_service.protocol.openapi import openapi
from cds_service.service import Service
from cds_service.web.bodies import json_body
from cds_service.web.gate import caller, gate_closed
from cds_service.web.log import log
from cds_service.web.metrics import Metrics

cds_hooks = Blueprint("cds_hooks", __name__)
probes = Blueprint("probes", __name__)
_ONE_HOUR = "public, max-age=3600"


@cds_hooks.get("/cds-services")
def discover() -> Response:
    """What we offer: to anyone, and to a client that names itself in the form of its
    profile; cacheable.
    """
    client = caller()
    answer = as_json(_service().discovery(client))
    answer.headers["Cache-Control"] = _ONE_HOUR if client is ANYONE else "private, max-age=3600"
    answer.vary.add("Authorization")
    answer.set_etag(sha256(answer.get_data()).hexdigest()[:16])
    return cast(Response, answer.make_conditional(request))


@cds_hooks.post("/cds-services/<service_id>")
def call(service_id: str) -> Response:
    """Answer a hook; it is counted and logged once the answer is sent."""
    start = perf_counter()
    client, service = caller(), _service()
    answer = service.respond(service_id, json_body(), client=client)
    sent = as_json(answer.body, answer.status)
    seconds, counted = perf_counter() - start, current_app.extensions["cds-metrics"]
    sent.call_on_close(lambda: _observe(counted, service, service_id, client.id, answer, seconds))
    return sent


@cds_hooks.post("/cds-services/<service_id>/feedback")
def feedback(service_id: str) -> Response:
    """Store what became of our cards; on disk before it is acknowledged."""
    client = caller()
    batch = _service().feedback(service_id, json_body(), client=client)
    counted: Metrics = current_app.extensions["cds-metrics"]
    counted.feedback(service_id, (item.outcome for item in batch.items), batch.malformed)
    log(
        "feedback",
        service=service_id,
        client=client.id,
        items=len(batch.items),
        malformed=batch.malformed,
        undated=batch.undated,
        knowledge=_service().knowledge.version,
    )
    return as_json({})


@probes.get("/health")
def health() -> Response:
    """The process runs."""
    return as_json({"status": "ok"})


@probes.get("/ready")
def ready() -> Response:
    """Knowledge is loaded and the database answers."""
    if gate_closed():
        return as_json({"status": "about to stop"}, 503)
    good = _service().ready()
    return as_json({"status": "ready" if good else "database not reachable"}, 200 if good else 503)


@probes.get("/version")
def version() -> Response:
    """Which code and which knowledge answer here."""
    return as_json({"version": __version__, "knowledge": _service().knowledge.version})


@probes.get("/openapi.json")
def described() -> Response:
    """The OpenAPI document."""
    answer = as_json(openapi())
    answer.headers["Cache-Control"] = _ONE_HOUR
    return answer


@probes.get("/metrics")
def metrics() -> Response:
    """Counters for Prometheus."""
    counted: Metrics = current_app.extensions["cds-metrics"]
    return Response(counted.text(), content_type=counted.media_type)


def as_json(body: Any, status: int = 200) -> Response:
    """An answer in JSON; decimals keep their digits."""
    return Response(orjson.dumps(body, default=_number), status, mimetype="application/json")


def _number(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(f"{value:f}".encode())
    raise TypeError(type(value).__name__)


def _service() -> Service:
    return cast(Service, current_app.extensions["cds-service"])


def _observe(
    counted: Metrics, service: Service, service_id: str, client: str, answer: Answer, seconds: float
) -> None:
    """One log line and the counters of a call: rule and card names and numbers only."""
    hook = answer.trace.hook
    counted.call(service_id, hook, answer.status, seconds)
    counted.answered(answer.trace)
    for card in (card for card in answer.trace.cards if card.shown):
        counted.card(card.card, card.indicator)
    log(
        "call",
        service=service_id,
        hook=hook,
        client=client,
        status=answer.status,
        ms=round(seconds * 1000, 2),
        slow=seconds * 1000 > service.settings.deadline_ms,
        cards=[card.card for card in answer.trace.cards if card.shown],
        silent=[card.card for card in answer.trace.cards if not card.shown],
        rules=[rule.rule for rule in answer.trace.rules if rule.criteria],
        snoozed=[card.card for card in answer.trace.snoozed],
        failed=[rule.rule for rule in answer.trace.rules if rule.failed],
        reads=len(answer.trace.reads),
        knowledge=answer.trace.knowledge,
        notes=list(answer.trace.notes),
    )
