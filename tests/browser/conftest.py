"""A real demo server on a free port of this machine, and Debian's Chromium looking at it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Server:
    """Where the demo is served, and the file its memory is in."""

    url: str
    database: Path


@dataclass(slots=True)
class Watched:
    """A page, what it asked for and what it complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def tab_to(self, selector: str, most: int = 120) -> None:
        """Press the tab key until the element that matches has the focus."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"the tab key does not reach {selector}")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("browser")
    database = folder / "memory.db"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    set_for_it = {
        "CDS_DATABASE_URL": f"sqlite:///{database}",
        "CDS_WORKERS": "1",
        "CDS_LOG_LEVEL": "error",
    }
    root = Path(__file__).parents[2]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cds_service.cli", "serve", "--demo", "--port", str(port)],
            env={**os.environ, **set_for_it, "PYTHONPATH": str(root)},
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(f"http://127.0.0.1:{port}/ready", process, folder / "log")
        yield Server(f"http://127.0.0.1:{port}", database)
    finally:
        process.terminate()
        process.wait(timeout=_SECONDS)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the demo did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():  # Only a machine that is not CI may do without
        assert os.environ.get("CI") != "true", "CI must have chromium"
        pytest.skip("Debian's chromium is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def watched(server: Server, browser: Browser) -> Iterator[Watched]:
    """A fresh page; whatever a test does, nothing outside is asked and nothing is
    complained about.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=server.url)
    context.set_default_timeout(10_000)
    found = Watched(context.new_page())
    found.page.on("request", lambda request: found.requests.append(request.url))
    found.page.on(
        "console",
        lambda message: (
            found.complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    yield found
    context.close()
    assert [url for url in found.requests if not url.startswith((f"{server.url}/", "data:"))] == []
    assert found.complaints == []
