"""A small directory server as a WSGI application: it searches by type, includes, pages and reads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

Json = dict[str, Any]
MEMBERS = {"organization": ("organization", "providedBy"), "service": ("healthcareService",)}


class DirectoryServer:
    """Holds resources. `includes` are those it can; `hidden` types answer 403, `silent` ones are
    not in what it says it can; `asked` lists every query.
    """

    def __init__(self, *resources: Json, includes: Iterable[str] = (), page: int = 50) -> None:
        self.resources, self.includes, self.page = list(resources), tuple(includes), page
        self.hidden: tuple[str, ...] = ()
        self.silent: tuple[str, ...] = ()
        self.asked: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        self.asked.append(f"{path}?{query}" if query else path)
        base = f"http://{environ['HTTP_HOST']}/fhir"
        status, body = self._answer(path.removeprefix("/fhir/"), parse_qs(query), base)
        start_response(status, [("Content-Type", "application/fhir+json")])
        return [json.dumps(body).encode()]

    def _answer(self, path: str, query: dict[str, list[str]], base: str) -> tuple[str, Json]:
        kind, _, identity = path.partition("/")
        if path == "metadata":
            return "200 OK", self._capabilities()
        if kind in self.hidden:
            return "403 Forbidden", {"resourceType": "OperationOutcome"}
        if identity:
            found = [r for r in self.resources if (r["resourceType"], r["id"]) == (kind, identity)]
            missing: Json = {"resourceType": "OperationOutcome"}
            return ("200 OK", found[0]) if found else ("404 Not Found", missing)
        return "200 OK", self._page(kind, query, base)

    def _page(self, kind: str, query: dict[str, list[str]], base: str) -> Json:
        found = [r for r in self.resources if r["resourceType"] == kind]
        start = int(query.get("_offset", ["0"])[0])
        shown = found[start : start + self.page]
        included = [
            other
            for asked in query.get("_include", ())
            for member in MEMBERS.get(asked.partition(":")[2], ())
            for resource in shown
            for other in self.resources
            if f"{other['resourceType']}/{other['id']}" in json.dumps(resource.get(member, ""))
        ]
        bundle: Json = {"resourceType": "Bundle", "type": "searchset"}
        bundle["entry"] = [{"resource": each} for each in (*shown, *included)]
        if start + self.page < len(found):
            rest = "&".join(f"_include={each}" for each in query.get("_include", ()))
            url = f"{base}/{kind}?_offset={start + self.page}&{rest}"
            bundle["link"] = [{"relation": "next", "url": url}]
        return bundle

    def _capabilities(self) -> Json:
        kinds = {"Organization", "HealthcareService", "PractitionerRole", "Practitioner"}
        able = [
            {
                "type": kind,
                "interaction": [{"code": "read"}, {"code": "search-type"}],
                "searchParam": [{"name": "active", "type": "token"}],
                "searchInclude": [each for each in self.includes if each.startswith(f"{kind}:")],
            }
            for kind in sorted(kinds - set(self.silent))
        ]
        return {
            "resourceType": "CapabilityStatement",
            "rest": [{"mode": "server", "resource": able}],
        }
