"""Which addresses are connected to: the open internet, and what a site names besides."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from cds_service.addresses import ANYWHERE, Reach
from tests.fhir.test_client import HERE

HOSTILE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:808:808::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ehr.example.org",
    "",
]
OPEN = [
    "93.184.216.34",
    "8.8.8.8",
    "2606:4700::1111",
    "64:ff9b::808:808",
    "::ffff:8.8.8.8",
]


@pytest.mark.parametrize("address", HOSTILE)
def test_only_the_open_internet_is_connected_to(address: str) -> None:
    assert not Reach().allows(address)


@pytest.mark.parametrize("address", OPEN)
def test_the_open_internet_is_connected_to_in_all_its_forms(address: str) -> None:
    assert Reach().allows(address)


def test_a_site_names_its_own_networks() -> None:
    site = Reach((ip_network("10.20.0.0/16"), ip_network("fd12::/16")))
    for inside in ("10.20.3.4", "::ffff:10.20.3.4", "64:ff9b::a14:304", "fd12::7"):
        assert site.allows(inside)
    for outside in ("10.21.3.4", "127.0.0.1", "::ffff:10.21.3.4", "fd13::7"):
        assert not site.allows(outside)


def test_no_network_holds_what_hands_out_credentials() -> None:
    assert ANYWHERE.allows("10.0.0.1")
    for metadata in ("169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "168.63.129.16"):
        assert not ANYWHERE.allows(metadata)


def test_loopback_is_for_demos_and_tests() -> None:
    assert all(HERE.allows(each) for each in ("127.0.0.1", "::1", "::ffff:127.0.0.1"))
    assert not HERE.allows("10.0.0.1")
