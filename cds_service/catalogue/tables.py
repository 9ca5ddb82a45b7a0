"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, and an empty one after it.

    >>> list(table(("a", "b"), [("1|2", "x\\ny")]))
    ['| a | b |', '| --- | --- |', '| 1\\\\|2 | x y |', '']
    """
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell(each) for each in row) + " |"
    yield ""


def cell(text: str) -> str:
    """Text on one line that neither ends a cell nor begins HTML."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
