"""The discovery document: one entry for each service and hook. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cds_service.protocol.services import SERVICES, Service

SPECIFICATION = "2.0.1"
HOOK_VERSIONS = {"patient-view": "1.0", "order-select": "1.0", "order-sign": "1.0"}


def discovery(
    templates: Callable[[Service, str], Mapping[str, str]], services: tuple[Service, ...] = SERVICES
) -> dict[str, Any]:
    """The document; `templates` gives the prefetch of a service on a hook, in the order to
    publish it.
    """
    return {
        "services": [
            _entry(service, hook, templates(service, hook))
            for service in services
            for hook in service.hooks
        ]
    }


def _entry(service: Service, hook: str, prefetch: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "hook": hook,
        "title": service.title,
        "description": service.description,
        "id": service.id,
    }
    if prefetch:
        entry["prefetch"] = dict(prefetch)
    entry["usageRequirements"] = service.usage
    entry["version"] = SPECIFICATION
    entry["hookVersion"] = HOOK_VERSIONS[hook]
    return entry
