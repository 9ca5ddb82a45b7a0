"""What was asked of a FHIR server during one call and how it went, without ids, addresses
or tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from cds_service.errors import FhirReadError
from cds_service.fhir.client import TIMED_OUT, Pages
from cds_service.fhir.prefetch import Fetch
from cds_service.fhir.queries import TYPES
from cds_service.waiting import BUSY, OUT

PATIENT = "{{context.patientId}}"
_KINDS = frozenset(TYPES.values()) | {"Medication", "Organization"}
_LITERAL = frozenset(
    {
        "category",
        "code",
        "status",
        "clinical-status",
        "date",
        "type",
        "intent",
        "_count",
        "_sort",
        "_lastUpdated",
    }
)
_STATUS = re.compile(r"status ([1-5])\d\d")
_NOT_ASKED = "not-asked"
_WORDS = {
    TIMED_OUT: "timeout",
    "no connection": "no-connection",
    "not FHIR JSON": "unreadable",
    "not UTF-8": "unreadable",
    "the answer is too large": "too-large",
    BUSY: _NOT_ASKED,
    OUT: _NOT_ASKED,
}


@dataclass(frozen=True, slots=True)
class Read:
    """One read or search: the resource type, the query with a placeholder for the patient, how it
    went.

    `query` is empty for a further page, whose address is the server's own affair. `outcome` is
    `ok`, `cut`, `timeout`, `no-connection`, `unreadable`, `too-large`, `status-4xx` (and so on),
    `refused` for its address, or `not-asked` while a server is left alone or the worker has no place.
    """

    kind: str
    query: str
    outcome: str
    pages: int = 0

    @property
    def good(self) -> bool:
        """Whether the server answered."""
        return self.outcome in ("ok", "cut")

    @property
    def asked(self) -> bool:
        """Whether anything left this service."""
        return self.outcome != _NOT_ASKED

    @property
    def searched(self) -> bool:
        """A search, not the read of one resource."""
        return "?" in self.query or not self.query


class Noted:
    """A FHIR server that writes down what it was asked."""

    __slots__ = ("_fetch", "_patient", "reads")

    def __init__(self, fetch: Fetch, patient_id: str) -> None:
        self._fetch, self._patient = fetch, patient_id
        self.reads: list[Read] = []

    def gather(self, queries: Mapping[str, str]) -> dict[str, Pages | FhirReadError]:
        """The answers, noted."""
        answers = self._fetch.gather(queries)
        for name, url in queries.items():
            kind, query = asked_of(url, self._patient)
            answer = answers.get(name)
            self.reads.append(Read(kind, query, _outcome(answer), _pages(answer)))
        return answers


def asked_of(url: str, patient_id: str) -> tuple[str, str]:
    """The resource type and the query of a relative URL, the patient replaced by the prefetch
    token.

    >>> asked_of("Observation?patient=p1&category=laboratory", "p1")
    ('Observation', 'Observation?patient={{context.patientId}}&category=laboratory')
    >>> asked_of("Medication/m7", "p1"), asked_of("https://ehr.example.org/fhir?page=2", "p1")
    (('Medication', 'Medication/{{id}}'), ('other', ''))
    """
    split = urlsplit(url)
    kind, _, identity = split.path.partition("/")
    if split.scheme or split.netloc or kind not in _KINDS:
        last = split.path.rstrip("/").rpartition("/")[2]
        return (last if last in _KINDS else "other"), ""
    if identity:
        return kind, f"{kind}/{PATIENT if unquote(identity) == patient_id else '{{id}}'}"
    params = (part.partition("=") for part in split.query.split("&") if part)
    return kind, f"{kind}?" + "&".join(f"{name}={_value(name, value)}" for name, _, value in params)


def _value(name: str, value: str) -> str:
    """What a template says as it stands; what a token stood for as a placeholder."""
    if name in ("patient", "subject"):
        return PATIENT
    return value if name in _LITERAL else "{{id}}"


def _outcome(answer: Pages | FhirReadError | None) -> str:
    if isinstance(answer, Pages):
        return "cut" if answer.cut else "ok"
    why = str(answer) if answer is not None else "no connection"
    if status := _STATUS.fullmatch(why):
        return f"status-{status[1]}xx"
    return _WORDS.get(why, "refused")


def _pages(answer: Pages | FhirReadError | None) -> int:
    return len(answer.bodies) if isinstance(answer, Pages) else 0
