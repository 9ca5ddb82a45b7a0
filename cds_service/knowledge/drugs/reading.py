"""From a text and the products it may mean to the one drug it says, as far as those
products agree. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from cds_service.knowledge.drugs.classes import classes_of, is_long_acting
from cds_service.knowledge.drugs.clues import Clues
from cds_service.knowledge.drugs.model import Component, Drug, DrugClass, Route
from cds_service.knowledge.drugs.names import Mention

T = TypeVar("T")


def named(
    mention: Mention,
    clues: Clues,
    candidates: list[Drug],
    shaped: list[Drug],
    known: Mapping[str, frozenset[DrugClass]],
    codes: Mapping[str, str],
) -> Drug:
    """A drug known by name: strength, form and release where all products that fit agree, else
    unknown.

    A strength needs a number in the text that fits, or a name that stands for one; nothing is
    guessed. A brand, whose products are `shaped`, keeps its form and release where it has no such
    strength.
    """
    fit = clues.fitting(candidates)
    pool = shaped or fit or clues.narrowed(candidates)
    names = mention.ingredients.union(*({c.ingredient for c in drug.components} for drug in fit))
    route = _same({drug.route for drug in pool}) or clues.route
    certain = fit if mention.codes or clues.amounts else []
    slow = clues.slow or (bool(pool) and all(drug.extended_release for drug in pool))
    return Drug(
        rxcui="",
        name=" / ".join(sorted(names)),
        tty="NAME",
        components=_agreed(certain, sorted(names), codes),
        dose_form=_same({drug.dose_form for drug in pool}) or "",
        route=route,
        classes=classes_of(names, route, known),
        extended_release=slow or is_long_acting(names, route),
        oud_only=bool(pool) and all(drug.oud_only for drug in pool),
    )


def filled(drug: Drug, said: Drug) -> Drug:
    """A coded group with what the text says of the same drug, if it does not contradict the
    route.
    """
    if drug.route not in (Route.UNKNOWN, said.route):
        return drug
    return replace(
        said,
        rxcui=drug.rxcui,
        name=drug.name,
        tty=drug.tty,
        dose_form=drug.dose_form or said.dose_form,
        extended_release=drug.extended_release or said.extended_release,
        oud_only=drug.oud_only or said.oud_only,
    )


def _agreed(drugs: list[Drug], names: list[str], codes: Mapping[str, str]) -> tuple[Component, ...]:
    components: list[Component] = []
    for name in names:
        agreed = _same(
            {tuple(c for c in drug.components if c.ingredient == name) for drug in drugs}
        )
        components.extend(agreed or [Component(name, codes.get(name, ""))])
    return tuple(components)


def _same(values: set[T]) -> T | None:
    return next(iter(values)) if len(values) == 1 else None
