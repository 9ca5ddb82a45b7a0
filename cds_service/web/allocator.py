"""The memory that a large call takes stays with the worker.

The C library gives back what a call of 2 MB took as soon as it is answered, and the next one pays for
it again: a thousand page faults, an eighth of its time.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # as glibc's malloc.h numbers them
_LARGEST = 32 * 1024 * 1024  # bytes: the largest piece that is kept; a body has 5 MB unless told
_UNUSED = 64 * 1024 * 1024  # bytes that may lie unused at the end of the heap


def keep_memory() -> None:
    """Ask glibc to keep what is freed, in one heap for all threads; other C libraries go on as they
    do. Before any thread starts.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in (
            (_ARENA_MAX, 1),
            (_MMAP_THRESHOLD, _LARGEST),
            (_TRIM_THRESHOLD, _UNUSED),
        ):
            mallopt(option, value)
