"""How words meet values: templates compiled at start, and how each value is shown.

Text from the chart is never trusted: control and bidirectional marks are dropped, it is cut, and in
Markdown every character that could become markup, a link or HTML is escaped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any, cast

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, meta, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.facts import Quantity
from cds_service.knowledge.codes import Code
from cds_service.knowledge.numbers import Number

SUMMARY_LIMIT, SUMMARY_AIM = (
    139,
    120,
)  # CDS Hooks: fewer than 140; 120 survives clients that count otherwise
CHART_TEXT_LIMIT = 200  # in the detail; long enough that no arithmetic is cut
LABEL_LIMIT = 80  # chart text in a summary, before the summary as a whole is fitted
_LEAST_LABEL = 12
_OPEN, _CLOSE = (
    "\ue000",
    "\ue001",
)  # private use: cleaned out of all chart text, so they mark it safely
_MARKS = re.compile(f"[{_OPEN}{_CLOSE}]")
_DROPPED = frozenset(
    {"Cc", "Cf", "Cs", "Co", "Cn"}
)  # control, bidi and zero-width, private, unassigned
_ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Test,
)
_ALLOWED_TESTS = frozenset({"none"})
_TAGS_ALONE = re.compile(
    r"(?m)^[ \t]*((?:\{%[^\n]*?%\}[ \t]*)+)\n"
)  # `if` or `for` alone leaves no line
_TAG = re.compile(r"\{[{%#]|[}%#]\}")
_MARKUP = re.compile(r"([\\`*_\[\]|~])")
# Whatever any of the others may change; most chart text holds none of it.
_TELLING = re.compile(r"(?i)[\\`*_\[\]|~&<>@]|//|mailto:|xmpp:|www\.|^[#+=\d-]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_LEADING = re.compile(r"^(?:([#+=-])|(\d{1,9})([.)]))")
_AUTOLINK = re.compile(r"(?i)(:)(?=//)|(?<=mailto)(:)|(?<=xmpp)(:)|(?<=www)(\.)|(@)")


class Rendered(str):
    """Markdown written by us, passed through as it is."""

    __slots__ = ()


class WordFault(Exception):
    """A template says what it may not; `allowed` tells what it may."""

    def __init__(self, what: str, allowed: str | None = None) -> None:
        self.what, self.allowed = what, allowed
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A template without tags: the same text whatever the words, and the same on one line."""

    text: str
    line: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "line", " ".join(self.text.split()))

    def render(self, _: Mapping[str, Any]) -> str:
        """The text."""
        return self.text


@dataclass(frozen=True, slots=True)
class Woven:
    """A template with tags. It sees `words` as they are: no copy, no globals."""

    template: Template

    def render(self, words: Mapping[str, Any]) -> str:
        """The text. Raises UndefinedError for a word that is missing."""
        return "".join(self.template.root_render_func(_Seen(words)))


class _Seen(Context):
    """The words alone: a template of ours has no blocks, no calls and no filters that ask for more."""

    def __init__(self, words: Mapping[str, Any]) -> None:
        self.parent, self.vars = cast(dict[str, Any], words), {}


Words = Woven | Fixed


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
    whole = int(value)
    if whole == value:
        return str(whole)
    exact = Fraction(value)
    for places in range(2, 7):
        scaled = exact * 10**places
        rounded = (2 * scaled + 1) // 2
        if scaled == rounded or rounded % 10 ** (places - 1):
            return _digits(rounded, places)
    away = scaled.__floor__() if scaled < rounded else scaled.__ceil__()
    return _digits(away, places)


def _digits(scaled: int, places: int) -> str:
    text = f"{Decimal(scaled).scaleb(-places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _shown(value: object, text: Any) -> str:
    """One value for a reader; `text` makes a chart string fit for where it goes."""
    match value:
        case Rendered():
            return value
        case Undefined():
            return str(value)  # a StrictUndefined raises here
        case str():
            return str(text(str(value)))
        case bool():
            return "yes" if value else "no"
        case int() | Decimal() | Fraction():
            return number_text(value)
        case Number():
            return number_text(value.value)
        case date():
            return value.isoformat()[:10]
        case FuzzyDate():
            return str(value)
        case Quantity():
            return f"{number_text(value.value)} {text(value.unit)}".rstrip()
        case Code():
            return str(text(str(value)))
        case tuple():
            return ", ".join(_shown(item, text) for item in value)
        case _:
            raise TypeError(f"a card cannot show a {type(value).__name__}")


def _in_markdown(text: str) -> str:
    return escaped(clean(text, CHART_TEXT_LIMIT))


def _in_summary(text: str) -> str:
    line = clean(text, LABEL_LIMIT).replace("<", "‹").replace(">", "›")
    return f"{_OPEN}{line}{_CLOSE}"


class _Sandbox(ImmutableSandboxedEnvironment):
    """The immutable sandbox; our templates read plain attributes only, so the name alone
    decides.
    """

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 - as Jinja calls it
        """Nothing that begins with an underscore, and nothing that can be called."""
        return not attr.startswith("_") and not callable(value)


def _environment(text: Any) -> ImmutableSandboxedEnvironment:
    environment = _Sandbox(
        undefined=StrictUndefined,
        finalize=partial(_shown, text=text),
        autoescape=False,  # `finalize` escapes each value
        cache_size=0,
    )
    environment.globals.clear()
    environment.filters.clear()
    return environment


_MARKDOWN, _SUMMARY = _environment(_in_markdown), _environment(_in_summary)


def compiled(source: str, words: Collection[str], *, summary: bool = False) -> Words:
    """Compile a template that may use `if`, `for` and `words`. Raises WordFault."""
    environment = _SUMMARY if summary else _MARKDOWN
    if _OPEN in source or _CLOSE in source:
        raise WordFault("a private-use character in a template")
    if not _TAG.search(source):
        return Fixed(source)
    try:
        tree = environment.parse(_TAGS_ALONE.sub(r"\1", source))
        for node in tree.find_all(nodes.Node):
            forbidden = isinstance(node, nodes.Test) and node.name not in _ALLOWED_TESTS
            if forbidden or not isinstance(node, _ALLOWED_NODES):
                raise WordFault(
                    f"{type(node).__name__} in a template", "if, for, 'is none' and the words"
                )
        unknown = sorted(_said(tree) - set(words))
        if unknown:
            raise WordFault(
                f"unknown word {', '.join(unknown)}", ", ".join(sorted(words)) or "no words"
            )
        return Woven(environment.from_string(tree))
    except TemplateSyntaxError as error:
        raise WordFault(f"not a template: {error.message}") from None


def uses(source: str, word: str) -> bool:
    """Whether a template that compiles says `word`."""
    return word in _said(_MARKDOWN.parse(source))


def _said(tree: nodes.Template) -> set[str]:
    """The words a template takes from outside; the names of a `for` are its own."""
    if next(tree.find_all(nodes.For), None) is None:
        return {name.name for name in tree.find_all(nodes.Name)}
    return meta.find_undeclared_variables(tree)


def summary_of(template: Words, words: Mapping[str, Any]) -> str:
    """The filled summary on one line, under 140 characters; text from the chart gives way
    before our own.
    """
    if isinstance(template, Fixed) and len(template.line) <= SUMMARY_AIM:
        return template.line
    parts = _MARKS.split(" ".join(template.render(words).split()))
    while sum(map(len, parts)) > SUMMARY_AIM:
        longest = max(range(1, len(parts), 2), key=lambda i: len(parts[i]), default=None)
        if longest is None or len(parts[longest]) <= _LEAST_LABEL:
            break
        excess = sum(map(len, parts)) - SUMMARY_AIM
        parts[longest] = cut(parts[longest], max(_LEAST_LABEL, len(parts[longest]) - excess))
    return cut("".join(parts), SUMMARY_LIMIT)


def line_of(template: Words, words: Mapping[str, Any]) -> str:
    """One line of Markdown."""
    if isinstance(template, Fixed):
        return template.line
    return " ".join(template.render(words).split())


def lines_of(template: Words, words: Mapping[str, Any]) -> tuple[str, ...]:
    """Several lines of Markdown, empty ones left out."""
    return tuple(line.rstrip() for line in template.render(words).splitlines() if line.strip())
