"""What the source documents ask for and where it went: `statements.yaml`, read strictly."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from cds_service.knowledge.strict_yaml import load

FILE = Path(__file__).with_name("statements.yaml")
_PLACES = ("criteria", "where", "not_computable")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a source in our words. Exactly one of the last three says where it went."""

    source: str
    at: str
    says: str
    criteria: tuple[str, ...] = ()
    where: str = ""
    not_computable: str = ""


def load_statements(
    sources: Collection[str], criteria: Collection[str], file: Path = FILE
) -> tuple[Statement, ...]:
    """Every statement, each of a known source and leading to known criteria. Raises
    KnowledgeError.
    """
    loaded = load(file, file.name)
    found: list[Statement] = []
    for index, said in enumerate(loaded.data):
        for key in said:
            if key not in ("source", "at", "says", *_PLACES):
                raise loaded.fault(
                    (index, key), f"unknown key {key!r}", f"source, at, says, {', '.join(_PLACES)}"
                )
        if sum(place in said for place in _PLACES) != 1:
            raise loaded.fault(
                (index,), "it does not say where it went", f"one of {', '.join(_PLACES)}"
            )
        if said["source"] not in sources:
            raise loaded.fault((index, "source"), f"unknown source {said['source']!r}")
        for name in said.get("criteria", ()):
            if name not in criteria:
                raise loaded.fault((index, "criteria"), f"unknown criterion {name!r}")
        found.append(Statement(**{**said, "criteria": tuple(said.get("criteria", ()))}))
    return tuple(found)
