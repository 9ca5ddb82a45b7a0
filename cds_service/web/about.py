"""The pages that tell what stands behind each card, for people and as JSON. Nothing of a
patient is here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date
from hashlib import sha256
from typing import Any, cast

import orjson
from flask import Blueprint, Response, current_app, render_template, request
from markupsafe import Markup

from cds_service import __version__
from cds_service.about import Grounds, Maker, about, index, worked_cases
from cds_service.errors import UnknownService
from cds_service.service import Service

pages = Blueprint(
    "about",
    __name__,
    template_folder="pages",
    static_folder="pages/static",
    static_url_path="/about/static",
)
_POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
_ONE_HOUR = "public, max-age=3600"
_ABOVE = {
    1: "about/",
    2: "",
    3: "../",
}  # slashes in the address: the way back to /about/, also under a prefix
_JSON = ".json"


class Shelf:
    """The pages of one day, each made when it is first asked for."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._cases = worked_cases()
        self._day: date | None = None
        self._made: dict[tuple[str, ...], bytes] = {}

    def page(self, key: tuple[str, ...], make: Callable[[Grounds], bytes]) -> bytes:
        """The page of a key, as the numbers stand today."""
        today = self._service.settings.clock()
        if today != self._day:
            self._day, self._made = today, {}
        if key not in self._made:
            self._made[key] = make(self._grounds(today))
        return self._made[key]

    def _grounds(self, today: date) -> Grounds:
        service, settings = self._service, self._service.settings
        site = settings.cards is not None or settings.knowledge is not None
        maker = Maker(__version__, settings.developer, settings.funding, settings.contact, site)
        return Grounds(service.knowledge, service.rules, service.library, self._cases, today, maker)


@pages.get("/about")
@pages.get("/about.json")
def everything() -> Response:
    """All cards."""
    return _answer("", lambda grounds: {"cards": index(grounds)}, "index.html")


@pages.get("/about/<card>")
def one(card: str) -> Response:
    """One card. Raises UnknownService."""
    name = card.removesuffix(_JSON)
    if name not in _service().library.cards:
        raise UnknownService("No such card; the cards are listed at /about.")
    return _answer(name, lambda grounds: {"page": about(name, grounds)}, "about.html")


@pages.app_template_filter("markdown")
def markdown(text: str) -> Markup:
    """Our own Markdown as HTML that holds nothing but text marks."""
    import nh3
    from markdown_it import MarkdownIt

    return Markup(nh3.clean(MarkdownIt("commonmark", {"html": False}).render(text)))


def plain(value: Any) -> Any:
    """A page as JSON values: members in the order and, but for capitals, by the names of
    their types.
    """
    if is_dataclass(value):
        members = {_camel(each.name): plain(getattr(value, each.name)) for each in fields(value)}
        return {name: member for name, member in members.items() if member not in ("", None)}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value


def _answer(name: str, parts: Callable[[Grounds], dict[str, Any]], template: str) -> Response:
    """The page as its address or the Accept header asks for it."""
    if _wants_json():
        made = _shelf().page(
            (name, _JSON), lambda grounds: orjson.dumps(_bare(plain(parts(grounds))))
        )
        answer = Response(made, mimetype="application/json")
    else:
        root = _ABOVE.get(request.path.count("/"), "")
        made = _shelf().page(
            (name, root),
            lambda grounds: render_template(template, root=root, **parts(grounds)).encode(),
        )
        answer = Response(made, mimetype="text/html")
        answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Cache-Control"] = _ONE_HOUR
    answer.vary.add("Accept")
    answer.set_etag(sha256(made).hexdigest()[:16])
    return cast(Response, answer.make_conditional(request))


def _wants_json() -> bool:
    if request.path.endswith(_JSON):
        return True
    return (
        request.accept_mimetypes.best_match(("text/html", "application/json")) == "application/json"
    )


def _bare(parts: dict[str, Any]) -> Any:
    """The page itself, without the name its template knows it by."""
    return parts.get("page", parts)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _service() -> Service:
    return cast(Service, current_app.extensions["cds-service"])


def _shelf() -> Shelf:
    if "cds-about" not in current_app.extensions:
        current_app.extensions["cds-about"] = Shelf(_service())
    return cast(Shelf, current_app.extensions["cds-about"])
