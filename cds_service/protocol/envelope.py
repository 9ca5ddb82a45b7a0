"""The body of a call, opened: its members, and its prefetch values as bytes or in a type.

Most of a body is prefetch, and most clients send just what our templates ask for. That is decoded in
one pass into the type its reader knows; where anything does not fit it, the values stay bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from cds_service.errors import BadRequest

Raw = msgspec.Raw
P = TypeVar("P")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # some writers of UTF-8 begin with it
_HALVES = re.compile(  # backslashes for themselves, a whole character of two halves, or a half
    rb"\\(?:(\\(?:\\\\)*|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_MEMBER = re.compile(r"`\$\.(\w+)`$")  # where the decoder found a wrong type


class Context(msgspec.Struct):
    """The context as it was sent."""

    userId: Any = msgspec.UNSET
    patientId: Any = msgspec.UNSET
    encounterId: Any = msgspec.UNSET
    selections: Any = msgspec.UNSET
    draftOrders: Raw | msgspec.UnsetType = msgspec.UNSET


class Envelope(msgspec.Struct, Generic[P]):
    """The members of a body as they were sent."""

    hook: Any = msgspec.UNSET
    hookInstance: Any = msgspec.UNSET
    fhirServer: Any = msgspec.UNSET
    fhirAuthorization: Any = msgspec.UNSET
    extension: Any = msgspec.UNSET
    context: Context | msgspec.UnsetType | None = msgspec.UNSET
    prefetch: P | msgspec.UnsetType | None = msgspec.UNSET


class _AsSent(Mapping[str, Raw]):
    """The prefetch values of a sound body as bytes, looked for when one is asked for."""

    __slots__ = ("_body", "_values")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._values: Mapping[str, Raw] | None = None

    def _found(self) -> Mapping[str, Raw]:
        if self._values is None:
            self._values, _ = prefetched(self._body, _LOOSE.decode(self._body))
        return self._values

    def __getitem__(self, key: str) -> Raw:
        return self._found()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found())

    def __len__(self) -> int:
        return len(self._found())


_LOOSE = msgspec.json.Decoder(Envelope[dict[str, Raw] | str])


def whole_characters(body: bytes) -> bytes:
    r"""The same JSON with a mark in the place of each half of a character: who cuts a text in the
    middle of one sends the half as an escape, which no decoder takes.

    >>> whole_characters(rb'["\ud83d\ude00", "cut \ud83d", "\ude00", "\\ud83d"]')
    b'["\\ud83d\\ude00", "cut \\ufffd", "\\ufffd", "\\\\ud83d"]'
    """
    return _HALVES.sub(lambda found: found[0] if found[1] else rb"\ufffd", body)


def opened(
    body: bytes, prefetch: type[msgspec.Struct] | None = None
) -> tuple[bytes, Envelope[Any]]:
    """A body as it can be read, and its members, its prefetch in that type if it fits. Raises
    BadRequest.
    """
    body = body.removeprefix(BYTE_ORDER_MARK)
    if not body:
        raise BadRequest("the body is empty; a CDS Hooks request is a JSON object")
    try:
        if not body.isascii():
            body.decode()  # members that are skipped are not checked by the decoder
        return _members(body, prefetch)
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    except UnicodeDecodeError:
        raise BadRequest("the body is not UTF-8") from None
    except msgspec.ValidationError as error:
        member = _MEMBER.search(str(error))
        where = member[1] if member else "not a CDS Hooks request"
        raise BadRequest(f"{where}: must be an object") from None
    except msgspec.DecodeError:
        raise BadRequest("the body is not valid JSON") from None


def _members(body: bytes, prefetch: type[msgspec.Struct] | None) -> tuple[bytes, Envelope[Any]]:
    try:
        return body, _fitting(body, prefetch) or _LOOSE.decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        body = whole_characters(body)
        return body, _fitting(body, prefetch) or _LOOSE.decode(body)


def _fitting(body: bytes, prefetch: type[msgspec.Struct] | None) -> Envelope[Any] | None:
    """The envelope with its prefetch typed; None where anything does not fit."""
    if prefetch is None:
        return None
    try:
        return _typed(prefetch).decode(body)
    except msgspec.ValidationError:
        return None


@cache
def _typed(prefetch: type[msgspec.Struct]) -> msgspec.json.Decoder[Envelope[Any]]:
    return msgspec.json.Decoder(Envelope[prefetch])  # type: ignore[valid-type]


def prefetched(body: bytes, envelope: Envelope[Any]) -> tuple[Mapping[str, Raw], Any]:
    """The prefetch of an opened body as bytes, and in its type or None. Raises BadRequest."""
    sent = envelope.prefetch
    if isinstance(sent, msgspec.Struct):
        return _AsSent(body), sent
    if isinstance(sent, str) and sent:
        raise BadRequest("prefetch: must be an object")
    return (sent if isinstance(sent, dict) else {}), None
