"""gunicorn's threaded worker, which on SIGTERM finishes what it has begun and turns away what comes
then.

gunicorn's own worker leaves new connections waiting in the listening socket, and resets them when
it ends.
"""

from __future__ import annotations

from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from cds_service.web.gate import close_gate


class DrainingWorker(ThreadWorker):  # type: ignore[misc]
    """Accepts to the end; once stopping, the gate answers 503 and each answer closes its
    connection.
    """

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: close the gate, then stop as gunicorn does."""
        if hasattr(self, "wsgi"):  # else it is still loading, and takes no calls yet
            close_gate(self.wsgi)
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Go on accepting while stopping."""
        if enabled or self.alive:
            super().set_accept_enabled(enabled)
