"""Whose keys are looked at, how long they are kept, and what a key is good for."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask.testing import FlaskClient
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_service.addresses import Reach
from cds_service.clients import Client, key_sets
from cds_service.key_sets import BadKeySet, KeySets, read_keys
from cds_service.outbound import Answer
from cds_service.service import Service
from cds_service.tokens import KINDS
from cds_service.web.app import create_app
from tests.web.guarded import (
    EC,
    HOUR,
    OTHER,
    RSA,
    call,
    client,
    ehr,
    guarded,
    keys,
    north,
    timed,
    unsigned,
)
from tests.web.signed import (
    SERVICE_PATH,
    Keys,
    claims,
    known_to,
    pair,
    public,
    token,
)

__all__ = ["client", "ehr", "guarded", "keys"]


def test_a_new_key_is_found_after_the_cool_down(
    service: Service, client: Client, keys: Keys, tmp_path: Path
) -> None:
    ehr, clock = timed(service, client, tmp_path / "r.db")
    assert call(ehr, token(EC, north())).status_code == 400
    keys.keys = public(RSA, OTHER)
    for _ in range(5):
        assert call(ehr, token(OTHER, north())).status_code == 401
    assert keys.hits == 1
    clock.at += 61
    assert call(ehr, token(OTHER, north())).status_code == 400
    assert call(ehr, token(EC, north())).status_code == 401  # withdrawn
    assert keys.hits == 2


def test_only_registered_addresses_are_asked_for_keys(client: Client) -> None:
    asked: list[str] = []

    def fetch(address: str) -> Answer:
        asked.append(address)
        return Answer(200, "application/json", json.dumps({"keys": public(EC)}).encode())

    sets = KeySets({client.jku: Reach()}, fetch=fetch)
    assert sets.find("https://elsewhere.example.org/jwks.json", EC["kid"], "ES384") is None
    assert asked == []
    assert sets.find(client.jku, EC["kid"], "ES384") is not None
    assert asked == [client.jku]


def test_a_thumbprint_is_that_of_rfc_7638() -> None:
    """Its example, section 3.1: by it the keys are told that anybody can sign with."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc"
        "_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-"
        "65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyr"
        "dkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
        "kEgU8awapJzKnqDKgw"
    )
    jwk = {"kty": "RSA", "n": modulus, "e": "AQAB", "kid": "2011-04-29"}
    (key,) = read_keys(json.dumps({"keys": [jwk]}).encode())
    assert key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_keys_whose_private_part_is_public_are_wanted_of_no_client(
    client: Client, keys: Keys
) -> None:
    thumbprints = {key.thumbprint for key in read_keys(json.dumps({"keys": public(EC)}).encode())}
    keys.keys = public(EC)
    sets = key_sets([client], loopback=True, unwanted=thumbprints)
    with pytest.raises(BadKeySet, match="only public test keys"):
        sets.fetch(client.jku)
    sets.close()


def test_unknown_key_ids_fetch_once_in_a_cool_down(
    service: Service, client: Client, keys: Keys, tmp_path: Path
) -> None:
    ehr, clock = timed(service, client, tmp_path / "f.db")
    for round_ in range(1, 4):
        for number in range(10):
            assert call(ehr, token(OTHER, north(), {"kid": f"flood-{number}"})).status_code == 401
        assert keys.hits == round_
        clock.at += 61


def test_old_keys_serve_a_while_when_their_server_fails(
    service: Service, client: Client, keys: Keys, tmp_path: Path
) -> None:
    ehr, clock = timed(service, client, tmp_path / "o.db")
    assert call(ehr, token(EC, north())).status_code == 400
    keys.status = 503
    clock.at += 20 * 60
    assert call(ehr, token(EC, north())).status_code == 400
    assert call(ehr, token(EC, north())).status_code == 400
    assert keys.hits == 2  # not for every call
    clock.at += 11
    assert call(ehr, token(EC, north())).status_code == 400
    assert keys.hits == 3
    clock.at += 5 * HOUR
    assert call(ehr, token(EC, north())).status_code == 401
    keys.status = 200
    clock.at += 11
    assert call(ehr, token(EC, north())).status_code == 400


@pytest.mark.parametrize(
    ("said", "fresh"),
    [
        ({"Cache-Control": "public, max-age=3600"}, 3600),
        ({"Cache-Control": 'MAX-AGE="120"'}, 120),
        ({"Cache-Control": "max-age=3600", "Age": "3000"}, 600),
        ({"Cache-Control": "max-age=5"}, 60),
        ({"Cache-Control": "no-store"}, 60),
        ({"Cache-Control": "no-cache, max-age=3600"}, 60),
        ({"Cache-Control": "max-age=soon"}, 60),
        ({"Cache-Control": "max-age=" + "9" * 5000}, 24 * HOUR),
        ({"Cache-Control": "max-age=604800"}, 24 * HOUR),
        ({"Cache-Control": "public"}, 15 * 60),
        ({}, 15 * 60),
    ],
)
def test_keys_are_kept_as_long_as_their_server_says_within_bounds(
    service: Service,
    client: Client,
    keys: Keys,
    tmp_path: Path,
    said: dict[str, str],
    fresh: int,
) -> None:
    ehr, clock = timed(service, client, tmp_path / "c.db")
    keys.headers = said
    assert call(ehr, token(EC, north())).status_code == 400
    clock.at += fresh - 1
    assert call(ehr, token(EC, north())).status_code == 400
    assert keys.hits == 1
    clock.at += 2
    assert call(ehr, token(EC, north())).status_code == 400
    assert keys.hits == 2


def test_however_long_keys_are_kept_a_failing_server_ends_them(
    service: Service, client: Client, keys: Keys, tmp_path: Path
) -> None:
    ehr, clock = timed(service, client, tmp_path / "l.db")
    keys.headers = {"Cache-Control": "max-age=120"}
    assert call(ehr, token(EC, north())).status_code == 400
    keys.status = 503
    clock.at += 120 + 4 * HOUR - 1
    assert call(ehr, token(EC, north())).status_code == 400
    clock.at += 2
    assert call(ehr, token(EC, north())).status_code == 401


@pytest.mark.parametrize(
    "published", [[], [{"kty": "oct", "k": "c2VjcmV0", "kid": EC["kid"]}], [5, None]]
)
def test_an_empty_key_set_never_replaces_one(
    service: Service, client: Client, keys: Keys, tmp_path: Path, published: list[Any]
) -> None:
    ehr, clock = timed(service, client, tmp_path / "e.db")
    assert call(ehr, token(EC, north())).status_code == 400
    keys.keys = published
    clock.at += 20 * 60
    assert call(ehr, token(EC, north())).status_code == 400


def test_calls_that_wait_for_the_first_keys_share_one_fetch(
    service: Service, client: Client, keys: Keys, tmp_path: Path
) -> None:
    made = known_to(service, tmp_path / "w.db", client)
    keys.delay = 0.2
    texts = [f"Bearer {token(EC, north())}" for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: made.identify(text, SERVICE_PATH).id, texts))
    assert found == ["st-elsewhere"] * 8
    assert keys.hits == 1
    made.close()


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"alg": "ES256"},
        {"key_ops": ["sign"]},
        {"key_ops": 5},
        {"crv": ["P-384"]},
        {"x": "AAAA"},
        {"kid": 7},
        {"d": EC["d"]},
    ],
)
def test_a_key_that_is_not_for_this_is_left_out_and_spoils_no_other(
    ehr: FlaskClient, keys: Keys, change: dict[str, Any]
) -> None:
    keys.keys = [public(EC)[0] | change, *public(RSA)]
    assert call(ehr, token(EC, north())).status_code == 401
    assert call(ehr, token(RSA, north())).status_code == 400


def test_a_key_id_may_stand_for_keys_of_two_kinds(ehr: FlaskClient, keys: Keys) -> None:
    keys.keys = [public(RSA)[0] | {"kid": "one"}, public(EC)[0] | {"kid": "one"}]
    assert call(ehr, token(EC, north(), {"kid": "one"})).status_code == 400
    assert call(ehr, token(RSA, north(), {"kid": "one"})).status_code == 400


def test_weak_keys_and_other_curves_are_no_keys() -> None:
    from cds_service.key_sets import BadKeySet, read_keys

    small = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True)
    curve = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
    for weak in (small, curve):
        with pytest.raises(BadKeySet):
            read_keys(json.dumps({"keys": [weak | {"kid": "k"}]}).encode())


# Algorithms by choice

NOT_USUAL = {name: pair(name, name) for name in ("ES256", "RS256", "PS384")}


@pytest.mark.parametrize("algorithm", NOT_USUAL)
def test_another_algorithm_is_for_clients_registered_for_it(
    service: Service, client: Client, keys: Keys, tmp_path: Path, algorithm: str
) -> None:
    chosen = replace(client, algorithms=frozenset({algorithm}))
    ehr = create_app(known_to(service, tmp_path / "a.db", chosen)).test_client()
    keys.keys = public(NOT_USUAL[algorithm], EC)
    assert call(ehr, token(NOT_USUAL[algorithm], north())).status_code == 400
    assert keys.hits == 1
    assert (
        call(ehr, token(EC, north())).status_code == 401
    )  # the choice takes the usual ones' place


def test_of_two_clients_at_one_address_each_has_its_own_algorithms(
    service: Service, client: Client, keys: Keys, tmp_path: Path
) -> None:
    other = replace(client, id="other", tenant="south", algorithms=frozenset({"ES256"}))
    ehr = create_app(known_to(service, tmp_path / "b.db", client, other)).test_client()
    unusual = NOT_USUAL["ES256"]
    keys.keys = public(unusual, EC)
    assert call(ehr, token(unusual, claims(tenant="south"))).status_code == 400
    assert call(ehr, token(EC, north())).status_code == 400
    assert call(ehr, token(unusual, north())).status_code == 401
    assert call(ehr, token(EC, claims(tenant="south"))).status_code == 401


def test_a_key_is_used_for_what_it_is_for_only(
    service: Service, client: Client, keys: Keys, tmp_path: Path
) -> None:
    every = replace(client, algorithms=frozenset(KINDS))
    ehr = create_app(known_to(service, tmp_path / "d.db", every)).test_client()
    free = {name: value for name, value in public(RSA)[0].items() if name != "alg"}
    keys.keys = [free | {"kid": "free"}, *public(RSA, EC)]
    for algorithm in ("RS384", "RS256", "PS384"):
        signed = RSA | {"alg": algorithm}
        assert call(ehr, token(signed, north(), {"kid": "free"})).status_code == 400
        bound = call(ehr, token(signed, north()))  # its key says that it is for RS384
        assert bound.status_code == (400 if algorithm == "RS384" else 401)
    p384 = jwt.PyJWK.from_dict(EC, "ES384").key
    with pytest.raises(jwt.InvalidKeyError):  # the library will not even sign so
        jwt.encode(north(), p384, "ES256")
    head = unsigned({"alg": "ES256", "typ": "JWT", "kid": EC["kid"]}, north(), b"x" * 64)
    assert call(ehr, head).status_code == 401
