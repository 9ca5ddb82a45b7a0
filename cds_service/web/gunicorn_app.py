"""gunicorn inside our own process: settings, warm workers, and a collector that stays out
of requests.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from cds_service.service import Service
from cds_service.settings import Settings
from cds_service.web.allocator import keep_memory
from cds_service.web.app import create_app
from cds_service.web.library_log import ServerLog, adopt
from cds_service.web.log import log
from cds_service.web.metrics import Metrics
from cds_service.web.worker import DrainingWorker

_GRACE_SECONDS = 10
_KEEP_ALIVE_SECONDS = (
    75  # an EHR's engine keeps its connections; TLS handshakes are dearer than sockets
)


class Server(BaseApplication):  # type: ignore[misc]
    """The service under gunicorn's threaded workers."""

    def __init__(
        self, settings: Settings, load: Callable[[], Service], metrics_folder: Path
    ) -> None:
        self._settings, self._load, self._metrics_folder = settings, load, metrics_folder
        self._service: Service | None = None
        self._app: Flask | None = None
        super().__init__()

    def load_config(self) -> None:
        """Everything gunicorn needs to know."""
        settings = self._settings
        chosen = {
            "bind": settings.bind,
            "worker_class": DrainingWorker,
            "workers": settings.workers,
            "threads": settings.threads,
            "preload_app": True,  # knowledge is read once and shared by the workers
            "reuse_port": True,  # else one worker may hold most of the kept-alive connections
            "control_socket_disable": True,
            "keepalive": _KEEP_ALIVE_SECONDS,
            "timeout": 60,
            "graceful_timeout": _GRACE_SECONDS,
            "accesslog": None,
            "loglevel": "warning",
            "logger_class": ServerLog,
            "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,
            "post_worker_init": self._warm,
            "worker_exit": self._close,
            "child_exit": lambda _arbiter, worker: Metrics.worker_ended(worker.pid),
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, made in the parent."""
        keep_memory()
        adopt()
        self._service = self._load()
        self._app = create_app(self._service, metrics_folder=self._metrics_folder)
        # Two thousand objects are garbage by now: to look for them among all takes a tenth of the
        # start, and in each worker would make pages of its own of what it shares with the others.
        gc.freeze()
        return self._app

    def _warm(self, _worker: Any) -> None:
        """Run every rule and card once, then keep what is loaded out of the collector's sight."""
        assert self._service is not None and self._app is not None
        self._service.warm()
        self._service.start(self._app.extensions["cds-metrics"].queue)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        gc.enable()
        log("worker ready", mode=self._settings.mode.value)

    def _close(self, _arbiter: Any, _worker: Any) -> None:
        """Write what is still queued."""
        if self._service is not None:
            self._service.close()
