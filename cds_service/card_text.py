"""How each value is shown to a reader.

Text from the chart is never trusted: control and bidirectional marks are dropped, it is cut, and in
Markdown every character that could become markup, a link or HTML is escaped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from jinja2 import Undefined

from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.facts import Quantity
from cds_service.knowledge.codes import Code
from cds_service.knowledge.numbers import Number

CHART_TEXT_LIMIT = 200  # in the detail; long enough that no arithmetic is cut
LABEL_LIMIT = 80  # chart text in a summary, before the summary as a whole is fitted
OPEN, CLOSE = (
    "\ue000",
    "\ue001",
)  # private use: cleaned out of all chart text, so they mark it safely
_DROPPED = frozenset(
    {"Cc", "Cf", "Cs", "Co", "Cn"}
)  # control, bidi and zero-width, private, unassigned
_MARKUP = re.compile(r"([\\`*_\[\]|~])")
# What most chart text is: printable ASCII without a character that means something in Markdown.
_PLAIN = re.compile(r"(?![ #+=-]|\d{1,9}[.)])[ !\"#$%'()+,\-./0-9;=?A-Z^a-z{}]+(?<! )")
# Wherever any of the others may change something.
_TELLING = re.compile(r"[\\`*_\[\]|~&<>@:]|[wW]\.|^(?:[#+=-]|\d{1,9}[.)])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_LEADING = re.compile(r"^(?:([#+=-])|(\d{1,9})([.)])(?=\s|$))")  # "33.3 mg" is no list
_AUTOLINK = re.compile(r"(?i)(:)(?=//)|(?<=mailto)(:)|(?<=xmpp)(:)|(?<=www)(\.)|(@)")


class Rendered(str):
    """Markdown written by us, passed through as it is."""

    __slots__ = ()


def clean(text: str, limit: int) -> str:
    """Text on one line without control, bidirectional or private characters, cut to `limit`
    characters.

    >>> clean(" oxycodone\\u202e\\n5 mg ", 80), clean("hydromorphone", 8)
    ('oxycodone 5 mg', 'hydromo…')
    """
    line = " ".join(text[: 4 * limit].split())
    if not line.isascii() or not line.isprintable():
        line = " ".join("".join(c for c in line if unicodedata.category(c) not in _DROPPED).split())
    return cut(line, limit)


def cut(text: str, limit: int) -> str:
    """The text, or its first characters and an ellipsis, `limit` characters in all."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def escaped(text: str) -> str:
    """Plain text as Markdown that shows exactly it: no markup, no link, no HTML, no table cell, no
    list.

    >>> escaped("<b>[x](http://e.org)</b>"), escaped("- 5 mg | 1"), escaped("1. www.e.org a@b")
    ('&lt;b&gt;\\\\[x\\\\](http\\\\://e.org)&lt;/b&gt;', '\\\\- 5 mg \\\\| 1', '1\\\\. www\\\\.e.org a\\\\@b')
    """
    if not _TELLING.search(text):
        return text
    text = _MARKUP.sub(r"\\\1", text).translate(_ENTITIES)
    text = _AUTOLINK.sub(lambda hit: "\\" + hit.group(0), text)
    return _LEADING.sub(lambda hit: f"\\{hit[1]}" if hit[1] else f"{hit[2]}\\{hit[3]}", text)


def number_text(value: int | Decimal | Fraction) -> str:
    """A number with at most two decimals, with more where rounding would move it onto a rounder
    one.

    So no shown number lies on the other side of a limit than the exact one.

    >>> [number_text(v) for v in (Fraction(255, 4), Decimal("49.996"), Fraction(100, 3), 50)]
    ['63.75', '49.996', '33.33', '50']
    """
    above, below = value.as_integer_ratio()
    if below == 1:
        return str(above)
    for places in range(2, 7):
        scaled = above * 10**places  # of `below`
        rounded = (2 * scaled + below) // (2 * below)
        if scaled == rounded * below or rounded % 10 ** (places - 1):
            return _digits(rounded, places)
    away = scaled // below if scaled < rounded * below else -(-scaled // below)
    return _digits(away, places)


def _digits(scaled: int, places: int) -> str:
    text = f"{Decimal(scaled).scaleb(-places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


Text = Callable[[str], str]
Show = Callable[[Any], str]
_WRITERS: tuple[tuple[type, Callable[[Text, Show], Show]], ...] = (  # a subclass before its base
    (Rendered, lambda text, show: lambda value: value),
    (str, lambda text, show: text),
    (bool, lambda text, show: lambda value: "yes" if value else "no"),
    (int, lambda text, show: number_text),
    (Decimal, lambda text, show: number_text),
    (Fraction, lambda text, show: number_text),
    (Number, lambda text, show: lambda value: number_text(value.value)),
    (date, lambda text, show: lambda value: value.isoformat()[:10]),
    (FuzzyDate, lambda text, show: str),
    (
        Quantity,
        lambda text, show: lambda value: f"{number_text(value.value)} {text(value.unit)}".rstrip(),
    ),
    (Code, lambda text, show: lambda value: text(str(value))),
    (tuple, lambda text, show: lambda value: ", ".join([show(item) for item in value])),
    (Undefined, lambda text, show: str),  # a StrictUndefined raises here
)


def writing(text: Text) -> Show:
    """What shows a value to a reader where `text` makes a chart string fit. Raises TypeError for a
    value that no card can show.
    """
    known: dict[type, Show] = {str: text}

    def show(value: Any) -> str:
        kind = type(value)
        if kind not in known:
            known[kind] = _writer(kind, text, show)
        return known[kind](value)

    return show


def _writer(kind: type, text: Text, show: Show) -> Show:
    for each, writer in _WRITERS:
        if issubclass(kind, each):
            return writer(text, show)
    raise TypeError(f"a card cannot show a {kind.__name__}")


def in_markdown(text: str) -> str:
    """Chart text as it goes into the detail."""
    return text if _plain(text, CHART_TEXT_LIMIT) else escaped(clean(text, CHART_TEXT_LIMIT))


def in_summary(text: str) -> str:
    """Chart text as it goes into a summary, marked so that it can give way to our own."""
    if not _plain(text, LABEL_LIMIT):
        text = clean(text, LABEL_LIMIT).replace("<", "‹").replace(">", "›")
    return f"{OPEN}{text}{CLOSE}"


def _plain(text: str, limit: int) -> bool:
    """Whether nothing of the text has to be dropped, cut or escaped. What is not plain may still
    come out as it is.
    """
    if len(text) > limit or not _PLAIN.fullmatch(text):
        return False
    return "  " not in text and "w." not in text and "W." not in text
