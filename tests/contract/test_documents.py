"""The documents for operators and integrators: made from what they describe, and complete."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest

from cds_service.about import CASES_FILE
from cds_service.assembly import load_service
from cds_service.catalogue.build_sheet import build_sheet
from cds_service.catalogue.guide import WORDS, configuration, guide, orders, sizing, storage
from cds_service.cli.docs import targets
from cds_service.errors import KnowledgeError
from cds_service.knowledge.strict_yaml import load
from cds_service.memory.tables import metadata
from cds_service.protocol.preference_list import ORDERED
from cds_service.service import Service
from cds_service.settings import Mode, Settings

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Service]:
    """The service of a site with an address of its own."""
    settings = Settings(mode=Mode.TEST, public_url="https://cds.st-elsewhere.example.org/")
    service = load_service(settings)
    yield service
    service.close()


def test_every_document_is_made_by_one_command() -> None:
    made = {path.resolve() for path in targets(ROOT / "tests" / "cases", ROOT / "docs")}
    names = ("cards/CATALOGUE.md", "docs/build-sheet.md", "docs/operators-guide.md")
    assert made == {CASES_FILE.resolve(), *(ROOT / name for name in names)}


def test_the_build_sheet_is_made_for_the_site_that_asks(elsewhere: Service) -> None:
    sheet = build_sheet(elsewhere)
    assert "https://cds.st-elsewhere.example.org/cds-services/opioid-safety/feedback" in sheet
    assert "example.org//" not in sheet and "https://cds.example.org" not in sheet


def test_the_build_sheet_tells_all_of_discovery(elsewhere: Service) -> None:
    sheet = build_sheet(elsewhere)
    for entry in elsewhere.discovery()["services"]:
        assert f"### {entry['id']} on {entry['hook']}" in sheet
        for key, query in entry["prefetch"].items():
            assert f"| `{key}` | `{query}` |" in sheet


def test_the_build_sheet_names_every_card_reason_and_link_host(elsewhere: Service) -> None:
    sheet, library = build_sheet(elsewhere), elsewhere.library
    assert all(f"| `{card}` | " in sheet for card in library.cards)
    assert all(f"`{reason.code}`" in sheet for reason in library.override_reasons.values())
    links = [url for card in library.cards.values() for _, url in card.links]
    hosts = {urlsplit(url).netloc for url in links}
    assert hosts and all(f"| `{host}` | " in sheet for host in hosts)
    assert "`patient/Medication.rs`" in sheet and "`patient/Observation.read`" in sheet


def test_what_is_stored_is_told_by_table_and_column() -> None:
    told = "\n".join(storage())
    assert all(f"`{name}`" in told for name in metadata.tables)
    assert all(
        f"`{column.name}`" in told for table in metadata.tables.values() for column in table.columns
    )


def test_every_setting_is_explained_and_listed() -> None:
    said = load(WORDS, WORDS.name).data
    assert set(said) == set(Settings.model_fields), "say it in catalogue/settings.yaml"
    listed = "\n".join(configuration())
    for name in Settings.model_fields:
        assert f"`CDS_{name.upper()}`" in listed
    assert "`demo`, `test`, `production`" in listed and "0 to 65535" in listed


def test_a_setting_that_does_not_exist_is_a_fault(tmp_path: Path) -> None:
    words = tmp_path / "settings.yaml"
    words.write_text("nonsense: What is this.\n")
    with pytest.raises(KnowledgeError, match="no setting is called nonsense"):
        list(configuration(words))


def test_a_guide_without_its_made_parts_is_a_fault(tmp_path: Path, elsewhere: Service) -> None:
    with pytest.raises(KnowledgeError, match="its made parts differ"):
        guide("# Guide\n", tmp_path / "measured.json", elsewhere.library)


def test_every_order_that_a_site_can_map_is_listed_with_its_cards(elsewhere: Service) -> None:
    listed = {row.split("`")[1]: row for row in orders(elsewhere.library) if row.startswith("| `")}
    kinds = {name: order.kind for name, order in elsewhere.library.orders.items()}
    assert set(listed) == {name for name, kind in kinds.items() if kind in ORDERED}
    assert "`RXNORM#1725059`" in listed["naloxone"]
    assert "naloxone-offer" in listed["naloxone"]
    assert all(row.split("|")[6].strip() for row in listed.values())


def test_measured_figures_are_shown_as_they_were_recorded(tmp_path: Path) -> None:
    measured = tmp_path / "measured.json"
    row = {"resources": 200, "p50": 2.1, "p99": 4.0, "rate": 700}
    whole = {
        "on": "2026-11-21",
        "machine": "x",
        "workers": 2,
        "threads": 4,
        "memory_mb": 140,
        "ready_s": 1.0,
    }
    measured.write_bytes(orjson.dumps({**whole, "rows": [row]}))
    assert "| 200 | 2.1 | 4.0 | 700 |" in list(sizing(measured))
