"""Load every knowledge file, strictly, into one `Knowledge`.

A site directory laid over ours has the same folders; what has the same id there wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cds_service.errors import KnowledgeError
from cds_service.knowledge.factor_files import read_factor_table
from cds_service.knowledge.files import Shelf, digest, shelves
from cds_service.knowledge.model import FactorTable, Knowledge, Source
from cds_service.knowledge.parameter_files import read_parameters
from cds_service.knowledge.payer_files import read_payers
from cds_service.knowledge.reading import Reading
from cds_service.knowledge.valueset_files import Draft, read_drafts, resolve

DEFAULT_FACTORS = "cdc-2022"


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was read: the knowledge (sound if there is no fault), faults and reviews, value
    set files.
    """

    knowledge: Knowledge
    reading: Reading
    drafts: dict[str, Draft]
    shelves: tuple[Shelf, ...]


def load_knowledge(
    root: Path | None = None, overlay: Path | None = None, factors: str = DEFAULT_FACTORS
) -> Knowledge:
    """All knowledge, checked; `factors` is the id of the MME factor table.

    Raises KnowledgeError, the first fault with a note of the others.
    """
    gathered = gather(root, overlay, factors)
    faults = gathered.reading.faults
    if faults:
        if len(faults) > 1:
            faults[0].add_note(f"and {len(faults) - 1} more: see cds-service check")
        raise faults[0]
    return gathered.knowledge


def gather(
    root: Path | None = None, overlay: Path | None = None, factors: str = DEFAULT_FACTORS
) -> Gathered:
    """Read everything and keep what is wrong with it. Raises KnowledgeError for a directory that
    is missing or cannot be walked.
    """
    found = shelves(root, overlay)
    reading = Reading()
    for shelf in found:
        reading.faults.extend(shelf.strays())
    sources = _sources(reading, found)
    names, urls = _systems(reading, found)
    parameters = read_parameters(reading, found, sources)
    payers = read_payers(reading, found, parameters, sources)
    drafts = read_drafts(reading, found, names, sources)
    table = read_factor_table(reading, found, factors, sources)
    knowledge = Knowledge(
        parameters=parameters,
        valuesets=resolve(reading, drafts),
        sources=sources,
        payers=payers,
        factors=table or FactorTable(factors, "", ""),
        system_names=names,
        system_urls=urls,
        version=_version(reading, found),
        reviewed={review.subject: (review.on, review.again) for review in reading.reviews},
    )
    return Gathered(knowledge, reading, drafts, found)


def _version(reading: Reading, shelves: tuple[Shelf, ...]) -> str:
    try:
        return digest(shelves)
    except KnowledgeError as fault:
        if str(fault) not in map(str, reading.faults):
            reading.faults.append(fault)
        return ""


def _sources(reading: Reading, shelves: tuple[Shelf, ...]) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for shelf in shelves:
        for _, loaded in reading.documents(shelf, "sources"):
            for id, entry in loaded.data.items():
                published = str(entry["date"])
                found[id] = Source(
                    id, entry["title"], entry["publisher"], published, entry.get("url", "")
                )
    return found


def _systems(reading: Reading, shelves: tuple[Shelf, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """Every spelling of a code system, also in lower case, to its short name, and each short name to
    its canonical URL.
    """
    names: dict[str, str] = {}
    urls: dict[str, str] = {}
    for shelf in shelves:
        for _, loaded in reading.documents(shelf, "systems"):
            for short, entry in loaded.data.items():
                urls[short] = entry["url"]
                for spelling in (short, entry["url"], *entry.get("also", ())):
                    names.setdefault(spelling.lower(), short)
                    if names.setdefault(spelling, short) != short:
                        reading.faults.append(
                            loaded.fault(
                                (short,), f"{spelling!r} belongs to {names[spelling]}", "one system"
                            )
                        )
    return names, urls
