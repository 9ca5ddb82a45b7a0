"""The clients file: what it may say, and each fault by its line."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from cds_service.clients import Client, Limits
from cds_service.clients_file import CARDS, read_clients
from cds_service.errors import KnowledgeError
from cds_service.knowledge.strict_yaml import Loaded
from cds_service.protocol.profiles import Profile
from cds_service.service import Service
from cds_service.site_queries import offered, query_faults
from tests.web.registered import CLIENT, file

pytestmark = pytest.mark.slow


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
    (CLAUSES + "    silent: everything\n", "silent (allowed: all, or a list of cards)"),
    (CLAUSES + "    algorithms: [ES384, ES384]\n", "(allowed: each once)"),
    (CLAUSES + "    rollout: {opioid-dose: 101}\n", "101"),
    (CLAUSES + "    rollout: {opioid-does: 10}\n", "opioid-does"),
    (CLAUSES + "    profile: cerner\n", "(allowed: 2.0, 3.0, epic, oracle, sandbox, crd)"),
    (CLAUSES + "    profile: 1.0\n", "1.0"),
    (CLAUSES + "    limits: {concurrent: 0}\n", "concurrent"),
    (CLAUSES + "    limits: {speed: 5}\n", "speed"),
    (CLAUSES + "    fhir: ftp://a.example\n", "ftp"),
    (CLAUSES + "    fhir: https://user@a.example/fhir\n", "user@"),
    (
        CLAUSES + "    fhir: https://[a.example/fhir\n",
        "clients.yaml:5: 'https://[a.example/fhir' is",
    ),
    (CLAUSES + "    fhir: https://a.example:99999/fhir\n", "is no address"),
    (
        CLAUSES.replace("https://a.example/j", "'http://[::1'"),
        "clients.yaml:4: 'http://[::1' is no",
    ),
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


@pytest.mark.parametrize("written", ["2", "2.0", "2.00", "'2.0'"])
def test_a_profile_that_looks_like_a_number(tmp_path: Path, written: str) -> None:
    (client,) = read_clients(file(tmp_path, CLAUSES + f"    profile: {written}\n"))
    assert client.profile is Profile.STRICT


def test_all_cards_are_silent_also_where_a_list_says_so(tmp_path: Path) -> None:
    (client,) = read_clients(file(tmp_path, CLAUSES + "    silent: [all]\n"))
    assert client.all_silent


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
        for each in query_faults([replace(CLIENT, prefetch=((key, query),))], Loaded("c", {}))
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


def test_a_file_that_is_not_there_is_called_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError) as caught:
        read_clients(tmp_path / "nope")
    assert caught.value.file == str(tmp_path / "nope")
