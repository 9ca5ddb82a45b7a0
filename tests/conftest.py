"""What every test leaves as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.signed import MADE


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Services that a test made for registered clients let go of their database with it."""
    yield
    while MADE:
        MADE.pop().close()
