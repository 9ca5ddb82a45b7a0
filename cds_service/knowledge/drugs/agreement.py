"""Whether the codings and the text of one medication agree, and which of them says most. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from cds_service.knowledge.drugs.model import OPIOID_INGREDIENTS, Drug

# The more a term type says about the product, the further left it stands.
_SPECIFIC = (
    "SBD", "SCD", "BPCK", "GPCK", "SBDC", "SCDC", "SBDF", "SCDF", "SCDG", "BN", "MIN", "PIN", "IN", "NAME",
)  # fmt: skip
_INGREDIENTS = frozenset({"IN", "PIN"})
_Strengths = dict[str, tuple[tuple[Decimal, str], ...]]


def most_specific(drugs: Sequence[Drug]) -> Drug:
    """The drug whose coding says most: an opioid first, then known strengths, the term
    type, the code.
    """
    return min(
        drugs,
        key=lambda d: (
            not d.opioids,
            not has_strengths(d),
            _SPECIFIC.index(d.tty),
            int(d.rxcui or 0),
        ),
    )


def has_strengths(drug: Drug) -> bool:
    """Whether the strength of every opioid (without opioids: of every ingredient) is known."""
    return all(c.strength is not None for c in drug.opioids or drug.components)


def together(drugs: Iterable[Drug]) -> frozenset[str]:
    """All ingredients that the codings name."""
    return frozenset().union(*(_names(drug) for drug in drugs))


def conflict(drugs: Sequence[Drug]) -> str | None:
    """The different drugs that two codings name.

    An ingredient agrees with its product; ingredients alone may be the parts of one combination.
    """
    return _first(_drugs_apart, drugs)


def strength_conflict(drugs: Sequence[Drug]) -> str | None:
    """The opioid of which two codings name different strengths."""
    return _first(_strengths_apart, drugs)


def without_strengths(drug: Drug) -> Drug:
    """The drug as far as codings agree that name different strengths of it."""
    bare = tuple(replace(c, strength=None, unit=None) for c in drug.components)
    return replace(drug, components=bare)


def _first(apart: Callable[[Drug, Drug], str | None], drugs: Sequence[Drug]) -> str | None:
    pairs = ((left, right) for at, left in enumerate(drugs) for right in drugs[at + 1 :])
    return next((problem for left, right in pairs if (problem := apart(left, right))), None)


def contradicted(drugs: Sequence[Drug], mentioned: frozenset[str]) -> str | None:
    """What a text disagrees on that mentions these ingredients: an opioid that no coding holds."""
    coded = together(drugs)
    others = (mentioned - coded) & OPIOID_INGREDIENTS
    if not others:
        return None
    return f"the code says {_listed(coded)}, the text {_listed(others)}"


def _drugs_apart(left: Drug, right: Drug) -> str | None:
    ours, theirs = _opioids(left), _opioids(right)
    if ours == theirs or _parts(left, right):
        return None
    return f"the codes name different drugs: {_listed(_names(left))}; {_listed(_names(right))}"


def _strengths_apart(left: Drug, right: Drug) -> str | None:
    mine, yours = _strengths(left), _strengths(right)
    for name in sorted(mine.keys() & yours.keys() & OPIOID_INGREDIENTS):
        if not (_within(mine[name], yours[name]) or _within(yours[name], mine[name])):
            return f"the codes name different strengths of {name}"
    return None


def _parts(left: Drug, right: Drug) -> bool:
    """Whether codings of which one holds no opioid can be one drug: part and whole, or two
    parts.
    """
    if _opioids(left) and _opioids(right):
        return False
    if _names(left) <= _names(right) or _names(right) <= _names(left):
        return True
    return left.tty in _INGREDIENTS and right.tty in _INGREDIENTS


def _strengths(drug: Drug) -> _Strengths:
    found: _Strengths = {}
    for c in drug.components:
        if c.strength is not None and c.unit is not None:
            found[c.ingredient] = (*found.get(c.ingredient, ()), (c.strength, c.unit))
    return found


def _within(few: Sequence[tuple[Decimal, str]], many: Sequence[tuple[Decimal, str]]) -> bool:
    return all(few.count(one) <= many.count(one) for one in few)


def _opioids(drug: Drug) -> frozenset[str]:
    return _names(drug) & OPIOID_INGREDIENTS


def _names(drug: Drug) -> frozenset[str]:
    return frozenset(c.ingredient for c in drug.components)


def _listed(names: frozenset[str]) -> str:
    return " / ".join(sorted(names))
