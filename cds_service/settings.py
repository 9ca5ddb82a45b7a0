"""Settings, and the only reader of the environment and of the clock.

Every field is the environment variable `CDS_` + its name in capitals.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cds_service.errors import SettingsError


class Mode(StrEnum):
    """How far the service is open: demo and test answer anyone on loopback, production knows its clients."""

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


class FactorChoice(StrEnum):
    """The tables of MME conversion factors."""

    CDC_2022 = "cdc-2022"
    CDC_2016 = "cdc-2016"
    ANALYTIC = "analytic"


class Settings(BaseSettings):
    """What an operator can choose."""

    model_config = SettingsConfigDict(env_prefix="CDS_", frozen=True, extra="ignore", env_ignore_empty=True)

    mode: Mode = Mode.PRODUCTION
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str = ""
    as_of: date | None = None
    timezone: str = "UTC"
    database_url: str = ""
    clients: Path | None = None
    cards: Path | None = None
    knowledge: Path | None = None
    mme_factors: FactorChoice = FactorChoice.CDC_2022
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=64)
    threads: int = Field(default=4, ge=1, le=64)
    max_body_mb: int = Field(default=5, ge=1, le=100)
    deadline_ms: int = Field(default=450, ge=1, le=60_000)  # an answer that takes longer is logged as slow
    abort_ms: int | None = Field(default=None, ge=1, le=60_000)  # fetching what was not prefetched is given up
    requests_per_minute: int = Field(default=600, ge=1)
    origins: Annotated[tuple[str, ...], NoDecode] = ()  # browser origins that may call, in production
    hash_key: SecretStr = SecretStr("")
    store_comments: bool = False
    log_level: str = "info"

    @field_validator("origins", mode="before")
    @classmethod
    def _comma_separated(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("not an IANA time zone such as America/Chicago") from error
        return name

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, name: str) -> str:
        if name.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("allowed: debug, info, warning, error")
        return name.lower()

    @model_validator(mode="after")
    def _no_fixed_date_in_production(self) -> Settings:
        if self.mode is Mode.PRODUCTION and self.as_of is not None:
            raise ValueError("AS_OF fixes the date; production mode refuses it")
        return self

    @property
    def open_access(self) -> bool:
        """Whether anyone may call: no JWT, plain HTTP FHIR servers on loopback."""
        return self.mode is not Mode.PRODUCTION

    @property
    def fetch_seconds(self) -> float:
        """How long an answer may wait for a FHIR server: what EHRs tolerate, or patiently outside production."""
        return (self.abort_ms or (1_500 if self.mode is Mode.PRODUCTION else 10_000)) / 1000

    @property
    def limits_rate(self) -> bool:
        """Whether callers are rate limited; never with a fixed date, which makes it a test service."""
        return self.as_of is None

    @property
    def max_body_bytes(self) -> int:
        """The largest request body accepted."""
        return self.max_body_mb * 1024 * 1024

    @property
    def database(self) -> str:
        """The database URL; without one, a SQLite file in the working directory."""
        return self.database_url or "sqlite:///cds-service.db"

    def clock(self) -> date:
        """Today in the configured time zone, or the fixed date."""
        return self.as_of or datetime.now(ZoneInfo(self.timezone)).date()

    def now(self) -> datetime:
        """This moment in UTC, for what is stored; never for reasoning."""
        return datetime.now(UTC)


def load_settings(**chosen: Any) -> Settings:
    """The settings of the environment, overridden by `chosen` where not None.

    Raises SettingsError naming each wrong variable, never its value.
    """
    try:
        return Settings(**{name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        faults = [
            f"CDS_{str(fault['loc'][0]).upper()}: {fault['msg']}" if fault["loc"] else fault["msg"]
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("; ".join(faults)) from None
