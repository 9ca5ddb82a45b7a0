"""The synthetic patients and their stories, from `fhir_fixtures/patients`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any

from cds_service.clinical.dates import years_between
from cds_service.knowledge.strict_yaml import load
from cds_service.shipped import shipped

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """Who a patient is and what there is to see. `order` fills in the order form."""

    id: str
    group: str
    title: str
    story: str
    shows: str = ""
    order: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Patient:
    """One synthetic chart."""

    story: Story
    resources: tuple[Resource, ...] = field(repr=False)

    @property
    def id(self) -> str:
        """The id of the Patient resource and of the page."""
        return self.story.id

    @property
    def name(self) -> str:
        """Family name, given names."""
        name = self._person["name"][0]
        return f"{name['family']}, {' '.join(name['given'])}"

    @property
    def sex(self) -> str:
        """Administrative gender."""
        return str(self._person["gender"])

    @property
    def born(self) -> date:
        """Date of birth."""
        return date.fromisoformat(self._person["birthDate"])

    @property
    def number(self) -> str:
        """The medical record number."""
        return str(self._person["identifier"][0]["value"])

    def age(self, as_of: date) -> int:
        """Completed years."""
        return years_between(self.born, as_of)

    def of(self, *kinds: str) -> tuple[Resource, ...]:
        """The resources of these types in chart order."""
        return tuple(r for r in self.resources if r["resourceType"] in kinds)

    @property
    def _person(self) -> Resource:
        return self.of("Patient")[0]


@cache
def patients() -> Mapping[str, Patient]:
    """All synthetic patients by id, in the order of their stories."""
    return MappingProxyType({patient.id: patient for patient in _read()})


def _read() -> Iterator[Patient]:
    folder = shipped("fhir_fixtures") / "patients"
    for entry in load(folder / "stories.yaml").data:
        story = Story(**entry)
        bundle = json.loads((folder / f"{story.id}.json").read_bytes())
        yield Patient(story, tuple(each["resource"] for each in bundle["entry"]))
