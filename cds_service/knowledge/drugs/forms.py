"""How a product is given and how fast it releases, as far as its dose form tells. Pure."""

from __future__ import annotations

import re

from cds_service.knowledge.drugs.model import Route

# The first pattern found in the lower-case dose form decides; RxNorm renamed some forms (Oral Strip
# became
# Sublingual Film, Nasal Spray became Metered Dose Nasal Spray), so old and new names stand side by
# side.
_ROUTES: tuple[tuple[str, Route], ...] = (
    (r"ophthalmic|otic|vaginal|inhaler|inhalation|irrigation|shampoo", Route.OTHER),
    (r"nasal", Route.NASAL),
    (r"transdermal", Route.TRANSDERMAL),
    (r"rectal|enema|suppository", Route.RECTAL),
    (r"topical|medicated patch|oral paste", Route.TOPICAL),
    (r"buccal|lozenge|transmucosal", Route.BUCCAL),
    (r"sublingual|sl spray|mucosal spray|oral strip", Route.SUBLINGUAL),
    (r"implant", Route.IMPLANT),
    (r"inject|syringe|cartridge|pen", Route.INJECTION),
    (r"oral|tablet|capsule|pill|suspension|granules", Route.ORAL),
)
_COMPILED = tuple((re.compile(rf"\b(?:{pattern})"), route) for pattern, route in _ROUTES)
_SLOW_FORM = re.compile(r"extended release|transdermal", re.IGNORECASE)
_HOURS = re.compile(r"\b\d+ ?HR\b(?!/)")


def route_of(dose_form: str) -> Route:
    """The route of a RxNorm dose form or dose form group.

    >>> route_of("Extended Release Oral Tablet"), route_of("Mucosal Spray"), route_of("")
    (<Route.ORAL: 'oral'>, <Route.SUBLINGUAL: 'sublingual'>, <Route.UNKNOWN: 'unknown'>)
    """
    lowered = dose_form.lower()
    if lowered.startswith("tablet for oral"):
        return Route.ORAL
    for pattern, route in _COMPILED:
        if pattern.search(lowered):
            return route
    return Route.UNKNOWN


def is_slow(dose_form: str, name: str) -> bool:
    """Whether form or name says extended release: the words, a transdermal system, or 12, 24, 72,
    168 HR.

    >>> is_slow("Oral Tablet", "12 HR oxycodone 10 MG Oral Tablet"), is_slow("Oral Tablet", "oxycodone 5 MG")
    (True, False)
    """
    return bool(_SLOW_FORM.search(dose_form) or _HOURS.search(name))
