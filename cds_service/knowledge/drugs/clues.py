"""What free text says about a product beside its name: strengths, form, route and release."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from cds_service.knowledge.drugs.classes import is_long_acting
from cds_service.knowledge.drugs.model import Drug, Route
from cds_service.knowledge.drugs.strengths import Amount, chains

_SLOW = re.compile(
    r"\b(?:er|xr|sr|cr|la|xl|contin|extended|sustained|controlled|long|12\s?-?h(?:r|our)?|24\s?-?h(?:r|our)?)\b"
)
_FAST = re.compile(r"\b(?:ir|immediate)\b")


class _FormWord(NamedTuple):
    words: re.Pattern[str]
    forms: tuple[str, ...]  # the dose form holds one of these; none: the route decides
    route: Route | None  # the route that the word implies by itself


def _word(words: str, *forms: str, route: Route | None = None) -> _FormWord:
    return _FormWord(re.compile(rf"\b(?:{words})\b"), forms, route)


_FORM_WORDS = (
    _word(
        r"disp(?:ersible)?|soluble|diskets?",
        "for oral suspension",
        "effervescent",
        route=Route.ORAL,
    ),
    _word(r"odt|disintegrating", "disintegrating", route=Route.ORAL),
    _word(r"sublingual|sl", "sublingual", "oral strip", "mucosal spray", route=Route.SUBLINGUAL),
    _word(r"buccal", "buccal", route=Route.BUCCAL),
    _word(r"lozenges?|lollipops?|troches?", "lozenge", route=Route.BUCCAL),
    _word(r"nasal|intranasal", "nasal", route=Route.NASAL),
    _word(r"patch(?:es)?|transdermal|td", "transdermal", "patch", route=Route.TRANSDERMAL),
    _word(
        r"inj|injection|injectable|vial|syringe|iv|im|subq|sc|pca|ampu?le?|auto-?injector|cartridge|carpuject",
        route=Route.INJECTION,
    ),
    _word(r"suppository|suppositories|rectal", "rectal", route=Route.RECTAL),
    _word(r"implants?", "implant", route=Route.IMPLANT),
    _word(r"ophthalmic|ophth|eye|otic|ear|inhaler|inhalation|vaginal", route=Route.OTHER),
    _word(r"cream|ointment|oint|lotion|gel|topical", route=Route.TOPICAL),
    # A patch is called a transdermal film as well.
    _word(r"(?<!transdermal )films?|strips?", "film", "strip"),
    _word(r"mucosal", "mucosal"),
    _word(r"sprays?", "spray"),
    _word(r"tab(?:let)?s?", "tablet"),
    _word(r"cap(?:sule)?s?", "capsule"),
    _word(
        r"solution|soln|liquid|elixir|syrup|tincture|susp(?:ension)?",
        "solution",
        "suspension",
    ),
    _word(r"conc(?:entrate)?", "oral solution", route=Route.ORAL),
    _word(
        r"oral|po", "oral", "tablet", "capsule", "suspension", "lozenge", "film", route=Route.ORAL
    ),
)


@dataclass(frozen=True, slots=True)
class Clues:
    """The numbers, form words and release words of one text."""

    amounts: frozenset[Amount]
    paired: bool  # the numbers stand together, as in 5-325
    forms: tuple[_FormWord, ...]
    slow: bool
    fast: bool

    @classmethod
    def read(cls, text: str) -> Clues:
        """Read a text once for many candidates."""
        lowered = text.lower()
        forms = tuple(form for form in _FORM_WORDS if form.words.search(lowered))
        found = chains(lowered)
        return cls(
            amounts=frozenset().union(*found),
            paired=len(found) == 1 and len(found[0]) > 1,
            forms=forms,
            slow=bool(_SLOW.search(lowered)),
            fast=bool(_FAST.search(lowered)),
        )

    @property
    def route(self) -> Route:
        """The route that the first telling form word implies."""
        return next((form.route for form in self.forms if form.route), Route.UNKNOWN)

    def fitting(self, candidates: Iterable[Drug]) -> list[Drug]:
        """The candidates whose strengths have a place for every number, and whose form and
        release fit.
        """
        return self.narrowed(drug for drug in candidates if self._has_all(drug))

    def narrowed(self, candidates: Iterable[Drug]) -> list[Drug]:
        """The candidates whose form and release fit; without release words the fast ones,
        if any, and what is long-acting by itself.
        """
        left = [drug for drug in candidates if all(_fits(drug, form) for form in self.forms)]
        if self.slow:
            return [drug for drug in left if drug.extended_release]
        fast = [drug for drug in left if not drug.extended_release or _slow_by_itself(drug)]
        return fast or ([] if self.fast else left)

    def _has_all(self, drug: Drug) -> bool:
        return all(
            any(amount.fits(component) for component in drug.components) for amount in self.amounts
        )


def _slow_by_itself(drug: Drug) -> bool:
    """Long-acting in any form: no word about release can be expected of it."""
    return is_long_acting((c.ingredient for c in drug.components), drug.route)


def _fits(drug: Drug, form: _FormWord) -> bool:
    if not form.forms:
        return drug.route is form.route
    lowered = drug.dose_form.lower()
    return any(part in lowered for part in form.forms)
