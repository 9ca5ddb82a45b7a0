"""Every error as a status and an OperationOutcome; never an HTML page, a stack trace or a
patient's value.
"""

from __future__ import annotations

import secrets

import orjson
from flask import Flask, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from cds_service.errors import Forbidden, NotAuthorized, RequestError
from cds_service.protocol.audit import Refusal
from cds_service.protocol.outcome import outcome
from cds_service.protocol.services import SERVICES
from cds_service.refusals import Refusals
from cds_service.web.gate import known_as
from cds_service.web.log import log, place
from cds_service.web.metrics import Metrics

_THROTTLED = 429
_CODES = {
    404: "not-found",
    405: "not-supported",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
}
_TEXTS = {
    400: "The request could not be read.",
    404: "There is nothing at this address; the services are listed at /cds-services.",
    405: "This address does not take this method; see the Allow header.",
    413: "The body is larger than this service accepts.",
    429: "Too many requests; try again after the time in Retry-After.",
}


def register_errors(app: Flask) -> None:
    """Answer every error of `app` in the same shape."""
    app.register_error_handler(Exception, as_answer)


def as_answer(error: Exception) -> Response:
    """The status, headers and OperationOutcome of an error; a refused call is logged and
    counted.
    """
    answer = _as_answer(error)
    service = (request.view_args or {}).get("service_id")
    if any(offer.id == service for offer in SERVICES):
        counted: Metrics = current_app.extensions["cds-metrics"]
        counted.refused(str(service), answer.status_code)
        log(
            "refused",
            service=service,
            client=known_as(),
            status=answer.status_code,
            **_named(error),
        )
        _on_record(error, str(service))
    return answer


def _on_record(error: Exception, service: str) -> None:
    """Put a call whose caller was refused into the audit trail."""
    match error:
        case NotAuthorized():
            why, issuer = error.reason, error.issuer
        case Forbidden():
            why, issuer = str(error), ""
        case _:
            return
    refusals: Refusals = current_app.extensions["cds-service"].refusals
    source = request.remote_addr or ""
    refusals.note(Refusal(error.status, why, service, known_as(), issuer, source))


def _as_answer(error: Exception) -> Response:
    match error:
        case NotAuthorized():
            answer = _answer(error.status, error.code, str(error))
            answer.headers["WWW-Authenticate"] = "Bearer"
        case RequestError():
            answer = _answer(error.status, error.code, str(error))
            if error.retry_after is not None:
                answer.headers["Retry-After"] = str(error.retry_after)
        case HTTPException():
            answer = _http(error)
        case SQLAlchemyError():
            answer = _internal(error, 503, "transient")
        case _:
            answer = _internal(error, 500, "exception")
    return answer


def _named(error: Exception) -> dict[str, str]:
    """Why a token was refused and what it said of itself; never the token."""
    if not isinstance(error, NotAuthorized):
        return {}
    said = {
        "why": error.reason,
        "issuer": error.issuer,
        "tenant": error.tenant,
        "token_id": error.token_id,
    }
    return {name: value for name, value in said.items() if value}


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    answer = _answer(status, _CODES.get(status, "invalid"), _TEXTS.get(status, error.name))
    for name, value in error.get_headers():
        if name.lower() == "allow":
            answer.headers[name] = value
    if status == _THROTTLED:
        answer.headers["Retry-After"] = "60"  # limits are counted by the minute
    return answer


def _internal(error: Exception, status: int, code: str) -> Response:
    """Say only a number that stands in the log, beside the kind of error and the line it
    came from.
    """
    number = secrets.token_hex(6)
    log("error", level="error", error=type(error).__name__, at=place(error), number=number)
    return _answer(status, code, f"This service failed; its log names the cause under {number}.")


def _answer(status: int, code: str, text: str) -> Response:
    return Response(orjson.dumps(outcome(code, text)), status, mimetype="application/json")
