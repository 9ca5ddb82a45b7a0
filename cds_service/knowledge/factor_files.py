"""Factor tables `drugs/factors/<id>.yaml`: MME per milligram, microgram or microgram an
hour of an opioid.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds_service.errors import KnowledgeError
from cds_service.knowledge.files import Shelf
from cds_service.knowledge.model import FactorRow, FactorTable
from cds_service.knowledge.reading import Reading
from cds_service.knowledge.strict_yaml import Loaded


def read_factor_table(
    reading: Reading, shelves: tuple[Shelf, ...], id: str, sources: Iterable[str]
) -> FactorTable | None:
    """The chosen table; one of a later shelf replaces ours. None, with a fault, if there is
    none.
    """
    paths = {path.stem: (shelf, path) for shelf in shelves for path in shelf.files("factors")}
    if id not in paths:
        where = shelves[0].label + "/drugs/factors"
        reading.faults.append(
            KnowledgeError(where, None, f"no factor table {id!r}", ", ".join(sorted(paths)))
        )
        return None
    shelf, path = paths[id]
    loaded = reading.document(path, shelf.name(path), "factors")
    return None if loaded is None else _table(reading, loaded, path, sources)


def factor_ids(shelves: tuple[Shelf, ...]) -> list[str]:
    """The ids of the tables there are."""
    return sorted({path.stem for shelf in shelves for path in shelf.files("factors")})


def _table(reading: Reading, loaded: Loaded, path: Path, sources: Iterable[str]) -> FactorTable:
    data = loaded.data
    if data["id"] != path.stem:
        reading.faults.append(
            loaded.fault(("id",), f"the id {data['id']!r} in {path.name}", path.stem)
        )
    reading.unknown(loaded, ("source",), "source", data["source"], sources, "sources")
    reading.reviewed(loaded, ("reviewed",), f"factor table {data['id']}", data["reviewed"])
    rows = []
    for index, entry in enumerate(data["rows"]):
        row = _row(entry)
        if row.above is not None and row.up_to is not None and row.up_to <= row.above:
            place = ("rows", index, "up_to")
            reading.faults.append(
                loaded.fault(place, f"up to {row.up_to} mg", f"more than {row.above}")
            )
        rows.append(row)
    return FactorTable(
        id=data["id"],
        label=data["label"],
        source=data["source"],
        rows=tuple(rows),
        never=dict(data.get("never", {})),
    )


def _row(entry: dict[str, Any]) -> FactorRow:
    def tier(key: str) -> Decimal | None:
        return Decimal(entry[key]) if key in entry else None

    return FactorRow(
        ingredient=entry["ingredient"],
        factor=Decimal(entry["factor"]),
        per=entry.get("per", "mg"),
        routes=frozenset(entry.get("routes", ())),
        forms=tuple(entry.get("forms", ())),
        above=tier("above"),
        up_to=tier("up_to"),
    )
