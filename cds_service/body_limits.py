"""How much one body may hold, told without decoding it. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from cds_service.clients import Limits
from cds_service.errors import BadRequest, TooLarge

_BRACKETS = b"[]{}"
_OTHERS = bytes(byte for byte in range(256) if byte not in _BRACKETS)
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


class Counted(NamedTuple):
    """What a body may not hold too many of: a word that stands once in each. A body of at most
    `length` bytes for each one allowed is not searched.
    """

    word: bytes
    length: int


ITEMS = Counted(b'"outcome"', 13)  # {"outcome":1} is the shortest item of feedback
# The entries of a Bundle are counted as they are read. Those too short to hold anything could be so
# many that decoding them takes more memory than they are worth.
ENTRIES = Counted(b'"resource"', 256)


def within(body: bytes, limits: Limits, counted: Counted) -> None:
    """Raises TooLarge for too many of them, where there is room for as many."""
    most = limits.entries
    if len(body) > most * counted.length and body.count(counted.word) > most:
        raise TooLarge(f"The body holds more than {most} entries.")


def flat(text: bytes, limits: Limits) -> None:
    """Raises BadRequest for objects and lists nested too deeply in what is kept as it was sent.

    What is read into types ends at the decoder's own limit, about a thousand.
    """
    if not (_shallow(text, limits.depth) or _shallow(_STRING.sub(b"", text), limits.depth)):
        raise BadRequest("the body is nested too deeply")


def _shallow(text: bytes, most: int) -> bool:
    """Whether it is certain that nothing nests deeper than `most`.

    Each pass takes the innermost pairs away. What nests deepest is taken in as many passes as it is
    deep, except for what brackets inside strings keep from pairing; that is still there at the end.

    >>> _shallow(b'{"a": [[1], {}]}', 3), _shallow(b'{"a": [[1], {}]}', 2), _shallow(b'["[[["]', 2)
    (True, False, False)
    """
    left = text.translate(None, _OTHERS)
    for passed in range(most + 1):
        if passed + len(left) <= most:
            return True
        fewer = left.replace(b"{}", b"").replace(b"[]", b"")
        if len(fewer) == len(left):
            return False
        left = fewer
    return False
