"""Which payer a coverage belongs to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from cds_service.knowledge.model import Payer

_WORD = re.compile(r"[^\W_]+")


def recognise(
    payers: Iterable[Payer],
    names: Iterable[str],
    identifiers: Iterable[str] = (),
    mapping: Mapping[str, str] | None = None,
) -> tuple[Payer, ...]:
    """The payers of one coverage, by its names and its identifiers (`SYSTEM#value`, `Organization/id`).

    A site's `mapping` (coverage text, SYSTEM#value or the payer's reference to payer id) decides
    alone; else identifiers and names count, a name where its words stand in a row in the coverage's
    text, case ignored.

    >>> cigna = Payer("cigna", "Cigna", names=("cigna",))
    >>> [p.id for p in recognise([cigna], ["CIGNA Health and Life"])], recognise([cigna], ["Cignature Co"])
    (['cigna'], ())
    """
    known = tuple(payers)
    texts = tuple(words(name) for name in names)
    codes = frozenset(identifiers)
    mapped = {
        id
        for key, id in (mapping or {}).items()
        if key in codes or ("#" not in key and words(key) in texts)
    }
    if mapped:
        return tuple(payer for payer in known if payer.id in mapped)
    return tuple(
        payer
        for payer in known
        if not payer.identifiers.isdisjoint(codes)
        or any(words(name) in text for name in payer.names for text in texts)
    )


def words(text: str) -> str:
    """The words of a text, in lower case between single spaces, a space at each end."""
    return " " + " ".join(_WORD.findall(text.casefold())) + " "
