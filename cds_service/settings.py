"""Settings, and the only reader of the environment and of the clock.

Every field is the environment variable `CDS_` + its name in capitals.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cds_service.addresses import http_host
from cds_service.errors import SettingsError

DEVELOPMENT_KEY = b"a key for demos and tests, which know no patient"
DEMO_DATE = date(2026, 3, 1)  # on which the stories of fhir_fixtures/patients are true


_ORIGIN = re.compile(r"https?://[^/\s*,]+")
_KUBERNETES = "CDS_SERVICE_"  # it tells of a Service called cds-service in variables that begin so


class Mode(StrEnum):
    """How far the service is open: demo and test answer anyone on loopback, production
    knows its clients.
    """

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


class FactorChoice(StrEnum):
    """The tables of MME conversion factors."""

    CDC_2022 = "cdc-2022"
    CDC_2016 = "cdc-2016"
    ANALYTIC = "analytic"


class AuditTo(StrEnum):
    """Where the audit trail goes, unless to a file."""

    DATABASE = "database"
    NOWHERE = "off"


class Settings(BaseSettings):
    """What an operator can choose."""

    model_config = SettingsConfigDict(
        env_prefix="CDS_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    mode: Mode = Mode.PRODUCTION
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str = ""
    as_of: date | None = None
    timezone: str = ""  # of the site; empty: dates count as they are written, and today is UTC's
    database_url: str = ""
    clients: Path | None = None
    cards: Path | None = None
    knowledge: Path | None = None
    directory: Path | None = None  # a FHIR Bundle of preferred partners
    mme_factors: FactorChoice = FactorChoice.CDC_2022
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=64)
    threads: int = Field(default=4, ge=1, le=64)
    max_body_mb: int = Field(default=5, ge=1, le=100)
    deadline_ms: int = Field(
        default=450, ge=1, le=60_000
    )  # an answer that takes longer is logged as slow
    abort_ms: int | None = Field(
        default=None, ge=1, le=60_000
    )  # fetching what was not prefetched is given up
    requests_per_minute: int = Field(default=600, ge=1)
    origins: Annotated[
        tuple[str, ...], NoDecode
    ] = ()  # browser origins that may call, in production
    hsts_seconds: int = Field(default=31_536_000, ge=0, le=63_072_000)
    private_discovery: bool = False  # whether the list of services is for registered clients only
    hash_key: SecretStr = SecretStr("")
    audit: str = ""  # database, off, or a file; empty: database in production, else off
    store_comments: bool = False
    log_level: str = "info"
    developer: str = (
        "This project; a site that lays its own cards or knowledge over ours, for what it changes"
    )
    funding: str = "None declared"
    contact: str = ""  # whom clinicians ask about the advice

    @model_validator(mode="before")
    @classmethod
    def _demo_date(cls, chosen: dict[str, Any]) -> dict[str, Any]:
        """The demo runs on its own date unless told otherwise."""
        demo = chosen.get("mode") == Mode.DEMO and not chosen.get("as_of")
        return {**chosen, "as_of": DEMO_DATE} if demo else chosen

    @field_validator("origins", mode="before")
    @classmethod
    def _comma_separated(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("origins")
    @classmethod
    def _plain_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(_ORIGIN.fullmatch, origins)):
            raise ValueError("scheme, host and port of each, such as https://ehr.example.org")
        return origins

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        if url and not http_host(url):
            raise ValueError("not an address such as https://cds.example.org")
        return url

    @field_validator("as_of", mode="before")
    @classmethod
    def _a_date(cls, written: Any) -> Any:
        try:
            return date.fromisoformat(written) if isinstance(written, str) else written
        except ValueError:
            raise ValueError("not a date such as 2026-03-01") from None

    @field_validator("audit")
    @classmethod
    def _a_place(cls, place: str) -> str:
        known = [each.value for each in AuditTo]
        if place and place.lower() not in known and not Path(place).is_absolute():
            raise ValueError(f"{', '.join(known)}, or the whole path of a file")
        return place

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name or "UTC")
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
        """How long an answer may wait for a FHIR server: as EHRs tolerate, longer outside
        production.
        """
        return (self.abort_ms or (1_500 if self.mode is Mode.PRODUCTION else 10_000)) / 1000

    @property
    def limits_rate(self) -> bool:
        """Whether callers are rate limited; never with a fixed date, which makes it a test
        service.
        """
        return self.as_of is None

    @property
    def max_body_bytes(self) -> int:
        """The largest request body accepted."""
        return self.max_body_mb * 1024 * 1024

    @property
    def database(self) -> str:
        """The database URL; without one, a SQLite file in the working directory."""
        return self.database_url or "sqlite:///cds-service.db"

    @property
    def bind(self) -> str:
        """Address and port as a server takes them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def flask_debug(self) -> bool:
        """Whether the environment would have Flask show its debugger."""
        return os.environ.get("FLASK_DEBUG", "").lower() in ("1", "true", "yes", "on", "t")

    @property
    def base_url(self) -> str:
        """The address clients call, without a trailing slash."""
        return self.public_url.rstrip("/") or f"http://{self.bind}"

    @property
    def audit_to(self) -> AuditTo | Path:
        """Where the audit trail goes: the database, nowhere, or a file."""
        if not self.audit:
            return AuditTo.NOWHERE if self.open_access else AuditTo.DATABASE
        try:
            return AuditTo(self.audit.lower())
        except ValueError:
            return Path(self.audit)

    @property
    def hashing_key(self) -> bytes:
        """The key of the hashes that stand for patients and users, the same in every worker.

        Raises SettingsError in production where it is missing.
        """
        key = self.hash_key.get_secret_value()
        if self.mode is Mode.PRODUCTION and not key:
            raise SettingsError("CDS_HASH_KEY: production needs one")
        return key.encode() or DEVELOPMENT_KEY

    @property
    def about_url(self) -> str:
        """Where the cards explain themselves, if our public address is known."""
        return f"{self.public_url.rstrip('/')}/about" if self.public_url else ""

    @property
    def zone(self) -> ZoneInfo | None:
        """The site's time zone, if it is set."""
        return ZoneInfo(self.timezone) if self.timezone else None

    def clock(self) -> date:
        """Today in the configured time zone, or the fixed date."""
        return self.as_of or datetime.now(self.zone or UTC).date()

    def now(self) -> datetime:
        """This moment in UTC, for what is stored; never for reasoning."""
        return datetime.now(UTC)


def _said(fault: Any) -> str:
    """What is wrong with a setting, without pydantic's opening words."""
    return str(fault["msg"]).removeprefix("Value error, ")


def strangers() -> list[str]:
    """Variables that look like settings and are none: a slip in a name would go unnoticed."""
    known = {f"CDS_{name.upper()}" for name in Settings.model_fields}
    return sorted(
        name
        for name in map(str.upper, os.environ)
        if name.startswith("CDS_") and name not in known and not name.startswith(_KUBERNETES)
    )


def load_settings(**chosen: Any) -> Settings:
    """The settings of the environment, overridden by `chosen` where not None.

    Raises SettingsError naming each wrong variable, never its value.
    """
    try:
        return Settings(**{name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        faults = [
            f"CDS_{str(fault['loc'][0]).upper()}: {_said(fault)}" if fault["loc"] else _said(fault)
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("; ".join(faults)) from None
