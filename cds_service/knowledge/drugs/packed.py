"""The line format of the packaged table: one drug a line, readable in a diff, parsed only
when asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from cds_service.knowledge.drugs.model import Component, Drug, DrugClass, Route

NDC_WIDTH = 11
_CLASSES = {c.value: c for c in DrugClass}
_ROUTES = {r.value: r for r in Route}
_SLOW, _OUD = "E", "O"


def pack(drug: Drug) -> str:
    """A drug as one tab-separated line without its end.

    Columns: code, term type, name, ingredients with strengths, dose form, route, classes, marks (E
    extended release, O opioid use disorder only), mL in one sealed unit.
    """
    marks = _SLOW * drug.extended_release + _OUD * drug.oud_only
    return "\t".join(
        (
            drug.rxcui,
            drug.tty,
            drug.name,
            ";".join(_pack_component(c) for c in drug.components),
            drug.dose_form,
            drug.route.value,
            ",".join(sorted(drug.classes)),
            marks,
            "" if drug.sealed_ml is None else f"{drug.sealed_ml:f}",
        )
    )


def unpack(line: str, codes: Mapping[str, str]) -> Drug:
    """The drug of a line; `codes` gives the RxNorm code of each ingredient name."""
    rxcui, tty, name, components, form, route, classes, marks, sealed = line.split("\t")
    return Drug(
        rxcui=rxcui,
        name=name,
        tty=tty,
        components=tuple(_unpack_component(text, codes) for text in components.split(";")),
        dose_form=form,
        route=_ROUTES[route],
        classes=frozenset(_CLASSES[c] for c in classes.split(",")) if classes else frozenset(),
        extended_release=_SLOW in marks,
        oud_only=_OUD in marks,
        sealed_ml=Decimal(sealed) if sealed else None,
    )


def ingredients_of(line: str) -> tuple[str, frozenset[str], str]:
    """Name, set of ingredient names and term type of a line, without parsing the rest."""
    _, tty, name, components, _ = line.split("\t", 4)
    return name, frozenset(text.partition("=")[0] for text in components.split(";")), tty


def _pack_component(component: Component) -> str:
    if component.strength is None:
        return component.ingredient
    return f"{component.ingredient}={component.strength:f} {component.unit}"


def _unpack_component(text: str, codes: Mapping[str, str]) -> Component:
    ingredient, _, amount = text.partition("=")
    strength, _, unit = amount.partition(" ")
    code = codes.get(ingredient, "")
    return (
        Component(ingredient, code, Decimal(strength), unit)
        if amount
        else Component(ingredient, code)
    )
