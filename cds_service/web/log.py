"""One JSON line an event, to standard output, holding only keys that never identify a patient."""

from __future__ import annotations

import sys
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

# structlog imports rich for consoles if it is there; a serving worker has no console and no time
# for it.
_rich = sys.modules.get("rich")
sys.modules["rich"] = None  # type: ignore[assignment]
import structlog  # noqa: E402

if _rich is None:
    del sys.modules["rich"]
else:
    sys.modules["rich"] = _rich

ALLOWED = frozenset(
    {
        "event",
        "level",
        "time",
        "service",
        "hook",
        "client",
        "status",
        "ms",
        "slow",
        "cards",
        "rules",
        "failed",
        "notes",
        "items",
        "malformed",
        "undated",
        "snoozed",
        "reads",
        "knowledge",
        "error",
        "at",
        "number",
        "mode",
        "version",
        "silent",
        "why",
        "issuer",
        "tenant",
        "token_id",
    }
)
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class _Output:
    """Standard output as it is at the time: what stands in its place may change.

    Where nobody takes the lines any more, because it was closed or its disk is full, they are lost:
    no answer is.
    """

    def write(self, line: bytes) -> None:
        with suppress(OSError, ValueError):
            sys.stdout.buffer.write(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stdout.buffer.flush()


_logger: Any = structlog.get_logger()


def configure(level: str) -> None:
    """Log from `level` on."""
    import orjson

    global _logger
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.add_log_level,
            _only_allowed,
            structlog.processors.JSONRenderer(serializer=lambda line, **_: orjson.dumps(line)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(_Output()),  # type: ignore[arg-type]
    )
    _logger = structlog.get_logger().bind()  # once, as that costs more than a line


def log(event: str, *, level: str = "info", **members: Any) -> None:
    """Write one line; members that are not on the list are left out."""
    getattr(_logger, level)(event, **members)


def failure(what: str, error: Exception) -> None:
    """Log that a rule, a card or a write failed."""
    log("failure", level="error", failed=what, error=type(error).__name__, at=place(error))


def place(error: Exception) -> str:
    """The line of ours an error came through; its words may quote a patient and are never
    logged.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "cds_service" in frame.filename] or frames
    return f"{ours[-1].filename}:{ours[-1].lineno}" if ours else ""


def _only_allowed(
    logger: Any, method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {key: value for key, value in line.items() if key in ALLOWED}
