"""What a token must say, to the second and to the letter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.errors import NotAuthorized
from cds_service.tokens import Claims, audiences, check, read_token
from tests.web.guarded import unsigned
from tests.web.signed import ISSUER, claims

BASE = "https://cds.example.org/cds"
HERE = f"{BASE}/cds-services/opioid-safety"
NOW = 1_700_000_000
GOOD = Claims("ES384", "k", None, "https://ehr.example.org", "", "1", (HERE,), NOW, NOW + 300, None)


def accepted(
    claims: Claims, *extra: str, now: int = NOW, path: str = "/cds-services/opioid-safety"
) -> bool:
    try:
        check(claims, now, audiences(BASE, path), extra)
    except NotAuthorized as error:
        assert error.reason
        assert str(error) == "Not authorized."
        return False
    return True


@pytest.mark.parametrize(
    ("late", "good"), [(-300, True), (0, True), (59, True), (60, True), (61, False)]
)
def test_a_token_ends_a_minute_after_it_says(late: int, good: bool) -> None:
    assert accepted(GOOD, now=GOOD.expires + late) is good


@pytest.mark.parametrize(("ahead", "good"), [(0, True), (59, True), (60, True), (61, False)])
def test_a_token_begins_a_minute_before_it_says(ahead: int, good: bool) -> None:
    assert accepted(replace(GOOD, issued=NOW + ahead)) is good
    assert accepted(replace(GOOD, not_before=NOW + ahead)) is good


@pytest.mark.parametrize(
    ("seconds", "good"), [(0, False), (-1, False), (1, True), (3600, True), (3601, False)]
)
def test_a_token_lives_an_hour_at_most(seconds: int, good: bool) -> None:
    assert accepted(replace(GOOD, expires=NOW + seconds)) is good


@pytest.mark.parametrize(
    ("audience", "good"),
    [
        (HERE, True),
        (HERE + "/", True),
        (HERE + "//", True),
        ("https://CDS.Example.Org:443/cds/cds-services/opioid-safety", True),
        ("https://cds.example.org:8443/cds/cds-services/opioid-safety", False),
        ("http://cds.example.org/cds/cds-services/opioid-safety", False),
        ("https://cds.example.org/cds-services/opioid-safety", False),
        (HERE + "?x=1", False),
        (HERE + "#x", False),
        (HERE + "/feedback", False),
        (HERE.replace("opioid", "spine"), False),
        ("https://cds.example.org:port/cds/cds-services/opioid-safety", False),
        ("https://[::1", False),
        ("", False),
        ("opioid-safety", False),
    ],
)
def test_a_token_is_meant_for_the_address_that_is_called(audience: str, good: bool) -> None:
    assert accepted(replace(GOOD, audience=(audience,))) is good
    assert accepted(replace(GOOD, audience=("https://elsewhere.example", audience))) is good


def test_an_address_may_be_called_with_a_slash_at_its_end() -> None:
    assert accepted(GOOD, path="/cds-services/opioid-safety/")


def test_what_a_client_is_known_to_send_is_taken() -> None:
    assert accepted(replace(GOOD, audience=("our-cds",)), "our-cds")
    assert not accepted(replace(GOOD, audience=("our-cds ",)), "our-cds")
    assert accepted(
        replace(GOOD, audience=("https://proxy.example/x/",)), "https://proxy.example/x"
    )


def test_what_a_token_says_is_shortened_for_the_log() -> None:
    refused = replace(GOOD, issuer="a\nb" + "c" * 500, token_id="\x1b[31m").refused("why")
    assert refused.issuer == "ab" + "c" * 98
    assert refused.token_id == "[31m"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"alg": "HS256"}, {}),
        ({"typ": "at+jwt"}, {}),
        ({"b64": True}, {}),
        ({}, {"aud": []}),
    ],
)
def test_a_refusal_names_the_issuer_it_was_told(
    header: dict[str, Any], said: dict[str, Any]
) -> None:
    """Who runs the service sees in the log whose clients are set up wrong."""
    text = unsigned({"alg": "ES384", "typ": "JWT", "kid": "k"} | header, claims(**said), b"x")
    with pytest.raises(NotAuthorized) as caught:
        read_token(f"Bearer {text}")
    assert caught.value.issuer == ISSUER
