"""`cds-service client` and `cds-service keys`."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import commands
from cds_service.clients_file import read_clients
from cds_service.errors import KnowledgeError, SettingsError
from cds_service.key_sets import read_keys
from cds_service.tokens import ALGORITHMS, KINDS
from tests.web.signed import Keys, pair, public

pytestmark = pytest.mark.slow

KEY = pair("ES384", "k1")
MANY = [
    *("--issuer", "https://b.example", "--jku", "https://b.example/j", "--tenant", "t", "--loud"),
    *("--fhir", "https://b.example/fhir", "--service", "opioid-safety", "--profile", "epic"),
    *("--algorithm", "ES256", "--algorithm", "ES384", "--algorithm", "ES256"),
]


@pytest.fixture
def keys() -> Iterator[Keys]:
    with Keys(KEY) as published:
        yield published
        published.shutdown()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "clients.yaml"
    monkeypatch.setenv("CDS_CLIENTS", str(path))
    monkeypatch.setenv("CDS_MODE", "test")
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, arguments)


def test_clients_are_added_one_after_the_other(file: Path) -> None:
    first = run(
        "client",
        "add",
        "st-elsewhere",
        "--issuer",
        "https://a.example",
        "--jku",
        "https://a.example/j",
    )
    assert first.exit_code == 0
    assert "silent" in first.output
    file.write_text("# Kept by security.\n" + file.read_text())
    assert run("client", "add", "b", *MANY, "--audience", "x").exit_code == 0
    one, two = read_clients(file)
    assert (one.id, one.all_silent) == ("st-elsewhere", True)
    assert (two.tenant, two.silent, two.services) == (
        "t",
        frozenset(),
        frozenset({"opioid-safety"}),
    )
    assert (one.algorithms, two.algorithms) == (ALGORITHMS, {"ES256", "ES384"})
    assert (two.profile, two.audiences, two.fhir) == ("epic", ("x",), "https://b.example/fhir")
    assert file.read_text().startswith("# Kept by security.\n")


@pytest.mark.parametrize(
    "options",
    [
        ["st-elsewhere", "--issuer", "https://c.example", "--jku", "https://c.example/j"],
        ["c", "--issuer", "https://a.example", "--jku", "https://a.example/j"],
        ["c", "--issuer", "https://c.example"],
        [
            "c",
            "--issuer",
            "https://c.example",
            "--jku",
            "https://c.example/j",
            "--service",
            "greeting",
        ],
    ],
)
def test_what_would_break_the_file_changes_nothing(file: Path, options: list[str]) -> None:
    run(
        "client",
        "add",
        "st-elsewhere",
        "--issuer",
        "https://a.example",
        "--jku",
        "https://a.example/j",
    )
    before = file.read_text()
    ended = run("client", "add", *options)
    assert isinstance(ended.exception, KnowledgeError)
    assert file.read_text() == before
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("place", ["missing/clients.yaml", "."])
def test_a_place_where_nothing_can_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("CDS_CLIENTS", str(tmp_path / place))
    ended = run("client", "add", "a", "--issuer", "x", "--jku", "https://a.example/j")
    assert isinstance(ended.exception, SettingsError)
    assert str(ended.exception).startswith(f"CDS_CLIENTS: {tmp_path}")


def test_a_file_that_is_no_text_stays_as_it_is(file: Path) -> None:
    file.write_bytes(b"clients:\n  # \xe9\n")
    ended = run("client", "add", "a", "--issuer", "x", "--jku", "https://a.example/j")
    assert str(ended.exception).endswith("not UTF-8")


def test_a_fault_of_a_query_names_its_line(file: Path) -> None:
    prefetch = "    prefetch:\n      observation: Observation?patient={{context.patientId}}\n"
    file.write_text("clients:\n  a:\n    issuer: x\n    jku: https://a.example/j\n" + prefetch)
    assert "clients.yaml:6: prefetch.observation of a" in run("client", "check").output


EPIC = "clients:\n  a:\n    issuer: x\n    jku: https://a.example/j\n    profile: epic\n"


def test_orders_get_their_preference_list_entries(file: Path) -> None:
    options = ["--issuer", "x", "--jku", "https://a.example/j", "--profile", "epic"]
    mapped = ["--preference", "naloxone=0017", "--preference", "naproxen=NAP=1"]
    assert run("client", "add", "a", *options, *mapped).exit_code == 0
    (client,) = read_clients(file)
    assert client.preference_list == (("naloxone", "0017"), ("naproxen", "NAP=1"))
    checked = run("client", "check", "--offline")
    assert checked.exit_code == 0
    assert re.search(r"a: 2 of \d\d orders have a preference list entry", checked.output)
    for wrong in ("naloxone", "=5", "naloxone="):
        assert run("client", "add", "b", *options, "--preference", wrong).exit_code == 2
    unknown = run("client", "add", "b", *options, "--tenant", "t", "--preference", "naloxon=5")
    assert "unknown order 'naloxon'" in str(unknown.exception)


def test_a_check_names_orders_that_have_no_preference_list(file: Path) -> None:
    file.write_text(EPIC + "    preference_list:\n      naloxon: 1\n      case-management: 2\n")
    ended = run("client", "check", "--offline")
    assert ended.exit_code == 1
    assert "clients.yaml:7: unknown order 'naloxon' (allowed: acupuncture-referral," in ended.output
    assert "clients.yaml:8: case-management is a Task" in ended.output


def test_the_orders_of_a_client_are_shown_with_their_entries(file: Path) -> None:
    file.write_text(EPIC + "    preference_list: {naloxone: 4711}\n")
    shown = run("client", "orders", "a")
    assert shown.exit_code == 0
    rows = {line.split()[1]: line for line in shown.output.splitlines() if "Request" in line}
    assert "4711" in rows["naloxone"]
    assert "none" in rows["naproxen"]
    assert "case-management" not in rows
    assert run("client", "orders", "nobody").exit_code == 2


def test_only_epic_needs_entries(file: Path) -> None:
    file.write_text(EPIC.replace("profile: epic", "profile: oracle"))
    shown = run("client", "orders", "a")
    assert shown.exit_code == 0
    assert "none" not in shown.output
    assert "as it is" in shown.output


def test_clients_are_listed_with_nothing_cut_off(file: Path) -> None:
    name, issuer = "st-elsewhere-of-the-seven-hills", "https://ehr.example/api/FHIR/R4"
    run("client", "add", name, "--issuer", issuer, "--jku", f"{issuer}/keys", "--fhir", issuer)
    shown = run("client", "list")
    assert shown.exit_code == 0
    assert "…" not in shown.output
    for text in (name, issuer, f"{issuer}/keys"):
        assert text in shown.output


def test_without_a_file_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDS_CLIENTS", raising=False)
    ended = run("client", "list")
    assert isinstance(ended.exception, SettingsError)
    assert "CDS_CLIENTS" in str(ended.exception)


def test_a_check_reads_the_file_and_fetches_keys(file: Path, keys: Keys) -> None:
    run("client", "add", "a", "--issuer", "https://a.example", "--jku", keys.jku)
    good = run("client", "check")
    assert (good.exit_code, good.output) == (0, "0 faults\n")
    keys.status = 503
    bad = run("client", "check")
    assert bad.exit_code == 1
    assert "status 503" in bad.output
    assert run("client", "check", "--offline").exit_code == 0


def test_a_check_tells_every_fault_of_the_file(file: Path) -> None:
    file.write_text(
        "clients:\n  a:\n    issuer: x\n    jku: https://a.example/j\n    silent: [nothing]\n"
        "    payers: {Plan: nobody}\n"
    )
    ended = run("client", "check")
    assert ended.exit_code == 1
    assert "nothing" in ended.output
    assert "nobody" in ended.output
    assert "2 faults" in ended.output


def test_a_check_says_what_production_refuses(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(
        "client",
        "add",
        "a",
        "--issuer",
        "https://sandbox.cds-hooks.org",
        "--jku",
        "https://a.example/j",
    )
    monkeypatch.setenv("CDS_MODE", "production")
    ended = run("client", "check", "--offline")
    assert ended.exit_code == 1
    assert "public test issuer" in ended.output
    assert "CDS_HASH_KEY" in ended.output


@pytest.mark.parametrize("algorithm", list(KINDS))
def test_a_new_pair_is_for_its_owner_only_and_its_public_half_verifies(
    tmp_path: Path, algorithm: str
) -> None:
    path = tmp_path / "key.json"
    made = run("keys", "make", str(path), "--algorithm", algorithm, "--kid", "k")
    assert made.exit_code == 0
    (key,) = read_keys(made.output.encode(), [algorithm])
    assert (key.id, key.algorithm) == ("k", algorithm)
    private = json.loads(path.read_text())
    assert "d" in private
    assert "d" not in json.loads(made.output)["keys"][0]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(run("keys", "print", str(path)).output) == json.loads(made.output)
    assert run("keys", "make", str(path)).exit_code == 2  # never over another key


def test_what_is_no_key_is_bad_input(tmp_path: Path) -> None:
    for text in ("nonsense", "[]", '{"keys": 5}', '{"keys": []}', '{"kty": "oct"}'):
        (tmp_path / "x.json").write_text(text)
        assert run("keys", "print", str(tmp_path / "x.json")).exit_code == 2


def test_the_keys_of_a_client_are_shown(file: Path, keys: Keys) -> None:
    run("client", "add", "a", "--issuer", "https://a.example", "--jku", keys.jku)
    (file.parent / "held.json").write_text(json.dumps({"keys": public(KEY)}))
    run("client", "add", "b", "--issuer", "https://b.example", "--keys", "held.json")
    for name in ("a", "b"):
        shown = run("keys", "check", name)
        assert shown.exit_code == 0
        assert "ES384  k1  " in shown.output
    keys.keys = []
    assert run("keys", "check", "a").exit_code == 1
    assert run("keys", "check", "c").exit_code == 2
