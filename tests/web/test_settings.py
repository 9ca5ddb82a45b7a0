"""Settings come from the environment; a wrong one names its variable and not its value."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from cds_service.errors import SettingsError
from cds_service.settings import Mode, load_settings


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


def test_today_is_that_of_the_site() -> None:
    far_east = load_settings(
        timezone="Pacific/Kiritimati"
    )  # UTC+14: its date is that of UTC or one ahead
    ahead = (far_east.clock() - datetime.now(UTC).date()).days
    assert ahead in (0, 1)
    assert load_settings().zone is None
