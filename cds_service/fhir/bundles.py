"""From a prefetch value, an answer or a draft bundle to its entries.

A bundle of the one type it should hold is decoded whole, straight into structs. Any other, and one
with a resource that does not fit its type, is taken entry by entry: a fault never costs the bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, Literal, TypeVar

import msgspec

from cds_service.errors import BadRequest
from cds_service.fhir import r4
from cds_service.fhir.resources import Json
from cds_service.fhir.salvage import plain_json, raw_json

R = TypeVar("R")

_NULL = msgspec.Raw(b"null")


class Entry(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One entry of a bundle, its resource not yet read."""

    resource: msgspec.Raw = _NULL
    full_url: str | None = None


class Fitting(msgspec.Struct, Generic[R], frozen=True, gc=False):
    """One entry of a bundle, its resource read as the expected type; None where it did not fit.

    Servers add what they have to say of the query.
    """

    resource: R | r4.OperationOutcome | None = None


class _Link(msgspec.Struct, frozen=True, gc=False):
    relation: str | None = None
    url: str | None = None


class _Bundle(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str = ""
    type: Any = None
    total: Any = None
    link: tuple[_Link, ...] = ()
    entry: tuple[Entry, ...] = ()


class Uniform(msgspec.Struct, Generic[R], frozen=True, gc=False, kw_only=True, rename="camel"):
    """A bundle with nothing but resources of one type, and what the server says of its query."""

    resource_type: Literal["Bundle"]
    type: Any = None
    total: Any = None
    link: tuple[_Link, ...] = ()
    entry: list[Fitting[R]] = []


_BUNDLE: msgspec.json.Decoder[_Bundle] = msgspec.json.Decoder(_Bundle)
_UNIFORM: Mapping[str, msgspec.json.Decoder[Uniform[Any]]] = {
    name: msgspec.json.Decoder(Uniform[kind])  # type: ignore[valid-type]
    for name, kind in r4.TYPES.items()
    if kind is not r4.OperationOutcome
}


class Content:
    """What one value holds: its entries, and where the next page is.

    `uniform` is the type that all its resources are of, where they were decoded at once; `total` how
    many matches the search counted, on this page or another, 0 where it does not say.
    """

    __slots__ = ("_entries", "_fitting", "_raw", "next_page", "total", "uniform")

    def __init__(
        self,
        raw: Json | Callable[[], Json],
        entries: tuple[Entry, ...] | None = (),
        next_page: str = "",
        uniform: str = "",
        fitting: list[Any] | None = None,
        total: int = 0,
    ) -> None:
        self._raw, self.next_page, self.uniform = raw, next_page, uniform
        self.total = total
        self._entries, self._fitting = entries, [] if fitting is None else fitting

    @property
    def raw(self) -> Json:
        """The bytes it came in."""
        if callable(self._raw):
            self._raw = self._raw()
        return self._raw

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Its entries, as they were sent."""
        if self._entries is None:
            known = content(self.raw)
            self._entries = () if known is None else known.entries
        return self._entries

    @property
    def size(self) -> int:
        """How many entries it has."""
        return len(self._fitting if self._entries is None else self._entries)

    @property
    def empty(self) -> bool:
        """Whether it holds nothing."""
        return not self.size

    def fitting(self, kind: str) -> list[Any]:
        """Its entries, their resources read as one type. Who reads them last may empty the list: what
        is let go of one by one is still in the processor's cache.
        """
        if self.uniform == kind:
            return self._fitting
        return [_fitted(entry, r4.DECODERS[kind]) for entry in self.entries]

    def mentions(self, text: bytes) -> bool:
        """Whether a text stands anywhere in it."""
        return text in bytes(self.raw)


NOTHING = Content(b"null")


def content(raw: Json, expected: str = "") -> Content | None:
    """The entries of a bundle, a bare resource, or nothing for `null`; None for a value that says
    nothing.

    A bundle with nothing but resources of the `expected` type is the quicker for it.

    Raises BadRequest for a value that is no JSON object; RecursionError, UnicodeDecodeError and
    msgspec.DecodeError where the JSON itself is broken.
    """
    if expected:
        try:
            uniform = _UNIFORM[expected].decode(raw)
        except msgspec.ValidationError:
            pass
        else:
            return uniform_content(uniform, expected, raw)
    try:
        bundle = _BUNDLE.decode(raw)
    except msgspec.ValidationError:
        return _any_shape(raw, plain_json(raw))
    if bundle.resource_type != "Bundle":
        if bundle.resource_type in r4.TYPES:
            return Content(
                raw, (Entry(resource=raw if isinstance(raw, msgspec.Raw) else msgspec.Raw(raw)),)
            )
        return _any_shape(raw, plain_json(raw))
    if _withholds(bundle):
        return None
    total = _counted(bundle.type, bundle.total)
    return Content(raw, bundle.entry, _next_link(bundle.link), total=total)


def uniform_content(
    bundle: Uniform[Any], kind: str, raw: Json | Callable[[], Json]
) -> Content | None:
    """The content of a decoded bundle of one type, None if it says nothing."""
    if _withholds(bundle):
        return None
    total = _counted(bundle.type, bundle.total)
    return Content(raw, None, _next_link(bundle.link), kind, bundle.entry, total)


def _withholds(bundle: _Bundle | Uniform[Any]) -> bool:
    """Whether a bundle counts resources of which it neither holds one nor says where they are."""
    if bundle.entry or bundle.link:
        return False
    return type(bundle.total) is int and bundle.total > 0


def _counted(kind: Any, total: Any) -> int:
    """How many matches a search result counts."""
    return total if kind == "searchset" and type(total) is int else 0


def _fitted(entry: Entry, decoder: msgspec.json.Decoder[Any]) -> Fitting[Any]:
    try:
        return Fitting(decoder.decode(entry.resource))
    except msgspec.ValidationError:
        return Fitting()


def _any_shape(raw: Json, value: Any) -> Content | None:
    """What a value of a shape that FHIR does not know may still hold."""
    if value is None:
        return Content(raw)
    if value in ("", {}):
        return None
    if not isinstance(value, dict):
        raise BadRequest("a prefetch value must be a FHIR resource or null")
    if "resourceType" not in value and isinstance(value.get("resource"), dict):
        if (
            "response" in value
        ):  # the wrapper of CDS Hooks before 1.0, which says nothing we may trust
            return None
        return Content(raw, (_entry(value),))
    if value.get("resourceType") != "Bundle" and "entry" not in value:
        return Content(raw, (_entry({"resource": value}),))
    entries = value.get("entry")
    if entries is not None and not isinstance(entries, list | dict):
        raise BadRequest("Bundle.entry must be a list")
    every = entries if isinstance(entries, list) else [entries] if entries else []
    links = ((link.get("relation"), link.get("url")) for link in _objects(value.get("link")))
    total = _counted(value.get("type"), value.get("total"))
    return Content(raw, tuple(map(_entry, every)), _next_page(links), total=total)


def _entry(value: Any) -> Entry:
    """One entry of any shape; what is no resource is found out when it is read."""
    if not isinstance(value, dict):
        return Entry(resource=raw_json(value))
    full_url = value.get("fullUrl")
    return Entry(
        resource=raw_json(value.get("resource")),
        full_url=full_url if isinstance(full_url, str) else None,
    )


def _next_link(links: tuple[_Link, ...]) -> str:
    return _next_page((link.relation, link.url) for link in links) if links else ""


def _next_page(links: Iterable[tuple[Any, Any]]) -> str:
    return next(
        (url for relation, url in links if relation == "next" and isinstance(url, str) and url), ""
    )


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            yield each
