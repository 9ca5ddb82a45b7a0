"""The body of a call: what its headers say it is, and its bytes, unpacked and whole."""

from __future__ import annotations

import zlib
from io import BufferedReader, RawIOBase
from socket import socket
from typing import Any, cast

from flask import g, request
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from cds_service.errors import BadRequest, WrongMediaType

BROKEN = (ClientDisconnected, OSError, ParseException)  # what reading a body may end in
_MEDIA_TYPES = frozenset({"application/json", "application/fhir+json"})
_PLAIN = frozenset({"", "identity"})
_GZIP = frozenset({"gzip", "x-gzip"})
_GZIP_FORMAT = 31  # for zlib: the largest window, with the head and the sum of gzip


def json_body() -> bytes:
    """The bytes of a JSON body. Raises WrongMediaType, BadRequest, RequestEntityTooLarge."""
    coding = request.environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding not in _PLAIN and coding not in _GZIP:
        raise WrongMediaType("Content-Encoding must be gzip, or be left out.")
    if request.mimetype not in _MEDIA_TYPES:
        raise WrongMediaType("Content-Type must be application/json or application/fhir+json.")
    body = _read()
    if coding in _GZIP:
        body = _unpacked(body, request.max_content_length)
    if not body:
        raise BadRequest("The body is empty; it must be a JSON object.")
    return body


def _read() -> bytes:
    """What was sent: of a known length at one go, which spares copies; else in chunks, which
    werkzeug cuts at the limit and says nothing.
    """
    sent, length, most = (
        request.environ["wsgi.input"],
        request.content_length,
        request.max_content_length,
    )
    if length is not None and most is not None and length > most:
        raise RequestEntityTooLarge
    try:
        if length is None:
            body = request.get_data(cache=False)
            if sent.read(1):
                raise RequestEntityTooLarge
        else:
            body = _whole(sent, length)
            if len(body) < length:
                raise ClientDisconnected
    except BROKEN:
        g.body_broken = True  # there is nothing to wait for
        raise BadRequest("The body broke off, or came too slowly.") from None
    return body


def _whole(sent: Any, length: int) -> bytes:
    """A body of a known length, as far as it came: straight from the socket into its place where it
    comes by gunicorn, whose own readers copy every piece of it.
    """
    if not isinstance(sent, Body) or type(sent.reader) is not LengthReader:
        return cast(bytes, sent.read(length))
    line = sent.reader.unreader
    begun = line.take_buffered()
    line.unread(begun[length:])  # of the call that follows
    sent.reader.length = 0
    sent.failed = True  # until it is whole: nobody knows where the next call begins
    body = BufferedReader(_Rest(begun[:length], line.sock), 1).read(length)
    sent.failed = len(body) < length
    return body


class _Rest(RawIOBase):
    """What came of a body together with its head, which is no more than the body, then what comes of it:
    for one read of the whole body.
    """

    def __init__(self, begun: bytes, line: socket) -> None:
        self._begun, self._line = begun, line

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, room: Any) -> int:
        """Fill some of the room; 0 where the line has ended."""
        begun, self._begun = self._begun, b""
        if not begun:
            return self._line.recv_into(room)
        room[: len(begun)] = begun
        return len(begun)


def _unpacked(packed: bytes, most: int | None) -> bytes:
    """The content of one gzip stream of at most `most` bytes, unpacked no further than that."""
    stream = zlib.decompressobj(_GZIP_FORMAT)
    try:
        found = stream.decompress(packed, 0 if most is None else most + 1)
    except zlib.error:
        raise BadRequest("The body is not packed by gzip.") from None
    if most is not None and len(found) > most:
        raise RequestEntityTooLarge
    if not stream.eof or stream.unused_data:
        raise BadRequest("The body is not one whole gzip stream.")
    return found
