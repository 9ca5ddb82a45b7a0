"""The image and the compose file: what goes in, how it is installed, and how it runs."""

from __future__ import annotations

import fnmatch
import importlib.metadata
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.settings import Settings

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
IDENTITY = 10001
FREE_OF_OURS = frozenset({"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "TMPDIR"})
Step = tuple[str, list[str]]


def steps() -> list[Step]:
    """The instructions of the Dockerfile and their words, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = (line.strip() for line in text.splitlines())
    found = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [
        (name, shlex.split(rest) if name in ("COPY", "RUN", "FROM", "ADD") else [rest])
        for name, _, rest in found
    ]


def stages() -> list[list[Step]]:
    found: list[list[Step]] = []
    for step in steps():
        if step[0] == "FROM":
            found.append([])
        found[-1].append(step)
    return found


def copied() -> Iterator[str]:
    """What is copied from the repository."""
    for name, words in steps():
        if name == "COPY" and not words[0].startswith("--from"):
            yield from words[:-1]


def commands() -> list[list[str]]:
    """The single commands of all RUN instructions."""
    found: list[list[str]] = []
    for name, words in steps():
        if name == "RUN":
            found.append([])
            for word in words:
                if word == "&&":
                    found.append([])
                else:
                    found[-1].append(word)
    return found


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path from the builder; the last pattern that fits decides."""
    out = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip().removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        if fnmatch.fnmatch(path, pattern) or path.startswith(f"{pattern}/"):
            out = not line.startswith("!")
    return out


def pins(file: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Each requirement of a lock file: its version and hashes."""
    joined = re.sub(r"\\\n\s*", " ", file.read_text())
    found = {}
    for line in joined.splitlines():
        match = re.match(r"([A-Za-z0-9._-]+)==(\S+)", line)
        if match:
            found[match[1].lower()] = (
                match[2],
                frozenset(re.findall(r"sha256:[0-9a-f]{64}", line)),
            )
    return found


@pytest.mark.parametrize("source", sorted(set(copied())))
def test_what_the_image_copies_exists_and_reaches_the_builder(source: str) -> None:
    assert (ROOT / source).exists()
    assert not ignored(source)


def test_nothing_else_reaches_the_builder() -> None:
    for path in (
        ".git",
        "tests",
        "docs",
        "deploy/cds-service.env",
        "cds_service/__pycache__",
        "cds-service.db",
    ):
        assert ignored(path), path


def test_every_layer_comes_from_a_slim_python_and_nothing_from_the_network_by_hand() -> None:
    froms = [words for name, words in steps() if name == "FROM"]
    assert [words[0] for words in froms] == ["python:3.11-slim"] * 2
    assert "ADD" not in {name for name, _ in steps()}
    used = {word for words in commands() for word in words}
    assert not used & {"curl", "wget", "git", "apt-get"}


def test_requirements_are_installed_by_hash_and_the_project_without_them() -> None:
    installs = [
        words for words in commands() if "pip" in words and {"install", "wheel"} & set(words)
    ]
    assert len(installs) == 4
    for words in installs:
        assert "--require-hashes" in words or "--no-deps" in words
    (wheel,) = [words for words in installs if "wheel" in words]
    assert {"--no-deps", "--no-build-isolation"} <= set(wheel)
    assert any("--no-index" in words for words in installs)


def test_the_image_runs_confined() -> None:
    last = stages()[-1]
    said: dict[str, str] = {name: " ".join(words) for name, words in last}
    assert said["USER"] == f"{IDENTITY}:{IDENTITY}"
    assert json.loads(said["ENTRYPOINT"]) == ["cds-service"]
    assert json.loads(said["CMD"]) == ["serve"]
    assert json.loads(said["VOLUME"]) == ["/var/lib/cds-service"]
    order = [name for name, _ in last]
    assert order.index("USER") < order.index("ENTRYPOINT")
    assert not [name for name, words in last if name == "RUN" and "pip" in words]
    values = dict(re.findall(r"(\w+)=(\S+)", said["ENV"]))
    assert values["CDS_DATABASE_URL"] == "sqlite:////var/lib/cds-service/cds-service.db"
    known = {f"CDS_{name.upper()}" for name in Settings.model_fields}
    assert values.keys() - FREE_OF_OURS <= known


def test_the_health_check_asks_health_and_needs_only_python() -> None:
    (check,) = [words[0] for name, words in stages()[-1] if name == "HEALTHCHECK"]
    command = json.loads(check.partition("CMD")[2])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "HEALTHCHECK", "exec")
    assert "/health" in command[2] and "timeout=" in command[2]


def test_the_build_tools_are_those_of_the_development_lock() -> None:
    build, dev = (
        pins(ROOT / "deploy" / "requirements-build.lock"),
        pins(ROOT / "requirements-dev.lock"),
    )
    assert {"hatchling", "packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers"} == set(
        build
    )
    for name, pinned in build.items():
        assert dev[name] == pinned, f"copy {name} from requirements-dev.lock"
        assert pinned[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["build-system"]["requires"] == [f"hatchling=={build['hatchling'][0]}"]
    needed = frozenset(name.lower() for name in requires("hatchling"))
    assert needed <= build.keys(), "the build needs more than its lock holds"


def requires(distribution: str) -> list[str]:
    """What a distribution needs on the Python of the image."""
    said = importlib.metadata.requires(distribution) or []
    return [re.split(r"[^A-Za-z0-9._-]", line)[0] for line in said if "python_version" not in line]


@pytest.mark.slow
def test_the_commands_of_the_build_make_a_wheel_that_holds_everything(tmp_path: Path) -> None:
    """The wheel as the image builds it, in an environment that holds the build tools."""
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            str(tmp_path),
            ".",
        ],
        cwd=ROOT,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    (wheel,) = tmp_path.glob("*.whl")
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(wheel)], capture_output=True, check=True
    )
    names = listed.stdout.decode()
    for inside in (
        "cds_service/_cards/opioid-dose.yaml",
        "cds_service/_fhir_fixtures/",
        "cds_service/about/worked-cases.json",
        "cds_service/web/pages/about.html",
        "cds_service/web/pages/static/about.css",
        "cds_service/knowledge/sources.yaml",
        "cds_service/memory/migrations/",
    ):
        assert inside in names, inside


def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def test_compose_starts_the_service_after_its_database() -> None:
    services = compose()["services"]
    ours, database = services["cds-service"], services["database"]
    assert database["image"] == "postgres:15"
    assert ours["depends_on"]["database"]["condition"] == "service_healthy"
    for each in (ours, database):
        assert each["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
        assert "no-new-privileges:true" in each["security_opt"]
        assert each["env_file"]
    assert ours["read_only"] is True and ours["cap_drop"] == ["ALL"]
    assert ours["user"] == f"{IDENTITY}:{IDENTITY}"
    assert any(mount.startswith("/tmp") for mount in ours["tmpfs"])
    assert all(port.startswith("127.0.0.1:") for port in ours["ports"])
    assert "ports" not in database
    assert compose()["networks"]["inside"]["internal"] is True


def test_compose_names_only_volumes_networks_and_settings_that_exist() -> None:
    whole = compose()
    known = {f"CDS_{name.upper()}" for name in Settings.model_fields}
    for each in whole["services"].values():
        assert set(each["networks"]) <= set(whole["networks"])
        named = {
            volume.split(":")[0] for volume in each["volumes"] if not volume.startswith((".", "/"))
        }
        assert named <= set(whole["volumes"])
        assert each.get("environment", {}).keys() <= known


@pytest.mark.parametrize("service", ["cds-service", "database"])
def test_secrets_come_from_files_that_are_not_kept(service: str) -> None:
    (file,) = compose()["services"][service]["env_file"]
    example = ROOT / f"{file}.example"
    names = {
        line.split("=")[0]
        for line in example.read_text().splitlines()
        if line and not line.startswith("#")
    }
    known = {f"CDS_{name.upper()}" for name in Settings.model_fields}
    assert (
        names <= known
        if service == "cds-service"
        else {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"} <= names
    )
    assert not (ROOT / file).exists() or file in (ROOT / ".gitignore").read_text()
    assert file in (ROOT / ".gitignore").read_text().splitlines()


def test_the_lock_holds_the_driver_that_the_database_addresses_name() -> None:
    said = (ROOT / "deploy" / "cds-service.env.example").read_text()
    match = re.search(r"CDS_DATABASE_URL=postgresql\+(\w+)://", said)
    assert match is not None
    assert match[1] in pins(ROOT / "requirements.lock")
