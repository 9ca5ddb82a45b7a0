"""Settings come from the environment; a wrong one names its variable and not its value."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.assembly import _memory
from cds_service.cli import commands
from cds_service.errors import SettingsError
from cds_service.service import unheard
from cds_service.settings import Mode, load_settings, strangers


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CDS_MODE", "CDS_AS_OF", "CDS_PORT", "CDS_TIMEZONE", "CDS_ORIGINS"):
        monkeypatch.delenv(name, raising=False)


def test_production_is_what_you_get_unless_you_say_otherwise() -> None:
    settings = load_settings()
    assert settings.mode is Mode.PRODUCTION
    assert not settings.open_access
    assert settings.limits_rate
    assert settings.fetch_seconds == 1.5


def test_the_environment_is_read_and_choices_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_MODE", "test")
    monkeypatch.setenv("CDS_PORT", "9000")
    monkeypatch.setenv("CDS_ORIGINS", "https://a.example, https://b.example")
    settings = load_settings(port=9001, host=None)
    assert (settings.mode, settings.port, settings.host) == (Mode.TEST, 9001, "127.0.0.1")
    assert settings.origins == ("https://a.example", "https://b.example")


def test_a_fixed_date_is_the_clock() -> None:
    settings = load_settings(mode=Mode.TEST, as_of=date(2024, 3, 1))
    assert settings.clock() == date(2024, 3, 1)
    assert not settings.limits_rate


def test_production_refuses_a_fixed_date() -> None:
    with pytest.raises(SettingsError, match="production mode refuses it"):
        load_settings(as_of=date(2024, 3, 1))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CDS_MODE", "canary"),
        ("CDS_PORT", "canary"),
        ("CDS_TIMEZONE", "canary"),
        ("CDS_LOG_LEVEL", "canary"),
        ("CDS_AS_OF", "canary"),
        ("CDS_AS_OF", "1700006400"),
        ("CDS_PUBLIC_URL", "canary.example.org"),
        ("CDS_PUBLIC_URL", "ftp://canary.example.org"),
        ("CDS_PUBLIC_URL", "https://canary.example.org:99999"),
        ("CDS_ORIGINS", "canary"),
        ("CDS_ORIGINS", "https://*.canary.org"),
        ("CDS_ORIGINS", "https://canary.org/path"),
        ("CDS_AUDIT", "canary"),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert name in str(caught.value)
    assert value not in str(caught.value)


@pytest.mark.parametrize("origin", ["*", "https://a.example, *"])
def test_an_origin_is_never_any(origin: str) -> None:
    with pytest.raises(SettingsError, match="CDS_ORIGINS"):
        load_settings(origins=origin)


def test_an_address_of_the_newer_kind_stands_in_brackets() -> None:
    assert load_settings(host="::1", port=8080).bind == "[::1]:8080"
    assert load_settings(host="::1", port=8080).base_url == "http://[::1]:8080"
    assert load_settings(host="127.0.0.1", port=8080).bind == "127.0.0.1:8080"


def test_a_slip_in_the_name_of_a_setting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert strangers() == []
    monkeypatch.setenv("CDS_KNOWLEGE", "/somewhere")
    monkeypatch.setenv("CDS_SERVICE_PORT", "tcp://10.0.0.1:80")
    assert strangers() == ["CDS_KNOWLEGE"]
    ended = CliRunner().invoke(commands, ["check"])
    assert "warning: the environment: CDS_KNOWLEGE is no setting" in ended.output
    ended = CliRunner().invoke(commands, ["serve", "--host", "192.0.2.1", "--as-of", "2026-03-01"])
    assert "warning: CDS_KNOWLEGE is no setting" in ended.output


def test_an_audit_file_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    settings = load_settings(mode=Mode.TEST, audit=str(tmp_path))
    with pytest.raises(SettingsError, match="CDS_AUDIT: cannot be written: Is a directory"):
        _memory(settings, unheard)


def test_today_is_that_of_the_site() -> None:
    far_east = load_settings(
        timezone="Pacific/Kiritimati"
    )  # UTC+14: its date is that of UTC or one ahead
    ahead = (far_east.clock() - datetime.now(UTC).date()).days
    assert ahead in (0, 1)
    assert load_settings().zone is None
