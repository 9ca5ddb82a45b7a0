"""What the C library is asked, and where it is not asked."""

from __future__ import annotations

import ctypes

import pytest

from cds_service.web.allocator import keep_memory


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    keep_memory()
