"""Who may ask, and how far a call may reach."""

from __future__ import annotations

import pytest

from cds_service.clients import ANYONE, Client, Registry
from cds_service.errors import Forbidden, NotAuthorized
from cds_service.settings import Mode, Settings


def test_anyone_may_ask_outside_production() -> None:
    assert Registry(Settings(mode=Mode.TEST)).identify(None) is ANYONE


def test_production_knows_its_clients() -> None:
    with pytest.raises(NotAuthorized, match=r"^Not authorized\.$"):
        Registry(Settings(mode=Mode.PRODUCTION)).identify("Bearer x")


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("http://127.0.0.1:8081/fhir", True),
        ("http://localhost:8081/fhir", True),
        ("https://ehr.example.org/fhir", False),
        ("http://127.0.0.1.example.org/fhir", False),
        ("http://localhost@example.org/fhir", False),
        ("http://169.254.169.254/", False),
        ("http://2130706433/", False),
    ],
)
def test_anyone_reaches_loopback_only(url: str, reached: bool) -> None:
    assert ANYONE.reaches(url) is reached


def test_a_registered_client_reaches_its_own_server_only() -> None:
    client = Client("st-elsewhere", fhir="https://ehr.example.org/fhir")
    assert client.reaches("https://ehr.example.org/fhir")
    assert client.reaches("https://ehr.example.org/fhir/Condition?patient=1")
    assert not client.reaches("https://ehr.example.org/fhirs")
    assert not client.reaches("http://127.0.0.1/fhir")


def test_a_client_may_be_held_to_some_services_and_cards() -> None:
    client = Client(
        "st-elsewhere", services=frozenset({"opioid-safety"}), silent=frozenset({"opioid-dose"})
    )
    client.may_use("opioid-safety")
    with pytest.raises(Forbidden):
        client.may_use("spine-orders")
    assert client.shows("pdmp-review")
    assert not client.shows("opioid-dose")
    assert not Client("silent", silent=frozenset({"all"})).shows("pdmp-review")
