"""Which client a token is of, and what it opens to that client."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.clients import Client
from cds_service.errors import NotAuthorized
from cds_service.service import Service
from cds_service.web.app import create_app
from tests.web.guarded import EC, RSA, call, client, ehr, guarded, keys, north
from tests.web.signed import (
    BASE,
    ISSUER,
    SERVICE_PATH,
    Keys,
    bearer,
    claims,
    known_to,
    public,
    token,
)

__all__ = ["client", "ehr", "guarded", "keys"]


@pytest.mark.parametrize(
    ("aud", "status"),
    [
        (BASE + SERVICE_PATH, 200),
        (f"{BASE}{SERVICE_PATH}/feedback", 200),
        (f"{BASE}{SERVICE_PATH}/feedback/", 200),
        (f"{BASE}/cds-services", 401),
        (f"{BASE}/cds-services/spine-orders/feedback", 401),
    ],
)
def test_feedback_takes_its_own_address_and_that_of_its_service(
    ehr: FlaskClient, aud: str, status: int
) -> None:
    text = token(EC, north(aud=aud))
    answer = ehr.post(f"{SERVICE_PATH}/feedback", data=b'{"feedback": []}', headers=bearer(text))
    assert answer.status_code == status


@pytest.mark.parametrize("odd", [5, "", None, {}])
def test_an_audience_beside_ours_must_be_text_as_well(ehr: FlaskClient, odd: Any) -> None:
    ours = BASE + SERVICE_PATH
    assert call(ehr, token(EC, north(aud=[ours, "https://other.example"]))).status_code == 400
    assert call(ehr, token(EC, north(aud=[ours, odd]))).status_code == 401


def test_an_audience_that_a_site_typed_in_is_taken_for_that_client_only(
    service: Service, client: Client, keys: Keys, tmp_path: Path
) -> None:
    other = Client("other", issuer="https://other.example", jku=keys.jku)
    fixed = replace(client, audiences=("our-cds",))
    ehr = create_app(known_to(service, tmp_path / "s.db", fixed, other)).test_client()
    assert call(ehr, token(EC, north(aud="our-cds"))).status_code == 400
    assert (
        call(ehr, token(EC, claims(iss="https://other.example", aud="our-cds"))).status_code == 401
    )


def test_discovery_is_open_unless_a_name_is_given_or_the_site_closes_it(
    ehr: FlaskClient, service: Service, client: Client, tmp_path: Path
) -> None:
    assert ehr.get("/cds-services").status_code == 200
    assert ehr.get("/cds-services", headers=bearer(token(EC, north()))).status_code == 401
    named = ehr.get("/cds-services", headers=bearer(token(EC, north(aud=f"{BASE}/cds-services"))))
    assert named.status_code == 200
    assert named.headers["Cache-Control"].startswith("private")
    shut = known_to(service, tmp_path / "shut.db", client, private_discovery=True)
    assert create_app(shut).test_client().get("/cds-services").status_code == 401


def test_tenants_of_one_issuer_are_told_apart(
    service: Service, client: Client, keys: Keys, tmp_path: Path
) -> None:
    south, rest = replace(client, id="south", tenant="south"), replace(client, id="rest", tenant="")
    made = known_to(service, tmp_path / "t.db", client, south, rest)

    def who(**said: Any) -> str:
        return made.identify("Bearer " + token(EC, claims(**said)), SERVICE_PATH).id

    assert who(tenant="north") == "st-elsewhere"
    assert who(tenant="south") == "south"
    assert who() == "rest"
    twins = known_to(service, tmp_path / "t.db", client, replace(client, id="twin"))
    with pytest.raises(NotAuthorized) as caught:
        twins.identify("Bearer " + token(EC, north()), SERVICE_PATH)
    assert caught.value.reason == "several clients fit"


def test_keys_from_a_file_are_never_fetched(service: Service, keys: Keys, tmp_path: Path) -> None:
    from cds_service.key_sets import read_keys

    held = read_keys(json.dumps({"keys": public(EC)}).encode())
    offline = Client("offline", issuer=ISSUER, jku=keys.jku, keys=held)
    ehr = create_app(known_to(service, tmp_path / "o.db", offline)).test_client()
    assert call(ehr, token(EC, claims(), {"jku": keys.jku})).status_code == 400
    assert call(ehr, token(RSA, claims())).status_code == 401
    assert keys.hits == 0


def test_a_client_may_be_held_to_services(service: Service, client: Client, tmp_path: Path) -> None:
    held = replace(client, services=frozenset({"spine-orders"}))
    ehr = create_app(known_to(service, tmp_path / "h.db", held)).test_client()
    answer = call(ehr, token(EC, north()))
    assert (answer.status_code, answer.get_json()["issue"][0]["code"]) == (403, "forbidden")
    text = token(EC, north(aud=f"{BASE}/cds-services"))
    listed = ehr.get("/cds-services", headers=bearer(text)).get_json()["services"]
    assert {entry["id"] for entry in listed} == {"spine-orders"}
