"""The embedded demo EHR: synthetic patients, an order form, and our own services called in
process.
"""

from __future__ import annotations

from flask import Flask

from cds_service.service import Service
from cds_service.web.demo.identity import register_identity
from cds_service.web.demo.pages import blueprint

__all__ = ["register_demo"]


def register_demo(app: Flask, service: Service) -> None:
    """Serve the demo EHR beside the service, as a client of it."""
    register_identity(app, service)
    app.register_blueprint(blueprint)
