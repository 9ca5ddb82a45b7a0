"""How much one body may hold, told without decoding it. Pure."""

from __future__ import annotations

import re

from cds_service.clients import Limits
from cds_service.errors import BadRequest, TooLarge

_BRACKETS = b"[]{}"
_OTHERS = bytes(byte for byte in range(256) if byte not in _BRACKETS)
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
ENTRIES = b'"resource"'  # once in each entry of a Bundle
ITEMS = b'"outcome"'  # once in each item of feedback
_SHORTEST = 13  # bytes of an item, {"outcome":1}; an entry, {"resource":{}}, has more


def within(body: bytes, limits: Limits, counted: bytes = ENTRIES) -> None:
    """Raises TooLarge for too many entries."""
    if len(body) > limits.entries * _SHORTEST and body.count(counted) > limits.entries:
        raise TooLarge(f"The body holds more than {limits.entries} entries.")


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
