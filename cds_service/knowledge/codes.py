"""Codes, and sets of codes that match by whole code or by prefix. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class Code(NamedTuple):
    """A code in a code system: the system's short name (`RXNORM`), else the URL as it was sent.

    ICD-10-CM codes carry no dot and are upper case; NDC codes have eleven digits.
    """

    system: str
    code: str

    def __str__(self) -> str:
        return f"{self.system}#{self.code}"


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

    def __contains__(self, code: Code) -> bool:
        """
        >>> back = ValueSet("b", prefixes=frozenset({Code("ICD10CM", "M545")}))
        >>> Code("ICD10CM", "M5450") in back, Code("ICD10CM", "M546") in back
        (True, False)
        """
        if code in self.exact:
            return code not in self.without
        if _trimmed_in(code, self.prefixes):
            return code not in self.without and not _trimmed_in(code, self.without_prefixes)
        return False

    def match(self, codes: Iterable[Code]) -> Code | None:
        """The first of `codes` (in sorted order) that is in the set, or None."""
        hits = [code for code in codes if code in self]
        return min(hits) if hits else None

    def any_of(self, codes: Iterable[Code]) -> bool:
        """Whether any of `codes` is in the set."""
        return any(code in self for code in codes)


def _trimmed_in(code: Code, prefixes: frozenset[Code]) -> bool:
    if not prefixes:
        return False
    text = code.code
    return any(Code(code.system, text[:end]) in prefixes for end in range(len(text), 0, -1))
