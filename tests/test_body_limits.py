"""How much a body may hold, told without decoding it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest

from cds_service.body_limits import ENTRIES, flat, within
from cds_service.clients import Limits
from cds_service.errors import BadRequest, TooLarge


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b'{"resource":{}}' * 400, TooLarge),
        (b'{"resource":{}}' * 4, None),  # too short to be worth it: counted when it is read
        (b'{"resource" :1}' * 3 + b" " * 999, None),
        (rb'{"text": "\"resource\""}' * 99, None),
        (b'"' * 3_000_001, None),
    ],
)
def test_many_entries_are_counted_without_being_read(
    data: bytes, error: type[Exception] | None
) -> None:
    measured(error, partial(within, counted=ENTRIES), data, Limits(entries=3))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"[" * 100 + b"]" * 100, None),
        (b"[" * 101 + b"]" * 101, BadRequest),
        (b'{"a":' * 101 + b"1" + b"}" * 101, BadRequest),
        (b'["' + b"[" * 5000 + b'"]', None),
        (b'["' + rb"\"[" * 5000 + b'"]', None),
        (b'["' + b"]" * 5000 + b'",' + b"[" * 100 + b"]" * 101, BadRequest),
        (b"[" * 3_000_000, BadRequest),
        (b'"' * 3_000_001, None),
        (b'["' + b"\\" * 3_000_000, None),
        (b"[]" * 1_500_000, None),
        (b"[" * 50 + b"[]," * 1_000_000 + b"]" * 50, None),
    ],
)
def test_nesting_is_measured_without_being_read(data: bytes, error: type[Exception] | None) -> None:
    measured(error, flat, data, Limits())


def measured(
    error: type[Exception] | None,
    check: Callable[[bytes, Limits], None],
    data: bytes,
    limits: Limits,
) -> None:
    start = time.perf_counter()
    if error is None:
        check(data, limits)
    else:
        with pytest.raises(error):
            check(data, limits)
    assert time.perf_counter() - start < 1
