"""Codes, and sets of codes that match by whole code or by prefix. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_ICD_HEAD = 3  # characters before the point


class Code(NamedTuple):
    """A code in a code system: the system's short name (`RXNORM`), else the URL as it was sent.

    ICD-10-CM codes carry no dot and are upper case; NDC codes have eleven digits.
    """

    system: str
    code: str

    def __str__(self) -> str:
        return f"{self.system}#{self.code}"

    @property
    def written(self) -> str:
        """The code as clinicians write it, ICD-10-CM with its point.

        >>> Code("ICD10CM", "M5416").written, Code("ICD10CM", "I10").written, Code("CPT", "62323").written
        ('M54.16', 'I10', '62323')
        """
        if self.system == "ICD10CM" and len(self.code) > _ICD_HEAD:
            return f"{self.code[:_ICD_HEAD]}.{self.code[_ICD_HEAD:]}"
        return self.code


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A named set of codes. A code is looked up whole, then as prefixes trimmed from the right."""

    name: str
    says: str = ""
    source: str = ""
    exact: frozenset[Code] = frozenset()
    prefixes: frozenset[Code] = frozenset()
    without: frozenset[Code] = frozenset()
    without_prefixes: frozenset[Code] = frozenset()
    displays: dict[Code, str] = field(default_factory=dict, compare=False, repr=False)
    _whole: frozenset[Code] = field(init=False, compare=False, repr=False)
    _starts: Mapping[str, _Starts] = field(init=False, compare=False, repr=False)
    _not_starts: Mapping[str, _Starts] = field(init=False, compare=False, repr=False)
    _asked: dict[frozenset[Code], bool] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        # A chart of hundreds of conditions is asked of dozens of sets: what a look-up needs is made
        # once.
        object.__setattr__(self, "_whole", self.exact - self.without)
        object.__setattr__(self, "_starts", _by_system(self.prefixes))
        object.__setattr__(self, "_not_starts", _by_system(self.without_prefixes))

    def __contains__(self, code: Code) -> bool:
        """
        >>> back = ValueSet("b", prefixes=frozenset({Code("ICD10CM", "M545")}))
        >>> Code("ICD10CM", "M5450") in back, Code("ICD10CM", "M546") in back
        (True, False)
        """
        if code in self._whole:
            return True
        return bool(self._starts) and self._begins(code)

    def _begins(self, code: Code) -> bool:
        return (
            _starts_with(code, self._starts)
            and code not in self.without
            and not _starts_with(code, self._not_starts)
        )

    def called(self, code: Code) -> tuple[int, str]:
        """What the set calls a code, or the category of three or more characters that holds it, and
        how many characters of the code that name stands for; 0 without one.

        >>> start = Code("ICD10CM", "M54")
        >>> back = ValueSet("b", prefixes=frozenset({start}), displays={start: "Dorsalgia"})
        >>> [back.called(Code("ICD10CM", code)) for code in ("M54", "M5450", "M55")]
        [(3, 'Dorsalgia'), (3, 'Dorsalgia'), (0, '')]
        """
        text = code.code
        if code in self.displays:
            return len(text), self.displays[code]
        for length in range(len(text) - 1, _ICD_HEAD - 1, -1):
            start = Code(code.system, text[:length])
            if start in self.prefixes and start in self.displays:
                return length, self.displays[start]
        return 0, ""

    def match(self, codes: Iterable[Code]) -> Code | None:
        """The first of `codes` (in sorted order) that is in the set, or None."""
        hits = [code for code in codes if code in self]
        return min(hits) if hits else None

    def any_of(self, codes: frozenset[Code]) -> bool:
        """Whether any of `codes` is in the set; asked again of the same codes it remembers."""
        known = self._asked.get(codes)
        if known is None:
            if len(self._asked) >= _REMEMBERED:
                self._asked.clear()
            known = self._asked[codes] = self._any_of(codes)
        return known

    def _any_of(self, codes: frozenset[Code]) -> bool:
        if not self._whole.isdisjoint(codes):
            return True
        if self._starts:
            for code in codes:
                if code[0] in self._starts and self._begins(code):
                    return True
        return False


_REMEMBERED = 2048  # combinations of codes, which are no patient's alone


class Sorting:
    """Which of several sets the codes of a fact belong to; asked again of the same codes it
    remembers.
    """

    __slots__ = ("_asked", "_sets")

    def __init__(self, sets: Iterable[ValueSet]) -> None:
        self._sets = {one.name: one for one in sets}
        self._asked: dict[frozenset[Code], frozenset[str]] = {}

    def set(self, name: str) -> ValueSet:
        """One of the sets. Raises KeyError."""
        return self._sets[name]

    def of(self, codes: frozenset[Code]) -> frozenset[str]:
        """The names of the sets that any of `codes` is in."""
        found = self._asked.get(codes)
        if found is None:
            if len(self._asked) >= _REMEMBERED:
                self._asked.clear()
            found = self._asked[codes] = frozenset(
                name for name, one in self._sets.items() if one.any_of(codes)
            )
        return found


class Names:
    """Codes by what sets call them, for what was sent in words only.

    Only a text that is a name from end to end is one: of "no history of", "rule out" or a question
    mark nothing is understood.
    """

    __slots__ = ("_codes",)

    def __init__(self, sets: Iterable[ValueSet]) -> None:
        self._codes: dict[str, frozenset[Code]] = {}
        for one in sets:
            for code, name in one.displays.items():
                plain = _plain(name)
                self._codes[plain] = self._codes.get(plain, frozenset()) | {code}

    def of(self, text: str) -> frozenset[Code]:
        """Every code of that name; none if nothing is called so.

        >>> back = Code("ICD10CM", "M545")
        >>> names = Names([ValueSet("b", displays={back: "Low back pain"})])
        >>> texts = ("LOW BACK PAIN, unspecified", "Low back pain (finding)", "No low back pain")
        >>> [names.of(text) == {back} for text in texts]
        [True, True, False]
        """
        return self._codes.get(_plain(text), frozenset())


# What the name of a code ends with and says nothing of its own: SNOMED CT's kinds, ICD's remainder.
_ENDINGS = re.compile(r"(,? unspecified| \((disorder|finding|procedure|situation|event)\))?\.?$")


def _plain(text: str) -> str:
    return _ENDINGS.sub("", " ".join(text.casefold().split()), count=1)


_Starts = tuple[
    tuple[int, ...], frozenset[str]
]  # the lengths that occur, and the beginnings themselves


def _by_system(prefixes: frozenset[Code]) -> dict[str, _Starts]:
    texts: dict[str, set[str]] = {}
    for code in prefixes:
        texts.setdefault(code.system, set()).add(code.code)
    return {
        system: (tuple(sorted({len(text) for text in found})), frozenset(found))
        for system, found in texts.items()
    }


def _starts_with(code: Code, starts: Mapping[str, _Starts]) -> bool:
    known = starts.get(code.system)
    if known is None:
        return False
    lengths, beginnings = known
    text = code.code
    return any(text[:length] in beginnings for length in lengths)
