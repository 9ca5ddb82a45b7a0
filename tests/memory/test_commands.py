"""`cds-service db` and `cds-service feedback` on a small database."""

from __future__ import annotations

import csv
import io
import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from cds_service.cli import commands
from cds_service.errors import SettingsError
from cds_service.memory.pseudonyms import Pseudonyms
from cds_service.memory.report import COLUMNS
from cds_service.memory.schema import is_current, upgrade
from cds_service.memory.store import Given, Memory
from cds_service.memory.tables import HEAD
from cds_service.settings import Settings
from tests.changes import replace
from tests.memory.samples import CARD, NOW, feedback, override

KEY = "0123456789abcdef"


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One card that was overridden with words from outside, one that was not answered."""
    url = f"sqlite:///{tmp_path / 'memory.db'}"
    monkeypatch.setenv("CDS_DATABASE_URL", url)
    monkeypatch.setenv("CDS_HASH_KEY", KEY)
    upgrade(url)
    memory = Memory(url)
    memory.issued(lambda: [CARD, replace(CARD, uuid="u2", card="pdmp-review")])
    memory.flush()
    words = Given(feedback("elsewhere", "overridden", reason_display="=cmd|' /C calc'!A0"))
    memory.record("anyone", "opioid-safety", [override(), words], NOW)
    memory.close()
    return url


def said(*words: str) -> str:
    ended = CliRunner().invoke(commands, list(words), terminal_width=200)
    assert ended.exit_code == 0, ended.output
    return ended.output


def test_the_report_in_json_and_as_a_table() -> None:
    lines = {
        line["card"]: line for line in json.loads(said("feedback", "report", "--format", "json"))
    }
    assert lines["opioid-dose"] == {
        "card": "opioid-dose",
        "fired": 1,
        "shown": 1,
        "silent": 0,
        "snoozed": 0,
        "accepted": 0,
        "overridden": 1,
        "reasons": {"clinical-judgement": 1},
        "median_seconds": 60.0,
    }
    assert lines["pdmp-review"]["median_seconds"] is None
    table = said("feedback", "report", "--by", "hook")
    for shown in ("order-sign", "snoozed", "accepted", "overridden", "clinical-judgement 1"):
        assert shown in table


def test_the_report_tells_of_criteria_and_is_a_sheet_too() -> None:
    shown = said("feedback", "report", "--by", "criterion")
    assert "opioid-dose-threshold" in shown
    text = said("feedback", "report", "--by", "criterion", "--format", "csv")
    rows = {row["criterion"]: row for row in csv.DictReader(io.StringIO(text))}
    threshold = rows["opioid-dose-threshold"]
    assert threshold["overridden"] == "1"
    assert threshold["reasons"] == "clinical-judgement 1"
    assert threshold["median_seconds"] == "60"
    listed = said("feedback", "export", "--by", "criterion")
    assert {row["criteria"] for row in csv.DictReader(io.StringIO(listed))} == {
        "opioid-dose-threshold",
        "",
    }


def test_the_export_is_a_sheet_without_formulas_or_json_lines() -> None:
    rows = list(csv.DictReader(io.StringIO(said("feedback", "export"))))
    assert tuple(rows[0]) == COLUMNS
    assert {row["reason"] for row in rows} == {"clinical-judgement", "'=cmd|' /C calc'!A0"}
    lines = [
        json.loads(line) for line in said("feedback", "export", "--format", "json").splitlines()
    ]
    assert len(lines) == 2
    assert said("feedback", "export", "--since", "2030-01-01").splitlines() == [",".join(COLUMNS)]


def test_days_the_wrong_way_round_are_no_empty_report() -> None:
    days = ["--since", "2026-05-01", "--until", "2026-05-01"]
    for words in (["report"], ["export"]):
        ended = CliRunner().invoke(commands, ["feedback", *words, *days])
        assert ended.exit_code == 2
        assert "a day after --since" in ended.output


def test_old_rows_and_clients_are_deleted() -> None:
    assert "issued_card: 0 rows" in said("db", "purge", "--before", "2024-01-01")
    assert "snooze: 1 rows" in said("db", "forget", "anyone", "--yes", "--audit")
    assert json.loads(said("feedback", "report", "--format", "json")) == []


def test_a_pseudonym_is_the_one_in_the_records() -> None:
    names = Pseudonyms(KEY.encode())
    assert said("db", "pseudonym", "ehr", "Patient/1").strip() == names.patient("ehr", "1")
    assert said("db", "pseudonym", "ehr", "Practitioner/1").strip() == names.person(
        "ehr", "Practitioner/1"
    )
    strangers = {names.patient("other", "1"), Pseudonyms(b"x").patient("ehr", "1")}
    assert names.patient("ehr", "1") not in strangers  # of another client, and under another key
    assert KEY not in repr(names)


def test_production_has_a_key_of_its_own() -> None:
    assert Settings(mode="production").hashing_key == KEY.encode()
    assert Settings(mode="test", hash_key="").hashing_key


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("canary", "not the address of"),
        ("mysql://canary/x", "not the address of"),
        ("canary+driver://x", "not the address of"),
        ("postgresql+psycopg://u:canary@localhost:port/x", "not the address of"),
        ("sqlite:////canary/x.db", "unable to open database file"),
        ("sqlite:///{here}", "unable to open database file"),
        ("sqlite:///{here}/junk", "file is not a database"),
        ("postgresql+psycopg://canary:canary@127.0.0.1:1/canary", "Connection refused"),
    ],
)
@pytest.mark.parametrize(
    "words", [("db", "upgrade"), ("db", "purge", "--before", "2026-01-01"), ("feedback", "report")]
)
def test_a_database_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, says: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "junk").write_bytes(b"no database at all" * 99)
    monkeypatch.setenv("CDS_DATABASE_URL", url.format(here=tmp_path))
    ended = CliRunner().invoke(commands, words)
    assert isinstance(ended.exception, SettingsError)
    said = str(ended.exception)
    assert said.startswith("CDS_DATABASE_URL: ")
    assert says in said
    assert "canary" not in said
    assert "\n" not in said


def test_a_command_tells_of_a_missing_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_DATABASE_URL", "sqlite://")
    ended = CliRunner().invoke(commands, ["feedback", "report"])
    assert str(ended.exception).endswith("run cds-service db upgrade")


def test_the_version_before_runs_on_a_newer_schema(database: str) -> None:
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert is_current(database)
    upgrade(database)
    with engine.connect() as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
        )
    assert HEAD < "9999"
    engine.dispose()


@pytest.mark.server
@pytest.mark.slow
def test_replicas_may_start_together(postgresql: str) -> None:
    engine = create_engine(postgresql, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        list(pool.map(upgrade, [postgresql] * 3))
    memory = Memory(postgresql)
    assert memory.ready()
    memory.close()
