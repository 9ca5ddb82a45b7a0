"""From a call to facts: prefetch, then the FHIR server, else the need is unavailable. Absent is not
empty.

Key present: used; `null` or an empty bundle is known to be empty; an error of the server is unknown
and not asked again. Key missing, or no resource under it: looked for under other keys by content,
then fetched once, else unavailable. What is cut off leaves its facts but not its need: nothing may
be concluded from what it does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import msgspec

from cds_service.clinical.facts import Facts, Need
from cds_service.errors import BadRequest, FhirReadError
from cds_service.fhir.bundles import NOTHING, Content, content
from cds_service.fhir.chart import Chart
from cds_service.fhir.client import Pages
from cds_service.fhir.drafts import Drafts, read_drafts
from cds_service.fhir.queries import TYPES, expand, template
from cds_service.fhir.readers import gathered, read_entries, read_patient
from cds_service.fhir.references import bare_id
from cds_service.fhir.referred_reads import fetch_referred
from cds_service.fhir.resources import Json
from cds_service.fhir.sent import answers, read_sent
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.frozen import Frozen


class Call(Protocol):
    """What a hook request offers to reading; ids may come with or without their type. `typed` is
    the prefetch as `Prefetched`, if it fits.
    """

    @property
    def hook(self) -> str: ...
    @property
    def patient_id(self) -> str: ...
    @property
    def encounter_id(self) -> str | None: ...
    @property
    def user_id(self) -> str | None: ...
    @property
    def draft_orders(self) -> Json | None: ...
    @property
    def selections(self) -> Sequence[str] | None: ...
    @property
    def prefetch(self) -> Mapping[str, Json] | None: ...
    @property
    def typed(self) -> Any: ...


class Fetch(Protocol):
    """The client's FHIR server, for the time of one call."""

    def gather(self, queries: Mapping[str, str]) -> dict[str, Pages | FhirReadError]:
        """The answers to relative or absolute URLs, by the names they are asked under."""


class Came(Frozen):
    """How a need came: `how` is prefetch, fetched, empty or missing; `why` explains what is
    missing of it.
    """

    how: str
    why: str = ""


_EMPTY = Came("empty")
_ABSENT, _UNUSABLE = "not in prefetch", "no FHIR resource under its prefetch key"
_NO_ACCESS = "no access to the FHIR server"


class Reading(Frozen):
    """What reading a call gave: the facts, the drafts as sent, and how each need came."""

    facts: Facts
    drafts: Drafts
    came: Mapping[Need, Came]


@dataclass(slots=True)
class _Source:
    """What has been found for one need so far; `why` says what is missing of it."""

    how: str
    contents: list[Content] = field(default_factory=list)
    why: str = ""


def read_facts(
    call: Call,
    *,
    as_of: date,
    needs: Iterable[Need],
    vocabulary: Vocabulary,
    fetch: Fetch | None = None,
    templates: Mapping[Need, str] | None = None,
    most_entries: int | None = None,
) -> Reading:
    """Read everything `needs` asks for; `templates` are a site's own queries in place of ours.

    Raises TooLarge for more than `most_entries` in the body; BadRequest for drafts of an impossible
    shape or of another patient; RecursionError, UnicodeDecodeError and msgspec.DecodeError for JSON
    that is broken.
    """
    wanted = sorted(needs)
    chart = Chart(vocabulary, as_of, bare_id(call.patient_id, "Patient"))
    prefetch: Mapping[str, Json] = {} if call.prefetch is None else call.prefetch
    sent = read_sent(prefetch, call.typed, call.draft_orders, wanted, most_entries)
    sources = {need: _Source("prefetch", found) for need, found in sent.by_need.items()}
    _complete(sources, call, wanted, fetch, templates or {})
    contents = [sent.drafts, *(found for source in sources.values() for found in source.contents)]
    chart.directory.enter(contents)
    chart.directory.enter(sent.referred)
    if fetch is not None:
        fetch_referred(chart, fetch, contents)
    came: dict[Need, Came] = {}
    if Need.PATIENT in sources:
        came[Need.PATIENT] = _read(chart, sources[Need.PATIENT], Need.PATIENT)
    drafts = read_drafts(chart, sent.drafts, call.hook, tuple(call.selections or ()))
    for need in wanted:
        source = sources.get(need)
        if source is None:
            odd = need in sent.unusable
            came[need] = Came("missing", f"{_UNUSABLE if odd else _ABSENT}, and {_NO_ACCESS}")
        elif need is not Need.PATIENT:
            came[need] = _read(chart, source, need)
    available = frozenset(need for need, way in came.items() if not way.why)
    return Reading(gathered(chart, call.hook, available), drafts, came)


def _read(chart: Chart, source: _Source, need: Need) -> Came:
    """Make facts of what was found for one need, and say how it came."""
    for found in source.contents:
        if found is not NOTHING and (found.total or not found.empty):
            break
    else:
        if not source.why:
            return _EMPTY
    seen, foreign, nameless = 0, 0, chart.nameless
    before = (
        {name: len(found) for name, found in chart.facts.items()}
        if len(source.contents) > 1
        else None
    )
    for found in source.contents:
        if need is Need.PATIENT:
            tally = read_patient(chart, found)
        else:
            tally = read_entries(chart, found, TYPES[need])
        seen += tally.mine
        foreign += tally.foreign
        source.why = source.why or tally.trouble
    if before is not None:
        chart.once(before)
    if chart.nameless > nameless:  # it may be the drug that a rule would say is not there
        source.why = source.why or "a medication could not be read"
    if foreign and not seen:
        source.why = source.why or "another patient"
    counted = max([found.total for found in source.contents], default=0)
    if counted > seen + foreign and need is not Need.PATIENT:
        source.why = source.why or "fewer resources than the search counted"
    if source.why:
        return Came(source.how if seen else "missing", source.why)
    return Came(source.how) if seen else _EMPTY


def _complete(
    sources: dict[Need, _Source],
    call: Call,
    wanted: Sequence[Need],
    fetch: Fetch | None,
    templates: Mapping[Need, str],
) -> None:
    """Ask the server for missing needs and further pages, all at once; name what stays cut off."""
    queries: dict[str, str] = {}
    for need in wanted:
        source = sources.get(need)
        if source is None:
            url = _query(call, templates.get(need, template(need))) if fetch is not None else None
            if url is not None:
                queries[need.value] = url
            continue
        for at, found in enumerate(source.contents):
            if found.next_page.startswith("?"):  # of the address of this page, which nobody told
                source.why = "more pages, at an address that is not whole"
            elif found.next_page:
                queries[f"{need.value} {at}"] = found.next_page
                if fetch is None:
                    source.why = f"more pages, and {_NO_ACCESS}"
    if fetch is None or not queries:
        return
    for name, answer in fetch.gather(queries).items():
        need = Need(name.split()[0])
        _add_answer(sources.setdefault(need, _Source("fetched")), answer, TYPES[need])


def _query(call: Call, text: str) -> str | None:
    return expand(
        text,
        patient_id=bare_id(call.patient_id, "Patient"),
        user_id=call.user_id or "",
        encounter_id=bare_id(call.encounter_id or "", "Encounter"),
    )


def _add_answer(source: _Source, answer: Pages | FhirReadError, kind: str) -> None:
    """Add what the server answered, or why it did not."""
    if isinstance(answer, FhirReadError):
        source.why = source.why or f"the FHIR server: {answer}"
        return
    source.why = source.why or answer.cut
    for body in answer.bodies:
        try:
            found = content(body, kind)
        except (BadRequest, RecursionError, UnicodeDecodeError, msgspec.DecodeError):
            found = None
        if found is None or not answers(found, kind):
            source.why = source.why or "the FHIR server: an answer that could not be read"
        else:
            source.contents.append(found)
