"""gunicorn's threaded worker, which on SIGTERM finishes what it has begun and turns away what comes
then.

gunicorn's own worker leaves new connections waiting in the listening socket, and resets them when
it ends. It gives a thread to each new connection before anything has come by it, waits for ever on
a client that stops in the middle of a call, waits in the thread that serves all the others for a
client to close its end, hands a connection back after every call also when the next is there, looks
for more of a body that was read to its end, and answers what is no HTTP with a page.
"""

from __future__ import annotations

import select
import socket
import struct
from concurrent.futures import Future
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import orjson
from gunicorn.http import errors
from gunicorn.http.body import LengthReader
from gunicorn.util import close_graceful, write_nonblock
from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from cds_service.protocol.outcome import outcome
from cds_service.web.gate import close_gate
from cds_service.web.log import log, place

_STALLED_SECONDS = 5  # that a thread waits for the next piece of a call, or to be rid of an answer
_FOLLOWING_MS = 2  # that a thread waits for the next call of a connection before it hands it back
_LINGER_SECONDS = 0.5  # for a client to close its end once it is answered
_FAULTS = (  # the first that fits
    ((errors.InvalidResponseHeader, errors.InvalidResponseHeaderName), 500, "exception"),
    (errors.LimitRequestLine, 414, "too-long"),
    (errors.LimitRequestHeaders, 431, "too-long"),
    (errors.ExpectationFailed, 417, "not-supported"),
    (errors.UnsupportedTransferCoding, 501, "not-supported"),
    (errors.ParseException, 400, "invalid"),
    (Exception, 500, "exception"),
)
_TEXTS = {
    400: "This is no HTTP request that this service can read.",
    414: "The address is too long.",
    417: "Expect must be 100-continue, or be left out.",
    431: "The headers are too large or too many.",
    500: "This service failed; its log names the cause.",
    501: "This Transfer-Encoding is not supported; send the body plain or in chunks.",
}


class DrainingWorker(ThreadWorker):  # type: ignore[misc]
    """Accepts to the end; once stopping, the gate answers 503 and each answer closes its
    connection.
    """

    def run(self) -> None:
        """Serve; connections inherit how long they may stall from the socket they came in by."""
        self._at_work: set[TConn] = set()
        seconds = struct.pack("ll", _STALLED_SECONDS, 0)
        for listener in self.sockets:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, seconds)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)
        super().run()

    def enqueue_req(self, conn: TConn) -> None:
        """Give a thread to a connection by which something has come; the others wait without one."""
        if conn.initialized or not self.alive or conn.wait_for_data(0):
            super().enqueue_req(conn)
        else:
            nothing: Future[object] = Future()
            nothing.set_result(_DEFER)
            self.finish_request(conn, nothing)

    def handle(self, conn: TConn) -> Any:
        """Answer a call and those that follow it at once; a connection that ends with one is closed
        here, not where others wait.
        """
        self._at_work.add(conn)
        try:
            goes_on = super().handle(conn)
            while goes_on is True and self._goes_on_at_once(conn):
                goes_on = super().handle(conn)
        finally:
            self._at_work.discard(conn)
        if not goes_on:
            close_graceful(conn.sock, _LINGER_SECONDS)
        return goes_on

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Whether the connection can go on. A body that was read to its end has nothing to discard, for
        which gunicorn would change the socket's time limit three times.
        """
        body = conn.parser.mesg.body if keepalive else None
        reader = None if body is None or body.failed else body.reader
        if isinstance(reader, LengthReader) and reader.length == 0:
            conn.parser.mesg = None
            return True
        return bool(super()._keepalive_after(conn, keepalive))

    def _goes_on_at_once(self, conn: TConn) -> bool:
        """Whether the next call comes in a moment, while no other connection is at work or waits."""
        if not self.alive or conn.is_http2 or len(self._at_work) > 1:
            return False
        if not self.tpool._work_queue.empty():
            return False
        following = select.poll()
        following.register(conn.sock, select.POLLIN)
        return bool(following.poll(_FOLLOWING_MS))

    def finish_request(self, conn: TConn, fs: Future[object]) -> None:
        """Count a connection out that is closed already; any other goes on or ends as with
        gunicorn.
        """
        if fs.cancelled() or fs.exception() is not None or fs.result():
            super().finish_request(conn, fs)
        else:
            self.nr_conns -= 1

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: close the gate, then stop as gunicorn does."""
        if hasattr(self, "wsgi"):  # else it is still loading, and takes no calls yet
            close_gate(self.wsgi)
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Go on accepting while stopping."""
        if enabled or self.alive:
            super().set_accept_enabled(enabled)

    def handle_error(self, _req: Any, client: socket.socket, _addr: Any, exc: Exception) -> None:
        """Answer what could not be read as HTTP in the shape of every other error."""
        status, code = next((s, c) for kinds, s, c in _FAULTS if isinstance(exc, kinds))
        level = "error" if code == "exception" else "warning"
        log("unread", level=level, status=status, error=type(exc).__name__, at=place(exc))
        body = orjson.dumps(outcome(code, _TEXTS[status]))
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with suppress(OSError):
            write_nonblock(client, head.encode() + body)
