"""What libraries and the server log, as lines of ours: their message as written, without its
values.

A URL, a header or a body may stand among the values of a library's message, and with it a patient
or a token.
"""

from __future__ import annotations

import logging
from typing import Any

from gunicorn.glogging import Logger

from cds_service.web.log import log, place

_LONGEST = 80  # characters of a message that was put together before it reached us
_LEVELS = {logging.WARNING: "warning", logging.ERROR: "error", logging.CRITICAL: "error"}


class OurLines(logging.Handler):
    """A handler for loggers that are not ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        error = record.exc_info[1] if record.exc_info else None
        about: dict[str, Any] = {"failed": record.name, "why": _words(record)}
        if isinstance(error, Exception):
            about |= {"error": type(error).__name__, "at": place(error)}
        log("library", level=_LEVELS.get(record.levelno, "info"), **about)


class ServerLog(Logger):  # type: ignore[misc]
    """gunicorn's own messages."""

    def setup(self, cfg: Any) -> None:
        """As gunicorn does, but to our lines."""
        super().setup(cfg)
        self.error_log.handlers = [OurLines()]


def adopt() -> None:
    """Take over what libraries log from a warning on."""
    root = logging.getLogger()
    if not any(isinstance(handler, OurLines) for handler in root.handlers):
        root.addHandler(OurLines(logging.WARNING))


def _words(record: logging.LogRecord) -> str:
    """The message with numbers and signals filled in; one without values, up to its first colon."""
    if isinstance(record.args, tuple) and record.args:
        known = tuple(each if _harmless(each) else "..." for each in record.args)
        try:
            return str(record.msg) % known
        except (TypeError, ValueError):  # a directive that wants a number
            return str(record.msg)
    return str(record.msg).partition(":")[0][:_LONGEST]


def _harmless(value: object) -> bool:
    return isinstance(value, int) or (
        isinstance(value, str) and value.startswith("SIG") and value.isupper()
    )
