"""Going out: by which address and under which name a server is reached, and what comes back."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cds_service.addresses import Network, Reach
from cds_service.callback import Callbacks
from cds_service.clients import Client
from cds_service.fhir.client import Pages
from cds_service.key_sets import KeySets
from cds_service.outbound import Refused, get, guarded_session, resolved
from cds_service.protocol.messages import read_request
from cds_service.settings import Mode, Settings
from tests.fhir.test_client import HERE, Ehr, ask, bundle, client, condition, ehr

__all__ = ["ehr"]  # a fixture

NAME = "ehr.example.org"
ODD = [
    "2130706433",
    "0x7f000001",
    "127.1",
    "017700000001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "127.0.0.01",
    "0",
    "0x",
]


class Names:
    """A resolver that gives its answers in turn, the last one again and again."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def fetched(url: str, names: Any, reach: Reach = HERE, **more: Any) -> requests.Session:
    session = guarded_session(lambda _: True, reach, resolve=names)
    more = {"headers": {}, "deadline": time.monotonic() + 3, "most_bytes": 10_000} | more
    get(session, url, **more)
    return session


@pytest.mark.parametrize("host", [*ODD, "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"])
def test_every_way_to_write_loopback_is_refused(ehr: Ehr, host: str) -> None:
    for scheme in ("http", "https"):
        with pytest.raises((Refused, requests.exceptions.InvalidURL)):
            fetched(f"{scheme}://{host}:{ehr.server_port}/fhir", resolved, Reach())
    assert ehr.seen == []


@pytest.mark.parametrize("host", ODD)
def test_an_odd_notation_is_refused_even_where_its_address_is_not(ehr: Ehr, host: str) -> None:
    with pytest.raises((Refused, requests.exceptions.InvalidURL)):
        fetched(f"http://{host}:{ehr.server_port}/fhir", Names(["127.0.0.1"]))
    assert ehr.seen == []


def test_a_name_is_resolved_once_and_kept_for_the_host_header(ehr: Ehr) -> None:
    names = Names(["10.0.0.9", "127.0.0.1"], ["169.254.169.254"])
    ehr.table["/fhir"] = {}
    fetched(f"http://{NAME}:{ehr.server_port}/fhir", names)
    assert names.asked == [(NAME, ehr.server_port)]
    assert ehr.seen[0][1]["Host"] == f"{NAME}:{ehr.server_port}"
    assert ehr.seen[0][1]["Accept-Encoding"] == "gzip"


def test_a_name_that_is_bound_again_is_checked_again(ehr: Ehr) -> None:
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    ehr.table["/fhir"] = {}
    session = fetched(f"http://{NAME}:{ehr.server_port}/fhir", names)
    session.close()
    with pytest.raises(Refused, match="not allowed"):
        get(
            session,
            f"http://{NAME}:{ehr.server_port}/fhir",
            headers={},
            deadline=time.monotonic() + 3,
            most_bytes=9,
        )
    assert len(ehr.seen) == 1


def test_the_next_address_is_tried_and_none_is_no_connection(ehr: Ehr) -> None:
    ehr.table["/fhir"] = {}
    fetched(f"http://{NAME}:{ehr.server_port}/fhir", Names(["127.3.3.3", "127.0.0.1"]))

    def nobody(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "unknown")

    for names in (Names([]), Names(["127.3.3.3"]), nobody):
        with pytest.raises(requests.ConnectionError):
            fetched(f"http://{NAME}:{ehr.server_port}/fhir", names)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for NAME that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    day = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(day - timedelta(days=1))
        .not_valid_after(day + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(signed.public_bytes(pem))
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"


def test_tls_is_spoken_with_the_name_not_the_address(ehr: Ehr, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    asked_for: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    ehr.socket = context.wrap_socket(ehr.socket, server_side=True)
    ehr.table["/fhir"] = {}
    session = guarded_session(lambda _: True, HERE, resolve=Names(["127.0.0.1"]))
    session.verify = str(cert)
    how: dict[str, Any] = {"headers": {}, "deadline": time.monotonic() + 3, "most_bytes": 99}
    assert get(session, f"https://{NAME}:{ehr.server_port}/fhir", **how).status == 200
    assert asked_for == [NAME]
    with pytest.raises(requests.exceptions.SSLError):
        get(session, f"https://other.example.org:{ehr.server_port}/fhir", **how)


def test_key_sets_go_out_by_the_same_rules(ehr: Ehr) -> None:
    inside = f"http://127.0.0.1:{ehr.server_port}/keys"
    with pytest.raises(Refused, match="not allowed"):
        KeySets({inside: Reach()}).fetch(inside)
    assert ehr.seen == []
    with pytest.raises(ValueError, match="status 404"):
        KeySets({inside: HERE}).fetch(inside)


@pytest.mark.parametrize(
    "kind", ["text/html", "application/fhir+xml", "application/jsonp", "image/png"]
)
def test_another_content_type_is_a_failure(ehr: Ehr, kind: str) -> None:
    ehr.table["/fhir/Condition?patient=p1"] = (200, {"Content-Type": kind}, b"{}")
    assert ask(ehr) == "not FHIR JSON"


@pytest.mark.parametrize(
    "kind",
    ["application/fhir+json; charset=utf-8", "application/json", "Application/JSON", "text/json"],
)
def test_json_goes_by_several_names(ehr: Ehr, kind: str) -> None:
    ehr.table["/fhir/Condition?patient=p1"] = (200, {"Content-Type": kind}, b"{}")
    assert isinstance(ask(ehr), Pages)


def test_a_gzip_bomb_is_stopped_while_it_unpacks(ehr: Ehr) -> None:
    bomb = gzip.compress(b" " * 60_000_000)
    ehr.table["/fhir/Condition?patient=p1"] = (200, {"Content-Encoding": "gzip"}, bomb)
    started = time.monotonic()
    assert ask(ehr, page_bytes=100_000) == "the answer is too large"
    assert time.monotonic() - started < 1


def hook(server: str) -> Any:
    body = {
        "hook": "patient-view",
        "hookInstance": "11111111-1111-4111-8111-111111111111",
        "fhirServer": server,
        "context": {"userId": "Practitioner/1", "patientId": "p1"},
    }
    return read_request(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("mode", "private", "why"),
    [
        (Mode.PRODUCTION, (), "the address is not allowed"),
        (Mode.PRODUCTION, (ip_network("127.0.0.0/8"),), "Pages"),
        (Mode.TEST, (), "Pages"),
    ],
)
def test_production_reaches_private_addresses_that_the_client_names(
    ehr: Ehr, mode: Mode, private: tuple[Network, ...], why: str
) -> None:
    ehr.table["/fhir/Patient/p1"] = {}
    callbacks = Callbacks(Settings(mode=mode))
    registered = Client("st-elsewhere", fhir=ehr.base, allow_private=private)
    server, _note = callbacks.of(hook(ehr.base), registered)
    assert server is not None
    assert str(server.gather({"q": "Patient/p1"})["q"]).startswith(why)
    callbacks.close()


def test_a_next_page_elsewhere_is_not_asked_for(ehr: Ehr) -> None:
    for link in (
        "http://169.254.169.254/fhir?page=2",
        f"http://localhost:{ehr.server_port}/fhir?page=2",
    ):
        page = bundle(condition(), link=[{"relation": "next", "url": link}])
        ehr.table["/fhir/Condition?patient=p1"] = page
        found = client(ehr).gather({"q": "Condition?patient=p1"})["q"]
        assert isinstance(found, Pages)
        assert found.cut == "a later page: a link to another server"
    assert len(ehr.seen) == 2


def test_addresses_come_from_the_resolver_as_they_are_connected_to() -> None:
    assert all(ip_address(each).is_loopback for each in resolved("localhost", 80))
