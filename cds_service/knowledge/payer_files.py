"""Payer files `payers/<id>.yaml`: how a payer is recognised, what it turns on, overrides
and offers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from cds_service.knowledge.files import Shelf
from cds_service.knowledge.model import Contact, Parameter, Payer
from cds_service.knowledge.parameter_files import amounts
from cds_service.knowledge.payers import words
from cds_service.knowledge.reading import Reading, dated_values
from cds_service.knowledge.strict_yaml import Loaded


def read_payers(
    reading: Reading,
    shelves: tuple[Shelf, ...],
    parameters: Mapping[str, Parameter],
    sources: Iterable[str],
) -> tuple[Payer, ...]:
    """Every payer, by id; one of a later shelf replaces ours."""
    found: dict[str, Payer] = {}
    files: dict[str, Loaded] = {}
    for shelf in shelves:
        for path, loaded in reading.documents(shelf, "payers"):
            payer = _payer(reading, loaded, path, parameters, sources)
            found[payer.id] = payer
            files[payer.id] = loaded
    _tell_apart(reading, found.values(), files)
    return tuple(found[id] for id in sorted(found))


def _tell_apart(reading: Reading, payers: Iterable[Payer], files: Mapping[str, Loaded]) -> None:
    """A fault where two payers go by one name or identifier: a coverage would be of both."""
    first: dict[str, str] = {}
    for payer in payers:
        for key, texts in (("identifiers", payer.identifiers), ("names", map(words, payer.names))):
            for text in sorted(set(texts)):
                other = first.setdefault(text, payer.id)
                if other != payer.id:
                    what = f"{text.strip()!r} stands for {other} already"
                    fault = files[payer.id].fault(("recognise", key), what, "one payer")
                    reading.faults.append(fault)


def _payer(
    reading: Reading,
    loaded: Loaded,
    path: Path,
    parameters: Mapping[str, Parameter],
    sources: Iterable[str],
) -> Payer:
    data = loaded.data
    if data["id"] != path.stem:
        reading.faults.append(
            loaded.fault(("id",), f"the id {data['id']!r} in {path.name}", path.stem)
        )
    if "reviewed" in data:
        reading.reviewed(loaded, ("reviewed",), f"payer {data['id']}", data["reviewed"])
    overrides = {}
    for name in data.get("overrides", {}):
        place = ("overrides", name)
        reading.unknown(loaded, place, "parameter", name, parameters, "parameters")
        overrides[name] = dated_values(reading, loaded, place, sources)
        if (ours := parameters.get(name)) is not None:
            amounts(reading, loaded, place, overrides[name], ours.unit, ours)
    recognise = data["recognise"]
    return Payer(
        id=data["id"],
        name=data["name"],
        identifiers=frozenset(recognise.get("identifiers", ())),
        names=tuple(recognise.get("names", ())),
        turns_on=frozenset(data.get("turns_on", ())),
        overrides=overrides,
        contacts={key: Contact(**contact) for key, contact in data.get("contacts", {}).items()},
        holidays=frozenset(data.get("holidays", ())),
        links=tuple((link["label"], link["url"]) for link in data.get("links", ())),
    )
