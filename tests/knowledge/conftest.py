"""A small knowledge directory that tests change one fault at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

REVIEWED = "reviewed: {on: 2026-11-20, by: [author, second reader], again: 2027-11-20}\n"

FILES = {
    "sources.yaml": """\
guide: {title: A guide, publisher: A body, date: 2022-11-04, url: "https://example.org/guide"}
""",
    "systems.yaml": """\
SNOMED: {url: "http://snomed.info/sct", also: ["urn:oid:2.16.840.1.113883.6.96"]}
ICD10CM: {url: "http://hl7.org/fhir/sid/icd-10-cm"}
LOINC: {url: "http://loinc.org"}
NDC: {url: "http://hl7.org/fhir/sid/ndc"}
""",
    "parameters/opioid.yaml": f"""\
opioid.dose:
  says: Daily dose.
  unit: MME/day
  boundary: at or above
  basis: public
  values:
    2016-03-18: {{value: 90, source: guide, at: page 1}}
    2022-11-04: {{value: 49.50, source: guide, at: page 2}}
    2024-01-01: {{value: null, source: guide, at: page 3}}
  {REVIEWED}""",
    "payers/plan.yaml": f"""\
id: plan
name: The Plan
recognise: {{identifiers: ["urn:x#7"], names: [the plan]}}
turns_on: [a-gate]
overrides:
  opioid.dose:
    2023-01-01: {{value: 60, source: guide, at: policy}}
    2025-01-01: {{value: null, source: guide, at: policy}}
contacts: {{help: {{label: Help, phone: "1", url: "https://example.org", note: by day}}}}
links: [{{label: Plan, url: "https://example.org"}}]
holidays: [2026-12-25]
{REVIEWED}""",
    "valuesets/back.yaml": f"""\
says: Back pain.
source: guide
codes: |
  # comment lines and empty lines are allowed

  ICD10CM#M54.5* Low back pain
  ICD10CM#M54.9 Dorsalgia
  SNOMED#279039007 Low back pain
{REVIEWED}""",
    "valuesets/listed.yaml": f"""\
says: The same as a list.
source: guide
codes:
  - LOINC#97909-6 Oswestry disability index
  - NDC#0023-6011-60
  - urn:local#x A code of a system without short name
{REVIEWED}""",
    "drugs/factors/cdc-2022.yaml": f"""\
id: cdc-2022
label: CDC 2022
source: guide
rows:
  - {{ingredient: codeine, factor: 0.15}}
  - {{ingredient: methadone, factor: 4, above: 0, up_to: 20}}
  - {{ingredient: fentanyl, factor: 2.4, per: mcg/h, routes: [transdermal]}}
never: {{buprenorphine: partial agonist}}
{REVIEWED}""",
}

Write = Callable[[str, str], Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A sound knowledge directory."""
    home = tmp_path / "knowledge"
    for name, text in FILES.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return home


@pytest.fixture
def write(root: Path) -> Write:
    """Write one file of the knowledge directory."""

    def put(name: str, text: str) -> Path:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return put
