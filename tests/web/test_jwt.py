"""How a client proves to be itself, and every way in which it does not."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask.testing import FlaskClient

from tests.web.guarded import (
    EC,
    HOUR,
    OTHER,
    RSA,
    b64,
    call,
    client,
    ehr,
    guarded,
    keys,
    north,
    unsigned,
)
from tests.web.signed import BASE, ISSUER, SERVICE_PATH, Keys, public, token

__all__ = ["client", "ehr", "guarded", "keys"]


def signed_by_public_pem(said: dict[str, Any]) -> str:
    """HS256 with the published RSA key as its secret."""
    pem = jwt.PyJWK.from_dict(public(RSA)[0], "RS384").key.public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    head = f"{b64({'alg': 'HS256', 'typ': 'JWT', 'kid': 'rsa'})}.{b64(said)}"
    return f"{head}.{b64(hmac.digest(pem, head.encode(), hashlib.sha256))}"


def p256(said: dict[str, Any]) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(said, key, "ES256", headers={"kid": EC["kid"]})


def tampered(text: str) -> str:
    head, _, signature = text.split(".")
    return f"{head}.{b64(north(sub='someone else'))}.{signature}"


NOW: Callable[[], int] = lambda: int(time.time())  # noqa: E731 - read when a token is made
GOOD_HEADER = {"alg": "ES384", "typ": "JWT", "kid": EC["kid"]}
BAD: dict[str, Callable[[Keys], str]] = {
    "nothing": lambda _: "",
    "not a token": lambda _: "abc",
    "two parts": lambda _: "a.b",
    "not base64": lambda _: "%%.%%.%%",
    "two tokens": lambda _: f"{token(EC, north())},{token(EC, north())}",
    "endless": lambda _: "a" * 100_000,
    "nested": lambda _: f"{b64(GOOD_HEADER)}.{b64(b'[' * 5000)}.AA",
    "header no object": lambda _: f"{b64([])}.{b64(north())}.AA",
    "claims no object": lambda _: f"{b64(GOOD_HEADER)}.{b64(['iss'])}.AA",
    "no signature": lambda _: unsigned(GOOD_HEADER, north()),
    "alg none": lambda _: unsigned({"alg": "none", "typ": "JWT", "kid": "rsa"}, north()),
    "alg NONE": lambda _: unsigned({"alg": "NONE", "typ": "JWT", "kid": "rsa"}, north()),
    "alg missing": lambda _: unsigned({"typ": "JWT", "kid": EC["kid"]}, north(), b"x"),
    "alg HS256 with the public key": lambda _: signed_by_public_pem(north()),
    "alg ES256": lambda _: p256(north()),
    "alg RS256": lambda _: jwt.encode(
        north(), jwt.PyJWK.from_dict(RSA, "RS256").key, "RS256", headers={"kid": "rsa"}
    ),
    "alg PS384": lambda _: jwt.encode(
        north(), jwt.PyJWK.from_dict(RSA, "PS384").key, "PS384", headers={"kid": "rsa"}
    ),
    "alg of the other key": lambda _: token(EC, north(), {"kid": "rsa"}),
    "kid missing": lambda _: token(EC, north(), {"kid": ...}),
    "kid empty": lambda _: unsigned(GOOD_HEADER | {"kid": ""}, north(), b"x"),
    "kid a number": lambda _: unsigned(GOOD_HEADER | {"kid": 5}, north(), b"x"),
    "kid of nobody": lambda _: token(OTHER, north()),
    "kid of another key": lambda _: token(OTHER, north(), {"kid": EC["kid"]}),
    "typ missing": lambda _: unsigned({"alg": "ES384", "kid": EC["kid"]}, north(), b"x"),
    "typ of another kind": lambda _: token(EC, north(), {"typ": "at+jwt"}),
    "crit unknown": lambda _: token(EC, north(), {"crit": ["exp"], "exp": 1}),
    "b64 false": lambda _: unsigned(GOOD_HEADER | {"b64": False, "crit": ["b64"]}, north(), b"x"),
    "signature of other claims": lambda _: tampered(token(EC, north())),
    "iss missing": lambda _: token(EC, north(iss=...)),
    "iss unknown": lambda _: token(EC, north(iss="https://evil.example")),
    "iss with a slash": lambda _: token(EC, north(iss=ISSUER + "/")),
    "iss a list": lambda _: unsigned(GOOD_HEADER, north(iss=[ISSUER]), b"x"),
    "jku elsewhere": lambda _: token(EC, north(), {"jku": "https://evil.example/jwks.json"}),
    "jku on loopback": lambda k: token(EC, north(), {"jku": k.jku.replace("jwks", "other")}),
    "jku with a query": lambda k: token(EC, north(), {"jku": k.jku + "?"}),
    "jku with a fragment": lambda k: token(EC, north(), {"jku": k.jku + "#a"}),
    "jku of the metadata service": lambda _: token(EC, north(), {"jku": "http://169.254.169.254/"}),
    "jku a file": lambda _: token(EC, north(), {"jku": "file:///etc/passwd"}),
    "jwk in the header": lambda _: token(OTHER, north(), {"jwk": public(OTHER)[0]}),
    "tenant unknown": lambda _: token(EC, north(tenant="south")),
    "tenant empty": lambda _: token(EC, north(tenant="")),
    "tenant missing": lambda _: token(EC, north(tenant=...)),
    "tenant a list": lambda _: unsigned(GOOD_HEADER, north(tenant=["north"]), b"x"),
    "aud missing": lambda _: token(EC, north(aud=...)),
    "aud of another service": lambda _: token(EC, north(aud=f"{BASE}/cds-services/spine-orders")),
    "aud of discovery": lambda _: token(EC, north(aud=f"{BASE}/cds-services")),
    "aud of feedback": lambda _: token(EC, north(aud=f"{BASE}{SERVICE_PATH}/feedback")),
    "aud of another host": lambda _: token(
        EC, north(aud=f"https://cds.example.org.evil{SERVICE_PATH}")
    ),
    "aud over http": lambda _: token(EC, north(aud=f"http://cds.example.org{SERVICE_PATH}")),
    "aud with a user": lambda _: token(EC, north(aud=f"https://cds@cds.example.org{SERVICE_PATH}")),
    "aud in capitals": lambda _: token(EC, north(aud=BASE + SERVICE_PATH.upper())),
    "aud empty": lambda _: token(EC, north(aud=[])),
    "aud a number": lambda _: unsigned(GOOD_HEADER, north(aud=5), b"x"),
    "exp missing": lambda _: token(EC, north(exp=...)),
    "exp past": lambda _: token(EC, north(iat=NOW() - 400, exp=NOW() - 65)),
    "exp text": lambda _: unsigned(GOOD_HEADER, north(exp="soon"), b"x"),
    "exp true": lambda _: unsigned(GOOD_HEADER, north(exp=True), b"x"),
    "exp immense": lambda _: unsigned(GOOD_HEADER, north(exp=10**30), b"x"),
    "lives too long": lambda _: token(EC, north(iat=NOW(), exp=NOW() + HOUR + 1)),
    "lives backwards": lambda _: token(EC, north(iat=NOW() + 50, exp=NOW() + 40)),
    "iat missing": lambda _: token(EC, north(iat=...)),
    "iat in the future": lambda _: token(EC, north(iat=NOW() + 65, exp=NOW() + 300)),
    "iat negative": lambda _: unsigned(GOOD_HEADER, north(iat=-5), b"x"),
    "nbf in the future": lambda _: token(EC, north(nbf=NOW() + 65)),
    "nbf text": lambda _: unsigned(GOOD_HEADER, north(nbf="now"), b"x"),
    "jti missing": lambda _: token(EC, north(jti=...)),
    "jti empty": lambda _: token(EC, north(jti="")),
    "jti half a character": lambda _: token(EC, north(jti="a\ud800")),
    "kid half a character": lambda _: token(EC, north(), {"kid": "a\ud800"}),
    "iss half a character": lambda _: token(EC, north(iss=ISSUER + "\ud800")),
    "jti a number": lambda _: unsigned(GOOD_HEADER, north(jti=5), b"x"),
}
FETCHES = {  # whose keys must be looked at to know
    "no signature",
    "alg of the other key",
    "kid of nobody",
    "kid of another key",
    "signature of other claims",
    "jwk in the header",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_is_401_and_says_nothing(
    ehr: FlaskClient, keys: Keys, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = BAD[name](keys)
    answer = call(ehr, text)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    issue = answer.get_json()["issue"]
    assert issue == [{"severity": "error", "code": "login", "details": {"text": "Not authorized."}}]
    line = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert (line["event"], line["status"]) == ("refused", 401)
    assert line["why"]
    assert not text or text not in json.dumps(line)
    assert keys.hits == (1 if name in FETCHES else 0)


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "Bearer", "Bearer ", "Token x"])
def test_without_a_bearer_token_it_is_401(ehr: FlaskClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = ehr.post(SERVICE_PATH, json={}, headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


GOOD: dict[str, Callable[[Keys], str]] = {
    "ES384": lambda _: token(EC, north()),
    "RS384": lambda _: token(RSA, north()),
    "jku empty": lambda _: token(EC, north(), {"jku": ""}),
    "jku null": lambda _: token(EC, north(), {"jku": None}),
    "nbf null": lambda _: token(EC, north(nbf=None)),
    "jti of several lines": lambda _: token(EC, north(jti="a\r\nb")),
    "with its jku": lambda k: token(EC, north(), {"jku": k.jku}),
    "typ in small letters": lambda _: token(EC, north(), {"typ": "jwt"}),
    "aud among others": lambda _: token(EC, north(aud=["https://a.example", BASE + SERVICE_PATH])),
    "aud with a slash": lambda _: token(EC, north(aud=f"{BASE}{SERVICE_PATH}/")),
    "aud with its port": lambda _: token(
        EC, north(aud=f"https://cds.example.org:443{SERVICE_PATH}")
    ),
    "aud with a host in capitals": lambda _: token(
        EC, north(aud=f"HTTPS://CDS.example.ORG{SERVICE_PATH}")
    ),
    "as Epic times it": lambda _: token(
        EC, north(iat=NOW(), nbf=NOW() - 300, exp=NOW() + 900, sub="c")
    ),
    "an hour": lambda _: token(EC, north(iat=NOW(), exp=NOW() + HOUR)),
    "a clock ahead": lambda _: token(EC, north(iat=NOW() + 55, nbf=NOW() + 55, exp=NOW() + 300)),
    "a clock behind": lambda _: token(EC, north(iat=NOW() - 300, exp=NOW() - 50)),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_token_is_let_in_once(ehr: FlaskClient, keys: Keys, name: str) -> None:
    text = GOOD[name](keys)
    assert call(ehr, text).status_code == 400  # known, and its body is no request
    assert call(ehr, text).status_code == 401
    assert keys.hits == 1


@pytest.mark.parametrize(("late", "status"), [(59, 400), (62, 401)])
def test_clocks_may_differ_by_a_minute(ehr: FlaskClient, late: int, status: int) -> None:
    assert call(ehr, token(EC, north(iat=NOW() - 300, exp=NOW() - late + 1))).status_code == status
    assert call(ehr, token(EC, north(iat=NOW() + late - 1))).status_code == (
        400 if late < 61 else status
    )


def test_the_scheme_is_read_in_any_case(ehr: FlaskClient) -> None:
    headers = {"Authorization": f"bearer {token(EC, north())}"}
    assert ehr.post(SERVICE_PATH, json={}, headers=headers).status_code == 400


def test_a_refused_token_uses_nothing_up(ehr: FlaskClient) -> None:
    said = north()
    assert call(ehr, tampered(token(EC, said))).status_code == 401
    assert call(ehr, token(OTHER, said, {"kid": EC["kid"]})).status_code == 401
    assert call(ehr, token(EC, said)).status_code == 400
