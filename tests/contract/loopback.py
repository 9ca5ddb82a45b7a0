"""A WSGI application on a free port of loopback, for as long as a `with` lasts."""

from __future__ import annotations

from threading import Thread
from types import TracebackType
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wsgi import LimitedStream


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


class _Bounded:
    """A body ends where its length says, as behind gunicorn; werkzeug's server would wait
    for more.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        environ["wsgi.input"] = LimitedStream(
            environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0)
        )
        return self._app(environ, start_response)


class Loopback:
    """Serves `app` in threads of this process; entering gives its address."""

    def __init__(self, app: WSGIApplication, port: int = 0) -> None:
        self._server = make_server(
            "127.0.0.1", port, _Bounded(app), threaded=True, request_handler=_Quiet
        )
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
