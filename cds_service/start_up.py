"""What production refuses to start with: each fault names the setting or the client, and
what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from cds_service.addresses import http_host
from cds_service.clients import Client
from cds_service.errors import SettingsError
from cds_service.settings import Mode, Settings

PUBLIC_TEST_KEYS = frozenset(
    {  # thumbprints of keys whose private part anyone can read
        "s9fOe-KDYD1myZ8YCzleUqJQgrYZL49kVijBxhnZvZc",  # the CDS Hooks sandbox
        "RBFgQFFUIf4hfG8iUUZrf3vFZ_V2r3YRGPx9nKJXk5M",  # Inferno, ES384
        "Q7fgcIzqt0bVAKsWaw_FyUFSDDpOTfsGdGtjJmAnzFY",  # Inferno, RS384
    }
)
_TEST_HOSTS = frozenset(
    {"sandbox.cds-hooks.org", "inferno.healthit.gov", "inferno-qa.healthit.gov"}
)
_SHORTEST_KEY = 16  # characters


def check_production(settings: Settings, clients: Iterable[Client]) -> None:
    """Raises SettingsError that says everything production must not start with; other modes may."""
    if settings.mode is Mode.PRODUCTION:
        found = [*_settings_faults(settings), *_client_faults(tuple(clients))]
        if found:
            raise SettingsError("production mode refuses to start. " + "; ".join(found))


def _settings_faults(settings: Settings) -> Iterator[str]:
    if not settings.public_url:
        yield "CDS_PUBLIC_URL: the https:// address that clients call is missing"
    elif (
        urlsplit(settings.public_url).scheme != "https"
        or not urlsplit(settings.public_url).hostname
    ):
        yield "CDS_PUBLIC_URL: must be an https:// address"
    if len(settings.hash_key.get_secret_value()) < _SHORTEST_KEY:
        yield f"CDS_HASH_KEY: a secret of at least {_SHORTEST_KEY} characters is missing"
    if settings.as_of is not None:
        yield "CDS_AS_OF: a fixed date is for demos and tests"
    if settings.log_level == "debug":
        yield "CDS_LOG_LEVEL: debug is for tests"
    if settings.flask_debug:
        yield "FLASK_DEBUG: is set"


def _client_faults(clients: tuple[Client, ...]) -> Iterator[str]:
    if not clients:
        yield "CDS_CLIENTS: a file with at least one client is missing"
    for client in clients:
        if client.fhir and urlsplit(client.fhir).scheme != "https":
            yield f"client {client.id}: its FHIR base must be an https:// address"
        if client.jku and urlsplit(client.jku).scheme != "https":
            yield f"client {client.id}: its keys must be at an https:// address"
        hosts = {http_host(address) for address in (client.issuer, client.jku)}
        if hosts & _TEST_HOSTS:
            yield f"client {client.id}: a public test issuer, in whose name anyone can sign"
        if any(key.thumbprint in PUBLIC_TEST_KEYS for key in client.keys):
            yield f"client {client.id}: a public test key, with which anyone can sign"
