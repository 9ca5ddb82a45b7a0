"""From source rows to drugs: products are read from their names, groups take what their
products agree on.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from cds_service.knowledge.drugs.classes import classes_of, is_long_acting
from cds_service.knowledge.drugs.forms import is_slow, route_of
from cds_service.knowledge.drugs.ingredients import Ingredients
from cds_service.knowledge.drugs.model import Component, Drug, DrugClass, Route
from cds_service.knowledge.drugs.rxnorm_names import NamedPart, ReadName, clean_brand, read_name
from cds_service.knowledge.drugs.sources import Row

T = TypeVar("T")

PRODUCTS = frozenset({"SCD", "SBD", "GPCK", "BPCK"})
_STRENGTHS = frozenset({"SCDC", "SBDC"})
_UNTYPED = "IN/PIN/BN"
_TINCTURE = "opium tincture"
# Opium tincture is 100 mg/mL of opium but about 10 mg/mL of morphine, which is what a factor may
# multiply.
_MORPHINE_IN_TINCTURE = Decimal("0.1")
# From this concentration on buprenorphine injections are the monthly and weekly ones for opioid use
# disorder.
_OUD_INJECTION = Decimal(50)
_SWALLOWED_OR_UNDER_TONGUE = frozenset({Route.SUBLINGUAL, Route.ORAL, Route.IMPLANT})
_MIXED_PACK = "Pack"
_DISPERSIBLE = "Tablet for Oral Suspension"
_GROUP_WORD = re.compile(
    r"\b(?:tab|cap|liquid|er|cr|inj|injection|transdermal|nasal|buccal|transmucosal)\b",
    re.IGNORECASE,
)
_ORAL_WORD = re.compile(r"\b(?:tab|cap|liquid|er|cr)\b", re.IGNORECASE)
_SLOW_WORD = re.compile(r"\b(?:er|cr|transdermal)\b", re.IGNORECASE)
_ALL_MUST_HAVE = frozenset({DrugClass.SYSTEMIC_CORTICOSTEROID})


@dataclass(frozen=True, slots=True)
class _Product:
    drug: Drug
    brand: str
    named: tuple[str, ...]  # ingredients with their salts

    @property
    def names(self) -> frozenset[str]:
        return frozenset(c.ingredient for c in self.drug.components)


def finished(rows: Iterable[Row], ingredients: Ingredients, slow: frozenset[str]) -> list[Drug]:
    """All drugs in the order of their codes; `slow` are codes known as extended-release or
    long-acting.
    """
    everything = sorted(rows, key=lambda row: int(row.rxcui))
    products = [_product(row, ingredients, slow) for row in everything if row.tty in PRODUCTS]
    groups = _Groups(products, ingredients)
    drugs = [product.drug for product in products]
    drugs.extend(groups.finish(row) for row in everything if row.tty not in PRODUCTS)
    return sorted(drugs, key=lambda drug: int(drug.rxcui))


def _product(row: Row, ingredients: Ingredients, slow: frozenset[str]) -> _Product:
    read = read_name(row.name)
    form = read.dose_form if row.dose_form in ("", "Pack") else row.dose_form
    components = _components(read, row, ingredients)
    names = [c.ingredient for c in components]
    route = _product_route(form, components)
    drug = Drug(
        rxcui=row.rxcui,
        name=row.name,
        tty=row.tty,
        components=components,
        dose_form=form,
        route=route,
        classes=classes_of(names, route, ingredients.classes),
        extended_release=row.rxcui in slow
        or is_slow(form, row.name)
        or is_long_acting(names, route),
        sealed_ml=read.sealed_ml,
    )
    drug = replace(drug, oud_only=_oud_only(drug))
    return _Product(drug, read.brand.lower(), tuple(part.what for part in read.parts))


def _product_route(form: str, components: tuple[Component, ...]) -> Route:
    if form == "Transdermal System" and any(c.unit == "mg/{actuat}" for c in components):
        return Route.OTHER  # the iontophoretic system is pressed for a dose; it is no patch
    return Route.OTHER if form == _MIXED_PACK else route_of(form)


def _components(read: ReadName, row: Row, ingredients: Ingredients) -> tuple[Component, ...]:
    return tuple(_component(part, row, ingredients) for part in read.parts)


def _component(part: NamedPart, row: Row, ingredients: Ingredients) -> Component:
    name = ingredients.canonical(part.what, row.ingredients)
    strength = part.strength
    if strength is not None and part.what == _TINCTURE:
        strength *= _MORPHINE_IN_TINCTURE
    if strength is not None:
        strength = Decimal(f"{strength.normalize():f}")
    return Component(name, ingredients.codes.get(name, ""), strength, part.unit)


def _oud_only(drug: Drug) -> bool:
    """Whether the product is labelled for opioid use disorder only.

    Buprenorphine under the tongue, implanted, in weekly or monthly injections or with naloxone;
    dispersible methadone 40 mg; levomethadyl. Buccal film alone, patch and the 0.3 mg/mL injection
    are analgesics.
    """
    names = {c.ingredient for c in drug.components}
    if "buprenorphine" in names:
        strong = any(
            c.unit == "mg/mL" and (c.strength or 0) >= _OUD_INJECTION for c in drug.components
        )
        depot = drug.route is Route.INJECTION and strong
        return "naloxone" in names or drug.route in _SWALLOWED_OR_UNDER_TONGUE or depot
    return "levomethadyl" in names or ("methadone" in names and drug.dose_form == _DISPERSIBLE)


class _Groups:
    """Concepts above products: ingredients, components, forms and brands."""

    def __init__(self, products: Iterable[_Product], ingredients: Ingredients) -> None:
        self._ingredients = ingredients
        self._by_set: dict[frozenset[str], list[_Product]] = defaultdict(list)
        self._by_brand: dict[str, list[_Product]] = defaultdict(list)
        self._by_component: dict[Component, list[_Product]] = defaultdict(list)
        for product in products:
            self._by_set[product.names].append(product)
            if product.brand:
                self._by_brand[product.brand].append(product)
            for component in product.drug.components:
                self._by_component[component].append(product)

    def finish(self, row: Row) -> Drug:
        """The group as a drug: form, route and marks where its products agree, classes of
        its ingredients.
        """
        tty, route = _untyped(row) if row.tty == _UNTYPED else (row.tty, route_of(row.dose_form))
        components = self._components(row)
        members = [m.drug for m in self._members(row, tty, components)]
        form = row.dose_form
        if (
            tty != "PIN"
        ):  # a salt seldom named by products would inherit the form of the odd one that does
            form = form or _only({m.dose_form for m in members}, "")
            route = _only({m.route for m in members}, route) if route is Route.UNKNOWN else route
        names = [c.ingredient for c in components]
        slow = bool(members) and all(m.extended_release for m in members)
        group = Drug(
            rxcui=row.rxcui,
            name=row.name,
            tty=tty,
            components=components,
            dose_form=form,
            route=route,
            classes=self._classes(names, route, members, tty),
            extended_release=slow or _says_slow(row) or is_long_acting(names, route),
        )
        oud = all(m.oud_only for m in members) if members else _oud_only(group)
        return replace(group, oud_only=oud and bool(group.opioids))

    def _components(self, row: Row) -> tuple[Component, ...]:
        if row.tty in _STRENGTHS:
            return _components(read_name(row.name), row, self._ingredients)
        return tuple(Component(n, self._ingredients.codes.get(n, "")) for n in row.ingredients)

    def _members(self, row: Row, tty: str, components: tuple[Component, ...]) -> Iterable[_Product]:
        names = frozenset(c.ingredient for c in components)
        same, brand = self._by_set[names], read_name(row.name).brand.lower()
        match tty:
            case "BN":
                return self._by_brand[clean_brand(row.name).lower()]
            case "SBDC":
                return [p for p in self._by_brand[brand] if p.drug.components == components]
            case "SBDF":
                return [p for p in self._by_brand[brand] if p.drug.dose_form == row.dose_form]
            case "SCDF":
                return [p for p in same if p.drug.dose_form == row.dose_form]
            case "SCDC":
                return self._by_component[components[0]]
            case "PIN":
                return [
                    p for p in same if any(part.startswith(row.name.lower()) for part in p.named)
                ]
            case "MIN":
                return same
            case _:
                return ()

    def _classes(
        self, names: list[str], route: Route, members: list[Drug], tty: str
    ) -> frozenset[DrugClass]:
        possible = classes_of(names, Route.UNKNOWN, self._ingredients.classes)
        if tty == "IN":
            return possible
        if not members:
            return classes_of(names, route, self._ingredients.classes) - _ALL_MUST_HAVE
        return frozenset(
            c
            for c in possible
            if (all if c in _ALL_MUST_HAVE else any)(c in m.classes for m in members)
        )


def _only(values: set[T], otherwise: T) -> T:
    return next(iter(values)) if len(values) == 1 else otherwise


def _untyped(row: Row) -> tuple[str, Route]:
    """Term type and route of a concept that its source did not type, such as `Oxycodone Tab`."""
    if row.name.lower() in row.ingredients:
        return "IN", Route.UNKNOWN
    if not _GROUP_WORD.search(row.name):
        return "PIN", Route.UNKNOWN
    return "SCDG", Route.ORAL if _ORAL_WORD.search(row.name) else route_of(row.name)


def _says_slow(row: Row) -> bool:
    slow_word = row.tty == _UNTYPED and bool(_SLOW_WORD.search(row.name))
    return slow_word or is_slow(row.dose_form, row.name)


def names_of(drugs: Iterable[Drug]) -> Mapping[str, frozenset[str]]:
    """Brand names in use, lower case, with the ingredients that all products of the brand share."""
    brands: dict[str, frozenset[str]] = {}
    for drug in drugs:
        brand = clean_brand(drug.name) if drug.tty == "BN" else read_name(drug.name).brand
        if brand:
            names = frozenset(c.ingredient for c in drug.components)
            brands[brand.lower()] = brands.get(brand.lower(), names) & names
    return brands
