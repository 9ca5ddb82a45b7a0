"""The headers of every answer: what browsers may do with it, and which of them may call us."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, Response, request
from flask_cors import CORS

from cds_service.clients import Client
from cds_service.settings import Settings

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


_MOST_DRAINED = 64 * 1024 * 1024  # bytes; whoever sends more will not hear us
_PIECE = 1024 * 1024


def register_headers(app: Flask, settings: Settings, clients: Iterable[Client]) -> None:
    """Protect pages, keep answers out of caches, and let the allowed origins call the services."""
    app.after_request(_protect)
    app.after_request(_drain)
    own = (origin for client in clients for origin in client.origins)
    origins = "*" if settings.open_access else list(dict.fromkeys((*settings.origins, *own)))
    if origins:
        CORS(
            app,
            resources={r"/cds-services.*": {}},
            origins=origins,
            methods=["GET", "POST", "OPTIONS"],
            allow_headers=["Authorization", "Content-Type"],
            max_age=600,
            vary_header=True,
        )


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
    if request.method == "POST":
        unread = request.environ["wsgi.input"]
        left = _MOST_DRAINED
        while left > 0 and (piece := unread.read(min(left, _PIECE))):
            left -= len(piece)
    return answer
