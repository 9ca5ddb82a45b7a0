"""The command: what it says of itself, and how it ends."""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cds_service import __version__
from cds_service.cli import COMMANDS, commands, main
from cds_service.cli.check import _unspoken
from cds_service.cli.serve import _Upgrade
from cds_service.clinical.rules import load_rules
from cds_service.errors import SettingsError
from cds_service.memory.schema import is_current
from cds_service.settings import load_settings


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(commands, ["--help"])
    assert shown.exit_code == 0
    for name in COMMANDS:
        assert name in shown.output
        assert CliRunner().invoke(commands, [name, "--help"]).exit_code == 0


def test_the_version_is_told_also_where_nothing_is_installed() -> None:
    shown = CliRunner().invoke(commands, ["--version"], prog_name="cds-service")
    assert (shown.exit_code, shown.output) == (0, f"cds-service, version {__version__}\n")


def test_a_setting_is_told_to_be_wrong_in_our_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_TIMEZONE", "Mars")
    with pytest.raises(SettingsError, match=r"^CDS_TIMEZONE: not an IANA time zone such as"):
        load_settings()


def test_an_unknown_command_is_bad_input() -> None:
    assert CliRunner().invoke(commands, ["nonsense"]).exit_code == 2


def test_a_wrong_setting_is_one_line_and_exit_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CDS_MODE", "canary")
    monkeypatch.setattr("sys.argv", ["cds-service", "db", "upgrade"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("cds-service: CDS_MODE")
    assert len(said.splitlines()) == 1


def test_the_database_is_brought_up_to_date_once_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "memory.db"
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{path}")
    for _ in range(2):
        assert CliRunner().invoke(commands, ["db", "upgrade"]).exit_code == 0
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM feedback").fetchone() == (0,)


def test_a_service_tells_in_one_line_why_its_database_cannot_be_used(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SettingsError, match="unable to open database file"):
        _Upgrade("sqlite:////canary/memory.db").ended()
    assert capfd.readouterr().err == ""


def test_a_service_brings_its_database_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'memory.db'}"
    _Upgrade(url).ended()
    assert is_current(url)
    monkeypatch.setattr("cds_service.memory.schema.upgrade", lambda _: os._exit(1))
    with pytest.raises(SettingsError, match="could not be brought up to date"):
        _Upgrade(url).ended()


@pytest.mark.parametrize("name", ["CDS_CARDS", "CDS_KNOWLEDGE"])
def test_a_directory_that_is_not_there_is_bad_input(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setattr("sys.argv", ["cds-service", "check"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = os.open

    def full(*place: Any) -> int:
        os.close(opened(*place))
        return opened("/dev/full", os.O_WRONLY)

    monkeypatch.setattr("os.open", full)
    monkeypatch.setattr("sys.argv", ["cds-service", "keys", "make", str(tmp_path / "k.json")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "cds-service: No space left on device\n"
    assert list(tmp_path.iterdir()) == []


def test_a_rule_that_nobody_hears_is_a_fault() -> None:
    rules = dict(load_rules())
    assert list(_unspoken(rules)) == []
    dose = rules.pop("opioid-dose")
    rules["opioid-does"] = dose
    told = [str(each) for each in _unspoken(rules)]
    assert any("no service speaks opioid-does on order-sign (allowed: spine-or" in t for t in told)
    assert any("no rule is called opioid-dose on order-sign" in t for t in told)


def test_a_port_that_is_taken_is_refused() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = CliRunner().invoke(commands, ["serve", "--port", port, "--as-of", "2024-03-01"])
    assert isinstance(ended.exception, SettingsError)
    assert "CDS_PORT" in str(ended.exception)
