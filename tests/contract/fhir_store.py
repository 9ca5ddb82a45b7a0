"""A small FHIR server as a WSGI application: reads, searches by patient, pages, a token,
and what it can.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

Json = dict[str, Any]


class FhirStore:
    """Holds resources; `token` is demanded while it is set, and `asked` lists every query."""

    def __init__(self, *resources: Json, token: str = "", page: int = 50) -> None:
        self.resources, self.token, self.page = list(resources), token, page
        self.asked: list[str] = []
        self.revoked = False
        self.hidden: Sequence[str] = ()  # resource types that answer 403
        self.unsearchable: Sequence[
            str
        ] = ()  # resource types without search in what it says it can

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        self.asked.append(f"{path}?{query}" if query else path)
        base = f"http://{environ['HTTP_HOST']}{environ['SCRIPT_NAME']}"
        status, body = self._answer(environ, path.strip("/"), parse_qs(query), base)
        start_response(status, [("Content-Type", "application/fhir+json")])
        return [json.dumps(body).encode()]

    def _answer(
        self, environ: WSGIEnvironment, path: str, query: dict[str, list[str]], base: str
    ) -> tuple[str, Json]:
        if path == "metadata":
            return "200 OK", self._capabilities()
        sent = environ.get("HTTP_AUTHORIZATION", "")
        if self.revoked or (self.token and sent != f"Bearer {self.token}"):
            return "401 Unauthorized", _outcome("login")
        kind, _, identity = path.partition("/")
        if kind in self.hidden:
            return "403 Forbidden", _outcome("forbidden")
        if identity:
            found = [r for r in self._of(kind) if r["id"] == identity]
            return ("200 OK", found[0]) if found else ("404 Not Found", _outcome("not-found"))
        return "200 OK", self._page(kind, query, base)

    def _page(self, kind: str, query: dict[str, list[str]], base: str) -> Json:
        patient = query.get("patient", [""])[0]
        found = [r for r in self._of(kind) if f"/{patient}" in json.dumps(r)]
        start = int(query.get("_offset", ["0"])[0])
        shown = found[start : start + self.page]
        bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        bundle["entry"] = [{"resource": r, "search": {"mode": "match"}} for r in shown]
        if start + self.page < len(found):
            following = f"{base}/{kind}?patient={patient}&_offset={start + self.page}"
            bundle["link"] = [{"relation": "next", "url": following}]
        return bundle

    def _of(self, kind: str) -> Iterator[Json]:
        return (r for r in self.resources if r["resourceType"] == kind)

    def _capabilities(self) -> Json:
        from cds_service.fhir.queries import TYPES

        able = [
            {
                "type": kind,
                "interaction": [
                    {"code": "read"},
                    *([] if kind in self.unsearchable else [{"code": "search-type"}]),
                ],
                "searchParam": [{"name": "patient", "type": "reference"}],
            }
            for kind in sorted(set(TYPES.values()))
        ]
        return {
            "resourceType": "CapabilityStatement",
            "rest": [{"mode": "server", "resource": able}],
        }


def _outcome(code: str) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}
