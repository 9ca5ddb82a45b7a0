"""Parameter files `parameters/<topic>.yaml`: numbers with their unit, boundary and dated,
cited values.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cds_service.knowledge.files import Shelf
from cds_service.knowledge.model import DatedValue, Parameter
from cds_service.knowledge.numbers import Boundary
from cds_service.knowledge.reading import Reading, dated_values
from cds_service.knowledge.strict_yaml import Loaded, Route
from cds_service.knowledge.units import UNITS, WHOLE


def read_parameters(
    reading: Reading, shelves: tuple[Shelf, ...], sources: Iterable[str]
) -> dict[str, Parameter]:
    """Every parameter by name; one of a later shelf replaces ours, and keeps to its unit."""
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
                _fits(reading, loaded, here[name], found.get(name))
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
    if values and values[0].value is None:
        place = (name, "values", values[0].since)
        reading.faults.append(loaded.fault(place, "the first value is withdrawn", "a number"))
    return Parameter(
        name=name,
        says=entry["says"],
        unit=entry["unit"],
        boundary=Boundary(entry["boundary"]),
        basis=entry["basis"],
        values=values,
        file=loaded.file,
    )


def _fits(reading: Reading, loaded: Loaded, parameter: Parameter, ours: Parameter | None) -> None:
    """Faults where a unit is not one of ours, or not that of our parameter, since no rule converts;
    where the limit is met on its other side; and where a value cannot be meant.
    """
    allowed = UNITS if ours is None else (ours.unit,)
    if parameter.unit not in allowed:
        reading.faults.append(
            loaded.fault(
                (parameter.name, "unit"),
                f"the unit {parameter.unit!r} of {parameter.name}",
                ", ".join(allowed),
            )
        )
    if ours is not None and parameter.boundary.is_upper != ours.boundary.is_upper:
        sides = [each.value for each in Boundary if each.is_upper == ours.boundary.is_upper]
        what = f"{parameter.boundary.value!r} turns {parameter.name} round"
        reading.faults.append(loaded.fault((parameter.name, "boundary"), what, " or ".join(sides)))
    route = (parameter.name, "values")
    amounts(reading, loaded, route, parameter.values, parameter.unit, ours)


def amounts(
    reading: Reading,
    loaded: Loaded,
    route: Route,
    values: Iterable[DatedValue],
    unit: str,
    ours: Parameter | None,
) -> None:
    """A fault for each value at `route` that is a part of a day or a month, or less than nothing where
    ours never is.
    """
    whole = WHOLE.get(unit)
    positive = ours is not None and all(v.value is None or v.value >= 0 for v in ours.values)
    for dated in values:
        if dated.value is None:
            continue
        if whole is not None and dated.value % 1:
            reading.faults.append(
                loaded.fault((*route, dated.since), f"{dated.value} {unit}", whole)
            )
        if positive and dated.value < 0:
            reading.faults.append(
                loaded.fault((*route, dated.since), f"{dated.value} is below 0", "0 or more")
            )
