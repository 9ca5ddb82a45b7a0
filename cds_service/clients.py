"""Who may ask: the registered clients, and what each may do.

Outside production there is one client, anyone, who may name FHIR servers on loopback only.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from cds_service.errors import Forbidden, NotAuthorized
from cds_service.settings import Settings

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Client:
    """A caller. Empty `services` means all of them; `fhir` is the one FHIR base its tokens may be sent to."""

    id: str
    services: frozenset[str] = frozenset()
    fhir: str = ""
    loopback: bool = False  # may name any plain HTTP FHIR server on loopback
    payers: tuple[tuple[str, str], ...] = ()  # Coverage text or SYSTEM#value -> payer id
    silent: frozenset[str] = frozenset()  # cards evaluated and recorded but not shown; or `all`

    def may_use(self, service_id: str) -> None:
        """Raises Forbidden unless the client may call the service."""
        if self.services and service_id not in self.services:
            raise Forbidden("This client may not call this service.")

    def reaches(self, server: str) -> bool:
        """Whether `server` is a FHIR base this client may have us call.

        >>> ANYONE.reaches("http://127.0.0.1:9000/fhir"), ANYONE.reaches("http://127.0.0.1.example.org/fhir")
        (True, False)
        """
        if self.fhir:
            return server == self.fhir
        return self.loopback and urlsplit(server).hostname in _LOOPBACK

    def shows(self, card: str) -> bool:
        """Whether a card is shown to this client's users."""
        return card not in self.silent and "all" not in self.silent


ANYONE = Client("anyone", loopback=True)


class Registry:
    """The clients we know."""

    def __init__(self, settings: Settings) -> None:
        self._open = settings.open_access

    def identify(self, authorization: str | None) -> Client:
        """The client that sent an Authorization header. Raises NotAuthorized, without a reason."""
        if self._open:
            return ANYONE
        raise NotAuthorized("Not authorized.")
