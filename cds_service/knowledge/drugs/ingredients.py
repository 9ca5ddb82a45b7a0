"""Canonical ingredients: their RxNorm codes, their classes, and how a salt's name leads
back to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cds_service.errors import KnowledgeError
from cds_service.knowledge.drugs.model import DrugClass

_CLASSES = {c.value: c for c in DrugClass}
_SALTS = frozenset(
    {"calcium", "citrate", "hydrobromide", "hydrochloride", "maleate", "sodium", "sulfate"}
)


@dataclass(frozen=True, slots=True)
class Supplement:
    """The hand-kept additions to the sources."""

    ingredients: dict[str, tuple[str, frozenset[DrugClass]]]  # name -> code, classes
    brands: dict[str, tuple[str, ...]]  # name -> ingredients
    words: dict[str, str]  # other name -> ingredient or brand
    concepts: dict[str, str]  # RxNorm code -> name
    products: dict[str, str]  # name -> the RxNorm code it stands for


@dataclass(frozen=True, slots=True)
class Ingredients:
    """Every known ingredient name with its RxNorm code (may be empty) and classes."""

    codes: Mapping[str, str]
    classes: Mapping[str, frozenset[DrugClass]]
    words: Mapping[str, str]

    def canonical(self, what: str, hints: Iterable[str] = ()) -> str:
        """The ingredient that a name with its salt means: one of `hints`, else a known one, else
        itself.

        >>> Ingredients({"codeine": "2670"}, {}, {}).canonical("codeine phosphate")
        'codeine'
        """
        hinted = _longest_start(what, hints)
        if hinted:
            return hinted
        if what in self.words:
            return self.words[what]
        words = what.split(" ")
        for end in range(len(words), 0, -1):
            if (start := " ".join(words[:end])) in self.codes:
                return start
        while len(words) > 1 and words[-1] in _SALTS:
            words.pop()
        return " ".join(words)

    def lines(self, used: Iterable[str]) -> list[str]:
        """One line an ingredient: name, code, classes; those of `used` that are new have
        neither.
        """
        names = sorted({*self.codes, *used})
        return [
            "\t".join((n, self.codes.get(n, ""), ",".join(sorted(self.classes.get(n, ())))))
            for n in names
        ]


def read_classes(text: str, file: str = "", line: int | None = None) -> frozenset[DrugClass]:
    """Classes from comma-separated text. Raises KnowledgeError for an unknown one."""
    names = text.split(",") if text else []
    for name in names:
        if name not in _CLASSES:
            raise KnowledgeError(file, line, f"unknown drug class {name!r}", ", ".join(_CLASSES))
    return frozenset(_CLASSES[name] for name in names)


def read_supplement(path: Path) -> Supplement:
    """Read the hand-kept file. Raises KnowledgeError with file and line."""
    found = Supplement({}, {}, {}, {}, {})
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match line.split("\t"):
            case ["ingredient", name, code, classes]:
                found.ingredients[name] = (code, read_classes(classes, path.name, number))
            case ["brand", name, names]:
                found.brands[name] = tuple(names.split("|"))
            case ["word", name, target]:
                found.words[name] = target
            case ["concept", code, name]:
                found.concepts[code] = name
            case ["product", name, code]:
                found.products[name] = code
            case _:
                kinds = "ingredient, brand, word, concept, product"
                raise KnowledgeError(path.name, number, "unreadable line", kinds)
    return found


def _longest_start(what: str, names: Iterable[str]) -> str:
    return max((n for n in names if what == n or what.startswith(f"{n} ")), key=len, default="")
