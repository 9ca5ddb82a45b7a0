"""Registered clients end to end: they sign, they are answered in their profile, and
strangers are not.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from jwt import get_unverified_header

from cds_service.cli import commands
from cds_service.clients import Client
from cds_service.integration.conformance import Verdict, conformance
from cds_service.integration.remote import Remote
from cds_service.integration.signing import BadKey, signer
from cds_service.jwk_pairs import new_pair
from cds_service.protocol.profiles import Profile
from cds_service.service import Service
from cds_service.web.app import create_app
from tests.contract.answers import AS_OF, asked, folder
from tests.contract.loopback import Loopback
from tests.web.signed import ISSUER, Keys, known_to, pair

pytestmark = pytest.mark.slow

KEY = pair("ES384", "conformance")


@pytest.fixture
def keys() -> Iterator[Keys]:
    with Keys(KEY) as published:
        yield published
        published.shutdown()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key.json"
    file.write_text(json.dumps(KEY))
    return file


@pytest.fixture(params=list(Profile))
def profile(request: pytest.FixtureRequest) -> Profile:
    return Profile(request.param)


def closed(service: Service, folder: Path, client: Client, port: int) -> Loopback:
    """The service for one client, at an address that it knows as its own."""
    chosen = {"public_url": f"http://127.0.0.1:{port}", "log_level": "error", "as_of": AS_OF}
    made = known_to(service, folder / "seen.db", client, **chosen)
    return Loopback(create_app(made), port)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_a_signed_client_finds_nothing_broken_and_a_stranger_no_way_in(
    service: Service, keys: Keys, key_file: Path, tmp_path: Path
) -> None:
    client = Client("conformance", issuer=ISSUER, jku=keys.jku)
    with closed(service, tmp_path, client, free_port()) as address:
        sign = signer(ISSUER, key_file, service.settings.now, keys.jku)
        with Remote(address, sign) as there:
            results = list(conformance(there))
        signed = (
            "conformance",
            address,
            "--issuer",
            ISSUER,
            "--key",
            str(key_file),
            "--jku",
            keys.jku,
        )
        told = CliRunner().invoke(commands, signed, env={"COLUMNS": "200"})
        strange = CliRunner().invoke(commands, ("conformance", address), env={"COLUMNS": "200"})
    broken = [
        (r.requirement, r.why) for r in results if r.verdict in (Verdict.FAIL, Verdict.ADVICE)
    ]
    assert broken == []
    passed = {r.requirement for r in results if r.verdict is Verdict.PASS}
    assert {"JWT-4", "HTTP-5"} <= passed
    assert told.exit_code == 0, told.output
    assert strange.exit_code == 1


def test_a_client_is_answered_in_its_profile(
    service: Service, keys: Keys, key_file: Path, tmp_path: Path, profile: Profile
) -> None:
    client = Client("conformance", issuer=ISSUER, jku=keys.jku, profile=profile)
    recorded = json.loads((folder() / f"{profile.value}.json").read_text("utf-8"))
    with closed(service, tmp_path, client, free_port()) as address:
        sign = signer(ISSUER, key_file, service.settings.now, keys.jku)
        with Remote(address, sign) as there:
            discovered = there.discover()
            said = there.call("opioid-safety", asked(service)).object
    assert {hook["hook"] for hook in discovered.object["services"]} >= {"patient-view"}
    assert discovered.headers["cache-control"].startswith("private")
    assert "authorization" in discovered.headers["vary"].lower()
    assert [c["source"]["topic"] for c in said["cards"]] == [
        c["source"]["topic"] for c in recorded["cards"]
    ]


@pytest.mark.parametrize(
    "content",
    ["{", "{}", '{"kty": "oct", "k": "eA"}', '{"keys": []}', '{"kty": "EC", "crv": "P-384"}'],
)
def test_a_file_without_a_private_key_is_refused(
    service: Service, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "key.json"
    file.write_text(content)
    with pytest.raises(BadKey, match=r"key\.json"):
        signer(ISSUER, file, service.settings.now)


@pytest.mark.parametrize("algorithm", ["ES256", "PS384"])
def test_a_key_signs_with_what_it_is_for(service: Service, tmp_path: Path, algorithm: str) -> None:
    jwk, file = new_pair(algorithm, "k"), tmp_path / "key.json"
    file.write_text(json.dumps(jwk))
    sign = signer(ISSUER, file, service.settings.now)
    assert get_unverified_header(sign("https://a.example").split()[1])["alg"] == algorithm
    del jwk["alg"]
    file.write_text(json.dumps(jwk))
    sign = signer(ISSUER, file, service.settings.now)
    usual = {"ES256": "ES256", "PS384": "RS384"}
    assert get_unverified_header(sign("https://a.example").split()[1])["alg"] == usual[algorithm]


def test_a_public_key_signs_nothing(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps({name: value for name, value in KEY.items() if name != "d"}))
    with pytest.raises(BadKey, match="private"):
        signer(ISSUER, file, service.settings.now)
