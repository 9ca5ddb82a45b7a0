"""Drug names in free text: ingredients, brands and abbreviations, as whole words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"[a-z]+|\d+|#")
_NUMBERED = re.compile(r"\bno\.? ?(?=\d)")  # "Tylenol No. 3"
_BEFORE_NO_DRUG = frozenset({"no", "non", "not", "without"})
_AFTER_NO_DRUG = frozenset(
    {
        *(
            "agreement",
            "allergy",
            "antagonist",
            "assay",
            "contract",
            "equivalent",
            "equivalents",
            "free",
        ),
        *("intolerance", "milligram", "screen", "screening", "withdrawal"),
    }
)


@dataclass(frozen=True, slots=True)
class Mention:
    """Names found in a text: ingredients, those of brands included; brands; codes a name
    stands for.
    """

    ingredients: frozenset[str]
    brands: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()


class Lexicon:
    """The names in use, found in a text as whole words, the longest first."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._starts: dict[str, list[tuple[list[str], Mention]]] = defaultdict(list)
        for line in lines:
            words, ingredients, brand, code = line.split("\t")
            tokens = words.split(" ")
            meant = Mention(frozenset(ingredients.split("|")), _one(brand), _one(code))
            self._starts[tokens[0]].append((tokens, meant))
        for entries in self._starts.values():
            entries.sort(key=lambda entry: -len(entry[0]))

    def find(self, text: str) -> Mention:
        """All names in `text`, without those that a neighbouring word makes no drug.

        >>> lexicon = Lexicon(["tylenol with codeine\\tacetaminophen|codeine\\ttylenol with codeine\\t"])
        >>> lexicon.find("Tylenol with Codeine 300-30").brands, lexicon.find("no Tylenol with codeine").brands
        (frozenset({'tylenol with codeine'}), frozenset())
        """
        found = list(self._walk(_TOKEN.findall(_NUMBERED.sub("#", text.lower()))))
        if len(found) == 1:
            return found[0]
        return Mention(
            frozenset().union(*(m.ingredients for m in found)),
            frozenset().union(*(m.brands for m in found)),
            frozenset().union(*(m.codes for m in found)),
        )

    def _walk(self, tokens: list[str]) -> Iterator[Mention]:
        at = 0
        while at < len(tokens):
            for words, meant in self._starts.get(tokens[at], ()):
                end = at + len(words)
                if tokens[at:end] == words:
                    if not _no_drug(tokens, at, end):
                        yield meant
                    at = end - 1
                    break
            at += 1


def _one(text: str) -> frozenset[str]:
    return frozenset({text}) if text else frozenset()


def _no_drug(tokens: list[str], at: int, end: int) -> bool:
    before = at > 0 and tokens[at - 1] in _BEFORE_NO_DRUG
    return before or (end < len(tokens) and tokens[end] in _AFTER_NO_DRUG)
