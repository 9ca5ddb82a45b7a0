"""The clients file, and what production refuses to start with."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from cds_service.assembly import load_clients, load_service
from cds_service.clients import Client, Limits, Registry
from cds_service.clients_file import CARDS, read_clients
from cds_service.errors import KnowledgeError, SettingsError
from cds_service.key_sets import read_keys
from cds_service.protocol.profiles import Profile
from cds_service.service import Service
from cds_service.settings import Mode, Settings
from cds_service.site_queries import offered, query_faults
from cds_service.start_up import PUBLIC_TEST_KEYS, check_production
from tests.web.signed import pair, public

pytestmark = pytest.mark.slow

WHOLE = """\
clients:
  st-elsewhere:
    issuer: https://ehr.example.org
    jku: https://ehr.example.org/jwks.json
    tenant: north
    algorithms: [ES384, PS384]
    audiences: [our-cds]
    fhir: https://ehr.example.org/fhir/
    allow_private: [10.20.0.0/16]
    services: [low-back-pain, opioid-safety]
    profile: epic
    prefetch: {observations: "Observation?patient={{context.patientId}}&category=laboratory"}
    preference_list: {naloxone: 12345, naproxen: NAP_500}
    payers: {Plan Seven: healthpartners}
    silent: [opioid-dose]
    rollout: {pdmp-review: 25}
    origins: ["https://ehr.example.org"]
    limits: {requests_per_minute: 300, concurrent: 4, body_mb: 8, entries: 500, depth: 50}
  small:
    issuer: https://small.example.org
    keys: keys.json
    profile: 2.0
    silent: all
"""
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
CLIENT = Client(
    "st-elsewhere",
    issuer="https://ehr.example.org",
    jku="https://ehr.example.org/jwks.json",
    fhir="https://ehr.example.org/fhir",
)


def file(folder: Path, text: str = WHOLE) -> Path:
    (folder / "keys.json").write_text(json.dumps({"keys": public(pair("ES384", "k"))}))
    path = folder / "clients.yaml"
    path.write_text(text)
    return path


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    first, second = read_clients(file(tmp_path))
    assert first == Client(
        "st-elsewhere",
        issuer="https://ehr.example.org",
        jku="https://ehr.example.org/jwks.json",
        tenant="north",
        algorithms=frozenset({"ES384", "PS384"}),
        audiences=("our-cds",),
        fhir="https://ehr.example.org/fhir",
        allow_private=(ip_network("10.20.0.0/16"),),
        services=frozenset({"low-back-pain", "opioid-safety"}),
        profile=Profile.EPIC,
        prefetch=(
            ("observations", "Observation?patient={{context.patientId}}&category=laboratory"),
        ),
        preference_list=(("naloxone", "12345"), ("naproxen", "NAP_500")),
        payers=(("Plan Seven", "healthpartners"),),
        silent=frozenset({"opioid-dose"}),
        rollout=(("pdmp-review", 25),),
        origins=("https://ehr.example.org",),
        limits=Limits(300, 4, 8, 500, 50),
    )
    assert (second.profile, second.all_silent, second.limits) == (Profile.STRICT, True, Limits())
    assert [key.id for key in second.keys] == ["k"]


def test_every_card_that_can_be_shown_can_be_silent(service: Service) -> None:
    assert set(service.rules) <= CARDS
    assert set(service.library.cards) == CARDS


ORDERS = {"naloxone": "MedicationRequest", "taper": "Task"}
CLAUSES = "clients:\n  a:\n    issuer: https://a.example\n    jku: https://a.example/j\n"
EPIC = CLAUSES + "    profile: epic\n    preference_list:\n"
FAULTS = [
    ("clients: {}\nclients: {}\n", "duplicate key"),
    ("others: {}\n", "others"),
    ("clients:\n  A_B: {issuer: x, jku: 'https://a'}\n", "A_B"),
    ("clients:\n  a: {jku: 'https://a.example/j'}\n", "issuer"),
    ("clients:\n  a: {issuer: x}\n", "jku or keys"),
    (CLAUSES + "    jkus: x\n", "jkus"),
    (CLAUSES + "    services: [greeting]\n", "greeting"),
    (CLAUSES + "    services: []\n", "services"),
    (CLAUSES + "    algorithms: [HS256]\n", "HS256"),
    (CLAUSES + "    algorithms: []\n", "algorithms"),
    (CLAUSES + "    keys: keys.json\n    algorithms: [RS256]\n", "no key for RS256"),
    (CLAUSES + "    silent: [opioid-does]\n", "opioid-does"),
    (CLAUSES + "    silent: everything\n", "silent"),
    (CLAUSES + "    rollout: {opioid-dose: 101}\n", "101"),
    (CLAUSES + "    rollout: {opioid-does: 10}\n", "opioid-does"),
    (CLAUSES + "    profile: cerner\n", "(allowed: 2.0, 3.0, epic, oracle, sandbox, crd)"),
    (CLAUSES + "    profile: 1.0\n", "1.0"),
    (CLAUSES + "    limits: {concurrent: 0}\n", "concurrent"),
    (CLAUSES + "    limits: {speed: 5}\n", "speed"),
    (CLAUSES + "    fhir: ftp://a.example\n", "ftp"),
    (CLAUSES + "    fhir: https://user@a.example/fhir\n", "user@"),
    (CLAUSES + "    origins: ['*']\n", "*"),
    (CLAUSES + "    allow_private: [10.0.0.0/99]\n", "10.0.0.0/99"),
    (CLAUSES + "    keys: none.json\n", "none.json"),
    (CLAUSES + "    payers: {Plan: nobody}\n", "nobody"),
    (CLAUSES + "    preference_list: {naloxone: 1}\n", "profile: epic"),
    (EPIC + "      naloxon: 1\n", "clients.yaml:7: unknown order 'naloxon' (allowed: naloxone)"),
    (EPIC + "      taper: 1\n", "clients.yaml:7: taper is a Task"),
    (EPIC + "      naloxone: ''\n", "clients.yaml:7"),
    (EPIC + "      naloxone: 0017\n", "clients.yaml:7"),
    (EPIC + "      naloxone: [1]\n", "an entry in Epic's preference list"),
    (CLAUSES.replace("https://a.example/j", "http://a.example/j"), "plain http"),
    (CLAUSES + CLAUSES.replace("clients:\n", "").replace("  a:", "  b:"), "b has issuer"),
]


@pytest.mark.parametrize(("text", "names"), FAULTS)
def test_a_fault_names_file_line_and_what(tmp_path: Path, text: str, names: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        read_clients(file(tmp_path, text), ["healthpartners"], ORDERS)
    assert str(caught.value).startswith("clients.yaml")
    assert names in str(caught.value)


@pytest.mark.parametrize(
    ("key", "query", "fault"),
    [
        ("observations", "Observation?patient={{context.patientId}}&category=laboratory", None),
        ("observation", "Observation?patient={{context.patientId}}", "no such prefetch key"),
        ("patient", "Patient/{{context.patientId}}", "no such prefetch key"),
        ("observations", "Condition?patient={{context.patientId}}", "not a search of Observation"),
        ("observations", "Observation?category=laboratory", "not a search of Observation"),
        ("observations", "Observation?patient={{context.patientId}}&_include=x", "_include"),
    ],
)
def test_a_sites_own_query_is_checked(key: str, query: str, fault: str | None) -> None:
    found = [
        str(each)
        for each in query_faults([replace(CLIENT, prefetch=((key, query),))], "clients.yaml")
    ]
    assert bool(found) is (fault is not None)
    assert fault is None or fault in found[0]


def test_a_sites_own_query_is_what_discovery_shows(service: Service) -> None:
    query = "Observation?patient={{context.patientId}}&category=laboratory"
    client = replace(
        CLIENT, prefetch=(("observations", query),), services=frozenset({"spine-orders"})
    )
    entries = offered(service.discovery(), client)["services"]
    assert {entry["id"] for entry in entries} == {"spine-orders"}
    assert {entry["prefetch"]["observations"] for entry in entries} == {query}
    assert {entry["prefetch"]["patient"] for entry in entries} == {"Patient/{{context.patientId}}"}
    assert query not in str(service.discovery())


# Production


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
        ({"public_url": "cds.example.org"}, "CDS_PUBLIC_URL"),
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


@pytest.mark.parametrize(
    "server",
    [
        "https://ehr.example.org/fhir/../admin",
        "https://ehr.example.org/fhir/%2e%2e/admin",
        "https://ehr.example.org/fhir/./x",
        "https://ehr.example.org/fhir/..",
        "https://ehr.example.org/fhir@evil.example",
        "https://ehr.example.org.evil.example/fhir",
        "https://ehr.example.org:8443/fhir",
        "http://ehr.example.org/fhir",
    ],
)
def test_a_client_reaches_nothing_beside_its_base(server: str) -> None:
    assert not CLIENT.reaches(server)
