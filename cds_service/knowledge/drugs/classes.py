"""Which drug classes a product belongs to, from its ingredients and its route. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.knowledge.drugs.model import OPIOID_INGREDIENTS, DrugClass, Route

# A class counts only by these routes: no cream suppresses immunity or makes drowsy, no eye drop
# treats a back.
_ONLY_BY: Mapping[DrugClass, frozenset[Route]] = {
    DrugClass.SYSTEMIC_CORTICOSTEROID: frozenset({Route.ORAL, Route.INJECTION, Route.UNKNOWN}),
    DrugClass.NSAID: frozenset(Route) - {Route.OTHER},
    DrugClass.IMMUNOSUPPRESSANT: frozenset({Route.ORAL, Route.INJECTION, Route.UNKNOWN}),
    DrugClass.OTHER_CNS_DEPRESSANT: frozenset(Route) - {Route.TOPICAL, Route.OTHER},
    DrugClass.AMPHETAMINE: frozenset(Route) - {Route.TOPICAL, Route.OTHER},
}
_TOPICAL_ONLY = frozenset({"lidocaine", "capsaicin"})
_ON_SKIN = frozenset({Route.TOPICAL, Route.TRANSDERMAL})
_RESCUERS = (frozenset({"naloxone"}), frozenset({"nalmefene"}))
_RESCUE_ROUTES = frozenset({Route.NASAL, Route.INJECTION, Route.UNKNOWN})
_NOT_A_NONOPIOID = frozenset({DrugClass.OPIOID, DrugClass.BARBITURATE})


def classes_of(
    ingredients: Iterable[str], route: Route, known: Mapping[str, frozenset[DrugClass]]
) -> frozenset[DrugClass]:
    """The classes of a product with these canonical ingredients; `known` holds those of each
    ingredient.

    Naloxone beside an opioid (buprenorphine, pentazocine) is there against misuse and rescues
    nobody.

    >>> known = {"naloxone": frozenset({DrugClass.OPIOID_ANTAGONIST})}
    >>> sorted(classes_of(["naloxone"], Route.NASAL, known))
    [<DrugClass.OPIOID_ANTAGONIST: 'opioid_antagonist'>, <DrugClass.RESCUE_ANTAGONIST: 'rescue_antagonist'>]
    """
    names = frozenset(ingredients)
    found = {c for name in names for c in _ingredient_classes(name, route, known)}
    if names & OPIOID_INGREDIENTS:
        found.add(DrugClass.OPIOID)
    if names in _RESCUERS and route in _RESCUE_ROUTES:
        found.add(DrugClass.RESCUE_ANTAGONIST)
    if found & _NOT_A_NONOPIOID:
        found.discard(DrugClass.OTHER_NONOPIOID)
    if DrugClass.GABAPENTINOID in found:
        found.add(DrugClass.OTHER_NONOPIOID)
    return frozenset(found)


def _ingredient_classes(
    name: str, route: Route, known: Mapping[str, frozenset[DrugClass]]
) -> Iterable[DrugClass]:
    if name in _TOPICAL_ONLY and route not in _ON_SKIN:
        return ()
    return [c for c in known.get(name, ()) if route in _ONLY_BY.get(c, frozenset(Route))]


def is_long_acting(ingredients: Iterable[str], route: Route) -> bool:
    """Methadone by mouth is long-acting whatever its form (value set extended-release-opioid-...).

    Source: opioid-cds-r4, extended-release-opioid-with-ambulatory-misuse-potential.
    """
    return "methadone" in set(ingredients) and route in (Route.ORAL, Route.UNKNOWN)
