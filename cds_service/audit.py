"""The audit trail: an event for each read from a FHIR server and for each answer, to
database or file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import orjson

from cds_service import __version__
from cds_service.memory.store import Audited
from cds_service.protocol.audit import Occasion, answer_event, read_event
from cds_service.recall import Recall
from cds_service.trace import Trace


def events(recall: Recall, trace: Trace, status: int, at: datetime) -> Iterator[Audited]:
    """The reads of one call in order, then its answer; what was not asked for was no read."""
    occasion = Occasion(
        client=recall.client.id,
        service=trace.service,
        hook=trace.hook,
        instance=recall.instance,
        patient=recall.patient,
        person=recall.person,
        at=at,
        software=__version__,
        details=_details(trace),
    )
    for read in filter(lambda each: each.asked, trace.reads):
        why = "" if read.outcome == "ok" else read.outcome
        yield _audited(
            read_event(occasion, read.query or read.kind, read.searched, read.good, why), occasion
        )
    yield _audited(answer_event(occasion, status), occasion)


def to_file(path: Path, rows: list[Audited]) -> None:
    """Append events as JSON lines, in one write so that workers may share the file. Raises OSError.

    The file is opened each time: it may be moved away to be archived.
    """
    lines = "".join(f"{row.event}\n" for row in rows).encode()
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        left = memoryview(lines)
        while left:
            left = left[os.write(handle, left) :]
    finally:
        os.close(handle)


def _audited(event: dict[str, object], occasion: Occasion) -> Audited:
    return Audited(occasion.client, occasion.at, orjson.dumps(event).decode())


def _details(trace: Trace) -> dict[str, str]:
    return {
        "as-of": trace.as_of.isoformat(),
        "knowledge": trace.knowledge,
        "cards": " ".join(card.card for card in trace.cards),
        "snoozed": " ".join(card.card for card in trace.snoozed),
    }
