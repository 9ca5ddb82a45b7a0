"""`cds-service check` for the knowledge: every fault at once, and what is due for review."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cds_service.errors import KnowledgeError
from cds_service.knowledge import strict_yaml
from cds_service.knowledge.code_shapes import check_digit_fits
from cds_service.knowledge.factor_files import factor_ids, read_factor_table
from cds_service.knowledge.loader import DEFAULT_FACTORS, Gathered, gather
from cds_service.knowledge.reading import Reading, nearest
from cds_service.knowledge.valueset_files import Draft


@dataclass(frozen=True, slots=True)
class KnowledgeWarning:
    """Something to look at that does not stop the service."""

    file: str
    line: int | None
    what: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the rules declare: numbers, value sets, and criteria that a payer turns on."""

    numbers: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    gated: frozenset[str] = frozenset()


def check_all(
    root: Path | None = None,
    overlay: Path | None = None,
    factors: str = DEFAULT_FACTORS,
    as_of: date | None = None,
    asked: Asked | None = None,
) -> list[KnowledgeError | KnowledgeWarning]:
    """Everything wrong with the knowledge files, then the warnings.

    With `as_of` it warns of reviews that are due; with `asked` it looks for names that only one
    side knows.
    """
    gathered = gather(root, overlay, factors)
    found: list[KnowledgeError | KnowledgeWarning] = list(gathered.reading.faults)
    found.extend(_other_factor_tables(gathered, factors))
    found.extend(_check_digits(gathered))
    if asked is not None:
        found.extend(_unknown_names(gathered, asked))
        found.extend(_unused(gathered, asked))
    if as_of is not None:
        found.extend(review_warnings(as_of, gathered))
    return found


def review_warnings(as_of: date, gathered: Gathered | None = None) -> list[KnowledgeWarning]:
    """What should have been reviewed again before `as_of`."""
    reviews = (gathered or gather()).reading.reviews
    return [
        KnowledgeWarning(r.file, r.line, f"{r.subject} was to be reviewed again by {r.again}")
        for r in reviews
        if r.again < as_of
    ]


def _other_factor_tables(gathered: Gathered, chosen: str) -> list[KnowledgeError]:
    reading = Reading(broken=set(gathered.reading.broken))
    for id in factor_ids(gathered.shelves):
        if id != chosen:
            read_factor_table(reading, gathered.shelves, id, gathered.knowledge.sources)
    return reading.faults


def _check_digits(gathered: Gathered) -> list[KnowledgeError]:
    return [
        KnowledgeError(draft.loaded.file, draft.lines[code], f"{code} has a wrong check digit")
        for draft in gathered.drafts.values()
        for code in sorted(draft.exact)
        if not check_digit_fits(code.system, code.code)
    ]


def _unknown_names(gathered: Gathered, asked: Asked) -> list[KnowledgeError]:
    """Names that a rule declares and no file has, and gates in a payer file that no rule has."""
    knowledge = gathered.knowledge
    label = gathered.shelves[0].label
    found = [
        KnowledgeError(
            f"{label}/{folder}",
            None,
            f"no {what} {name!r}, which a rule reads",
            nearest(name, known),
        )
        for what, folder, wanted, known in (
            ("parameter", "parameters", asked.numbers, knowledge.parameters),
            ("value set", "valuesets", asked.codes, knowledge.valuesets),
        )
        for name in sorted(wanted - set(known))
    ]
    for shelf in gathered.shelves:
        for path in shelf.files("payers"):
            found.extend(_unknown_gates(path, shelf.name(path), asked.gated))
    return found


def _unknown_gates(path: Path, name: str, gated: Iterable[str]) -> list[KnowledgeError]:
    try:
        loaded = strict_yaml.load(path, name)
    except KnowledgeError:
        return []  # already among the faults
    turned_on = loaded.data.get("turns_on", ()) if isinstance(loaded.data, dict) else ()
    if not isinstance(turned_on, list):
        return []  # already among the faults
    return [
        loaded.fault(
            ("turns_on", index), f"unknown gated criterion {gate!r}", ", ".join(sorted(gated))
        )
        for index, gate in enumerate(turned_on)
        if gate not in gated
    ]


def _unused(gathered: Gathered, asked: Asked) -> list[KnowledgeWarning]:
    """Numbers that change nothing, and value sets of a site that change nothing or hold nothing."""
    found = [
        KnowledgeWarning(parameter.file, None, f"no rule reads {name}")
        for name, parameter in gathered.knowledge.parameters.items()
        if name not in asked.numbers
    ]
    drafts = gathered.drafts
    read = asked.codes.union(*(_parts(draft) for draft in drafts.values()))
    own = tuple(f"{shelf.label}/" for shelf in gathered.shelves[1:])
    for name, draft in drafts.items():
        if not draft.loaded.file.startswith(own):
            continue
        if name not in read:
            what = f"no rule and no value set reads {name}"
            found.append(KnowledgeWarning(draft.loaded.file, None, what))
        if not (draft.exact or draft.prefixes or _parts(draft)):
            found.append(KnowledgeWarning(draft.loaded.file, None, f"{name} holds no code"))
    return found


def _parts(draft: Draft) -> list[str]:
    """The value sets that one is made of."""
    data = draft.loaded.data
    return [*data.get("include", ()), *data.get("except", ())]
