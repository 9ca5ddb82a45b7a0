"""What production refuses to start with, and who may call in the other modes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds_service.assembly import load_clients, load_service
from cds_service.clients import Client, Registry
from cds_service.errors import SettingsError
from cds_service.key_sets import read_keys
from cds_service.service import Service
from cds_service.settings import Mode, Settings
from cds_service.start_up import PUBLIC_TEST_KEYS, check_production
from tests.web.registered import CLIENT, file

pytestmark = pytest.mark.slow

SANDBOX = {  # public, and so is its private part
    "kty": "EC",
    "crv": "P-384",
    "kid": "44823f3d-0b01-4a6c-a80e-b9d3e8a7226f",
    "x": "dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB",
    "y": "Sm3mLE-n1zYNla_aiE3cb3nZsL51RbC7ysw3q8aJLxGm-hx79RPMYpITDjp7kgzy",
}
GOOD: dict[str, Any] = {
    "mode": Mode.PRODUCTION,
    "public_url": "https://cds.example.org",
    "hash_key": "a secret of the site's own",
}


def refusal(clients: tuple[Client, ...] = (CLIENT,), **changed: Any) -> str:
    try:
        check_production(Settings(**(GOOD | changed)), clients)
    except SettingsError as error:
        return str(error)
    return ""


def test_production_starts_when_all_is_well() -> None:
    assert refusal() == ""


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"public_url": ""}, "CDS_PUBLIC_URL"),
        ({"public_url": "http://cds.example.org"}, "CDS_PUBLIC_URL"),
        ({"hash_key": ""}, "CDS_HASH_KEY"),
        ({"hash_key": "short"}, "CDS_HASH_KEY"),
        ({"log_level": "debug"}, "CDS_LOG_LEVEL"),
    ],
)
def test_production_refuses_a_setting(changed: dict[str, Any], names: str) -> None:
    assert names in refusal(**changed)
    assert "short" not in refusal(**changed)
    check_production(Settings(**(GOOD | changed | {"mode": Mode.TEST})), ())


def test_production_refuses_a_fixed_date() -> None:
    with pytest.raises(ValueError, match="production mode refuses it"):
        Settings(**GOOD, as_of=date(2024, 3, 1))


@pytest.mark.parametrize("value", ["1", "true", "True"])
def test_production_refuses_the_debugger(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FLASK_DEBUG", value)
    assert "FLASK_DEBUG" in refusal()
    monkeypatch.setenv("FLASK_DEBUG", "0")
    assert refusal() == ""


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"fhir": "http://ehr.example.org/fhir"}, "FHIR base"),
        ({"fhir": "http://127.0.0.1/fhir"}, "FHIR base"),
        ({"jku": "http://127.0.0.1/jwks.json"}, "keys"),
        ({"issuer": "https://sandbox.cds-hooks.org"}, "public test issuer"),
        ({"jku": "https://sandbox.cds-hooks.org/.well-known/jwks.json"}, "public test issuer"),
        ({"issuer": "https://inferno.healthit.gov/suites/custom/crd_server"}, "public test issuer"),
        ({"keys": read_keys(json.dumps({"keys": [SANDBOX]}).encode())}, "public test key"),
    ],
)
def test_production_refuses_a_client(changed: dict[str, Any], names: str) -> None:
    said = refusal((replace(CLIENT, **changed),))
    assert "client st-elsewhere" in said
    assert names in said


def test_an_issuer_is_text_and_need_be_no_address() -> None:
    check_production(Settings(**GOOD), (replace(CLIENT, issuer="https://[east"),))


def test_production_refuses_to_know_nobody_and_says_all_at_once() -> None:
    said = refusal((), public_url="", hash_key="")
    assert all(name in said for name in ("CDS_CLIENTS", "CDS_PUBLIC_URL", "CDS_HASH_KEY"))


def test_production_loads_no_service_without_clients(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CDS_CLIENTS"):
        load_service(Settings(**GOOD))
    empty = tmp_path / "clients.yaml"
    empty.write_text("clients: {}\n")
    with pytest.raises(SettingsError, match="CDS_CLIENTS"):
        load_service(Settings(**GOOD, clients=empty))


def test_production_never_takes_a_public_test_key_that_is_fetched() -> None:
    from cds_service.addresses import Reach
    from cds_service.key_sets import KeySets
    from cds_service.outbound import Answer

    document = json.dumps({"keys": [SANDBOX]}).encode()
    heard: list[str] = []
    address = "https://ehr.example.org/jwks.json"
    sets = KeySets(
        {address: Reach()},
        fetch=lambda _: Answer(200, "application/json", document),
        unwanted=PUBLIC_TEST_KEYS,
        failed=lambda what, error: heard.append(f"{what}: {error}"),
    )
    assert sets.find(address, SANDBOX["kid"], "ES384") is None
    assert heard == ["key set: only public test keys"]


def test_other_modes_are_open_until_clients_are_registered(
    service: Service, tmp_path: Path
) -> None:
    settings = Settings(mode=Mode.TEST, as_of=date(2024, 3, 1))
    assert Registry(settings, load_clients(settings, service.knowledge)).open
    closed = Settings(mode=Mode.DEMO, clients=file(tmp_path))
    assert not Registry(closed, load_clients(closed, service.knowledge)).open
