"""The Flask application: the use case, its addresses, its errors and its headers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from cds_service import __version__
from cds_service.service import Service
from cds_service.settings import Mode
from cds_service.web.about import pages
from cds_service.web.errors import register_errors
from cds_service.web.gate import register_gate
from cds_service.web.headers import register_headers
from cds_service.web.log import configure
from cds_service.web.metrics import Metrics
from cds_service.web.rate import limit_rate
from cds_service.web.routes import cds_hooks, probes


class _Application(Flask):
    """None of its functions is a coroutine: Flask would look at eight of them in every call."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The same function."""
        return func


def create_app(service: Service, *, metrics_folder: Path | None = None) -> Flask:
    """The application around a loaded service; `metrics_folder` is shared by the workers."""
    settings = service.settings
    configure(settings.log_level)
    app = _Application("cds_service", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.url_map.strict_slashes = False  # a redirect would lose the body of a POST
    app.url_map.merge_slashes = False
    app.extensions["cds-service"] = service
    app.extensions["cds-metrics"] = Metrics(metrics_folder)
    app.extensions["cds-metrics"].build(__version__, service.knowledge.version)
    register_errors(app)
    register_headers(app, settings, service.registry.clients.values())
    register_gate(app, service)
    app.register_blueprint(cds_hooks)
    app.register_blueprint(probes)
    app.register_blueprint(pages)
    if settings.limits_rate:
        limit_rate(app, settings.requests_per_minute)
    if settings.mode is Mode.DEMO:
        from cds_service.web.demo import register_demo

        register_demo(app, service)
    return app
