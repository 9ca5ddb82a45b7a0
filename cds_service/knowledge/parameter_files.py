"""Parameter files `parameters/<topic>.yaml`: numbers with their unit, boundary and dated,
cited values.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cds_service.knowledge.files import Shelf
from cds_service.knowledge.model import Parameter
from cds_service.knowledge.numbers import Boundary
from cds_service.knowledge.reading import Reading, dated_values
from cds_service.knowledge.strict_yaml import Loaded


def read_parameters(
    reading: Reading, shelves: tuple[Shelf, ...], sources: Iterable[str]
) -> dict[str, Parameter]:
    """Every parameter by name; one of a later shelf replaces ours."""
    found: dict[str, Parameter] = {}
    for shelf in shelves:
        here: dict[str, Parameter] = {}
        for path, loaded in reading.documents(shelf, "parameters"):
            for name in loaded.data:
                if name in here:
                    first = here[name].file
                    reading.faults.append(
                        loaded.fault(
                            (name,), f"the parameter {name!r} stands in {first} already", "once"
                        )
                    )
                    continue
                here[name] = _parameter(reading, loaded, path, name, sources)
        found |= here
    return found


def _parameter(
    reading: Reading, loaded: Loaded, path: Path, name: str, sources: Iterable[str]
) -> Parameter:
    entry = loaded.data[name]
    if name.partition(".")[0] != path.stem:
        reading.faults.append(
            loaded.fault(
                (name,), f"the parameter {name!r} in {path.name}", f"names that begin {path.stem}."
            )
        )
    reading.reviewed(loaded, (name, "reviewed"), name, entry["reviewed"])
    values = dated_values(reading, loaded, (name, "values"), sources)
    for dated in values:
        place = (name, "values", dated.since)
        if dated is values[0] and dated.value is None:
            reading.faults.append(loaded.fault(place, "the first value is withdrawn", "a number"))
        if entry["unit"] == "days" and dated.value is not None and dated.value % 1:
            reading.faults.append(loaded.fault(place, f"{dated.value} days", "whole days"))
    return Parameter(
        name=name,
        says=entry["says"],
        unit=entry["unit"],
        boundary=Boundary(entry["boundary"]),
        basis=entry["basis"],
        values=values,
        file=loaded.file,
    )
