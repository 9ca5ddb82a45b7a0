"""The drug sources as CSV files: RxNorm extract, opioid-cds-r4 tables and value sets, NDC
crosswalk.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cds_service.knowledge.drugs.ingredients import Ingredients, Supplement, read_classes
from cds_service.knowledge.drugs.model import DrugClass
from cds_service.knowledge.drugs.rxnorm_names import read_name

_DRUG_SETS = (
    "opioid-analgesics-with-ambulatory-misuse-potential",
    "extended-release-opioid-with-ambulatory-misuse-potential",
    "buprenorphine-and-methadone-medications",
    "buprenorphine-medications",
    "methadone-medications",
    "fentanyl-type-medications",
    "non-synthetic-opioid-medications",
    "synthetic-opioid-medications",
    "oxycodone-medications",
    "naloxone-medications",
    "benzodiazepine-medications",
    "barbiturate-medications",
)
_SLOW_SET = "extended-release-opioid-with-ambulatory-misuse-potential"
# The reference set of CNS depressants holds stimulants and inhaled anaesthetics; only these of it
# are
# depressants in the sense of the guideline.
_DEPRESSANT_SET = "cns-depressant-medications"
_DEPRESSANTS = ("zolpidem", "sodium oxybate")
_SKIPPED_CLASS = "oud_adjunct"  # lofexidine is neither an opioid nor a sedative of the guideline
_KNOWN_CLASSES = frozenset(c.value for c in DrugClass)


@dataclass(frozen=True, slots=True)
class Row:
    """A concept as a source gives it; ingredients may be missing and are then read from the
    name.
    """

    rxcui: str
    tty: str
    name: str
    ingredients: tuple[str, ...] = ()
    dose_form: str = ""


class Sources:
    """All rows of a source directory, the richest source of a code first."""

    def __init__(self, directory: Path, supplement: Supplement) -> None:
        self._directory = directory
        self._supplement = supplement

    @cached_property
    def _concepts(self) -> list[dict[str, str]]:
        files = sorted((self._directory / "rxnorm").glob("concepts_*.csv"))
        return [row for file in files for row in _read(file)]

    @cached_property
    def _crosswalk(self) -> list[dict[str, str]]:
        files = sorted((self._directory / "rxnorm").glob("ndc_rxcui_*.csv"))
        return [row for file in files for row in _read(file) if row["drug_class"] != _SKIPPED_CLASS]

    @cached_property
    def _sets(self) -> list[tuple[str, str, str]]:
        wanted = {*_DRUG_SETS, _DEPRESSANT_SET}
        rows = []
        for row in _read(self._directory / "opioid-valuesets.csv"):
            name = row["canonical_url"].rpartition("/")[2]
            if name in wanted and "rxnorm" in row["code_system"]:
                rows.append((name, row["code"], row["display"]))
        return rows

    @property
    def released(self) -> str:
        """The date of the newest row, which is that of the RxNorm release."""
        return max(row["date"] for row in self._concepts if row["status"] == "prescribable")

    @property
    def slow(self) -> frozenset[str]:
        """Codes of the reference set of extended-release and long-acting opioids."""
        return frozenset(code for name, code, _ in self._sets if name == _SLOW_SET)

    def ndcs(self) -> Iterator[tuple[str, str]]:
        """NDC in eleven digits and RxNorm code, sorted."""
        yield from sorted({(row["ndc11"], row["rxcui"]) for row in self._crosswalk})

    def ingredients(self) -> Ingredients:
        """Codes and classes: those of the sources, then those kept by hand, which win."""
        codes: dict[str, str] = {}
        classes: dict[str, frozenset[DrugClass]] = {}
        for row in self._concepts:
            names = row["ingredient_names"].lower().split("|")
            codes.update(zip(names, row["ingredient_rxcuis"].split("|"), strict=True))
            if row["tty"] == "IN":
                known = [c for c in row["drug_class"].split("|") if c in _KNOWN_CLASSES]
                classes[names[0]] = read_classes(",".join(known))
        for name, (code, kept) in self._supplement.ingredients.items():
            codes[name] = code or codes.get(name, "")
            classes[name] = kept
        return Ingredients(codes, classes, self._supplement.words)

    def rows(self) -> Mapping[str, Row]:
        """Every concept once, by its code."""
        rows: dict[str, Row] = {}
        sources = (self._from_concepts, self._from_table, self._from_crosswalk, self._from_names)
        for row in (row for read in sources for row in read()):
            rows.setdefault(row.rxcui, row)
        for name, code in self.ingredients().codes.items():
            if code:
                rows.setdefault(code, Row(code, "IN", name, (name,)))
        return rows

    def _from_concepts(self) -> Iterator[Row]:
        for row in self._concepts:
            names = tuple(row["ingredient_names"].lower().split("|"))
            yield Row(row["rxcui"], row["tty"], row["name"], names, row["dose_form"])

    def _from_table(self) -> Iterator[Row]:
        for row in _read(self._directory / "opioid-drugs.csv"):
            yield Row(row["rxcui"], row["tty"], row["drug_name"], (), row["dose_form"])

    def _from_crosswalk(self) -> Iterator[Row]:
        for row in self._crosswalk:
            names = tuple(row["ingredient_names"].lower().split("|"))
            yield Row(
                row["rxcui"], row["tty"], row["name"], names, read_name(row["name"]).dose_form
            )

    def _from_names(self) -> Iterator[Row]:
        for set_name, code, display in self._sets:
            if set_name != _DEPRESSANT_SET or any(word in display.lower() for word in _DEPRESSANTS):
                yield _named(code, display)
        for code, name in self._supplement.concepts.items():
            yield _named(code, name)


def _named(code: str, name: str) -> Row:
    """A row known by its name only; brand, form and braces tell the term type."""
    read = read_name(name)
    branded = name.endswith("]")
    if name.startswith("{"):
        tty = "BPCK" if branded else "GPCK"
    elif read.dose_form:
        tty = "SBD" if branded else "SCD"
    else:
        tty = "SBDC" if branded else "SCDC"
    return Row(code, tty, name, (), read.dose_form)


def _read(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
