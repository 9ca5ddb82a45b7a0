"""Reading knowledge files: faults are gathered, not raised, so that one look shows them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from cds_service.errors import KnowledgeError
from cds_service.knowledge import schema
from cds_service.knowledge.files import Shelf
from cds_service.knowledge.model import DatedValue
from cds_service.knowledge.strict_yaml import Loaded, Route, load


@dataclass(frozen=True, slots=True)
class Review:
    """When something was reviewed and when it must be again."""

    subject: str
    file: str
    line: int
    on: date
    again: date


@dataclass(slots=True)
class Reading:
    """What has been found while reading; `broken` names the kinds with a file that could
    not be used.
    """

    faults: list[KnowledgeError] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def documents(self, shelf: Shelf, kind: str) -> Iterator[tuple[Path, Loaded]]:
        """The files of a kind that can be used."""
        for path in shelf.files(kind):
            loaded = self.document(path, shelf.name(path), kind)
            if loaded is not None:
                yield path, loaded

    def document(self, path: Path, name: str, kind: str) -> Loaded | None:
        """One file that fits the schema of its kind, else None."""
        try:
            loaded = load(path, name)
        except KnowledgeError as fault:
            found = [fault]
        else:
            found = schema.faults(loaded, kind)
            if not found:
                return loaded
        self.faults.extend(found)
        self.broken.add(kind)
        return None

    def reviewed(
        self, loaded: Loaded, route: Route, subject: str, data: Mapping[str, object]
    ) -> None:
        """Note a review; the next one must lie after it."""
        on, again = data["on"], data["again"]
        if not (isinstance(on, date) and isinstance(again, date)):
            self.faults.append(
                loaded.fault(route, f"the review dates of {subject}", "dates without quotes")
            )
        elif again <= on:
            self.faults.append(
                loaded.fault((*route, "again"), f"{again} is not after {on}", f"after {on}")
            )
        else:
            self.reviews.append(Review(subject, loaded.file, loaded.line(route), on, again))

    def unknown(
        self, loaded: Loaded, route: Route, what: str, name: str, known: Iterable[str], kind: str
    ) -> bool:
        """Whether `name` is not among `known`; a fault, unless a file of that kind could
        not be read.
        """
        if name in known:
            return False
        if kind not in self.broken:
            self.faults.append(
                loaded.fault(route, f"unknown {what} {name!r}", nearest(name, known))
            )
        return True


def dated_values(
    reading: Reading, loaded: Loaded, route: Route, sources: Iterable[str]
) -> tuple[DatedValue, ...]:
    """The dated values at `route`, oldest first as the file must have them."""
    data = loaded.data
    for part in route:
        data = data[part]
    found: list[DatedValue] = []
    for since, entry in data.items():
        place = (*route, since)
        if not isinstance(since, date):
            reading.faults.append(
                loaded.fault(place, f"the date {since!r}", "a date without quotes")
            )
            continue
        if found and since <= found[-1].since:
            reading.faults.append(
                loaded.fault(
                    place, f"{since} stands after {found[-1].since}", "the oldest value first"
                )
            )
        reading.unknown(loaded, (*place, "source"), "source", entry["source"], sources, "sources")
        value = None if entry["value"] is None else Decimal(entry["value"])
        found.append(DatedValue(since, value, entry["source"], entry["at"]))
    return tuple(found)


def nearest(name: str, known: Iterable[str], most: int = 60) -> str:
    """The allowed names as text; of a long list those that begin alike."""
    names = sorted(known)
    if len(names) > most:
        alike = [n for n in names if n[:1] == name[:1]]
        return ", ".join(alike[:most]) + f", ... ({len(names)} in all)"
    return ", ".join(names)
