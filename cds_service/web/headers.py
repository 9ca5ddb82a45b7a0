"""The headers of every answer: what browsers may do with it, and which of them may call us."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from flask_cors import CORS
from werkzeug.wsgi import get_input_stream

from cds_service.clients import Client
from cds_service.settings import Mode, Settings
from cds_service.web.bodies import BROKEN

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


_SERVICES = "/cds-services"
_MOST_DRAINED = 64 * 1024 * 1024  # bytes; whoever sends more will not hear us
_PIECE = 1024 * 1024


def register_headers(app: Flask, settings: Settings, clients: Iterable[Client]) -> None:
    """Protect pages, keep answers out of caches, and let the allowed origins call the services."""
    app.wsgi_app = _bounded(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.after_request(_protect)
    app.after_request(_drain)
    if settings.mode is Mode.PRODUCTION and settings.hsts_seconds:
        app.after_request(_https_for(settings.hsts_seconds))
    own = (origin for client in clients for origin in client.origins)
    origins = "*" if settings.open_access else list(dict.fromkeys((*settings.origins, *own)))
    if origins:
        CORS(
            app,
            resources={f"{_SERVICES}.*": {}},
            origins=origins,
            methods=["GET", "POST", "OPTIONS"],
            allow_headers=["Authorization", "Content-Type"],
            max_age=600,
            vary_header=False,
            always_send=settings.open_access,  # the names of a site's origins are for them alone
        )
    app.after_request(_by_origin(settings.open_access))  # what is registered last comes first


def _bounded(answer: WSGIApplication) -> WSGIApplication:
    """Give no body that goes on behind its end: not every server stops reading there."""

    def bounded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("wsgi.input_terminated"):
            environ["wsgi.input"] = get_input_stream(environ)
            environ["wsgi.input_terminated"] = True
        return answer(environ, start_response)

    return bounded


def _https_for(seconds: int) -> Callable[[Response], Response]:
    """Have browsers keep to https; for this host alone, since others under it may not be ours."""

    def keep(answer: Response) -> Response:
        answer.headers["Strict-Transport-Security"] = f"max-age={seconds}"
        return answer

    return keep


def _by_origin(open_access: bool) -> Callable[[Response], Response]:
    """Say that an answer of a service depends on the origin, also where one origin is allowed; and where
    any is, say so to a caller that names none, at a fifth of what it takes flask-cors, which leaves such
    an answer alone.
    """

    def say(answer: Response) -> Response:
        if request.path.startswith(_SERVICES):
            headers = answer.headers
            if "Vary" in headers:
                answer.vary.add("Origin")
            else:  # at a fifth of the time
                headers.add("Vary", "Origin")
            if open_access and "HTTP_ORIGIN" not in request.environ and request.method != "OPTIONS":
                headers["Access-Control-Allow-Origin"] = "*"
        return answer

    return say


def _protect(answer: Response) -> Response:
    headers = answer.headers
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Cache-Control", "no-store")
    if answer.mimetype == "text/html":
        headers["Referrer-Policy"] = "no-referrer"
        headers.setdefault("Content-Security-Policy", _PAGE_POLICY)
    return answer


def _drain(answer: Response) -> Response:
    """Read what a refused body still brings: a connection closed on a sender hides the
    answer from it.
    """
    if request.method == "POST" and "body_broken" not in g:
        unread = request.environ["wsgi.input"]
        left = _MOST_DRAINED
        with suppress(*BROKEN):
            while left > 0 and (piece := unread.read(min(left, _PIECE))):
                left -= len(piece)
    return answer
