"""How a template reads while its words are unfilled, and how a docstring falls into parts. Pure."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jinja2 import Environment, nodes

_SYNTAX = Environment(autoescape=True)  # only parses; renders nothing
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=[A-Z])")
_SILENT = re.compile(
    r"(?i)\b(silent|quiet|only for|adults only|outside|exempts?|excludes?|left alone|left out|superfluous"
    r"|for adult|for adults|does not count|do not count)\b"
)
_UNKNOWN = re.compile(
    r"(?i)\b(unknown|could not be read|cannot be read|not known|lower bound|unmeasured|not measured"
    r"|absent|without an onset|missing|no score on file|what could not)\b"
)


@dataclass(frozen=True, slots=True)
class Doc:
    """A rule's docstring: its first sentence, the rest of the text, and what it cites."""

    purpose: str
    body: tuple[str, ...]
    source: str

    def silent(self) -> tuple[str, ...]:
        """The sentences that say for whom or when the rule is silent."""
        return tuple(s for s in self._sentences() if _SILENT.search(s))

    def unknown(self) -> tuple[str, ...]:
        """The sentences that say what missing data do."""
        return tuple(s for s in self._sentences() if _UNKNOWN.search(s))

    def _sentences(self) -> Iterator[str]:
        for part in self.body:
            yield from _SENTENCE.split(part)


def doc_of(text: str) -> Doc:
    """The parts of a docstring.

    >>> doc_of("Warns.\\n\\n    Silent in winter. Else not.\\n\\n    Source: book, page 1.").silent()
    ('Silent in winter.',)
    """
    parts = [" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n")]
    flat = [
        piece for part in parts for piece in re.split(r"(?<=[.:])\s+(?=Source: )", part) if piece
    ]
    body = [part for part in flat if not part.startswith("Source: ")]
    cited = [
        part.removeprefix("Source: ").rstrip(".") for part in flat if part.startswith("Source: ")
    ]
    return Doc(body[0] if body else "", tuple(body[1:]), "; ".join(cited))


def readable(source: str) -> str:
    """A template for people: words in brackets, what may be left out in parentheses, alternatives
    by slashes.

    >>> readable("Total {% if mme.bound %}at least {% endif %}{{ mme.per_day }} MME (from {{ limit }})")
    'Total (at least) [MME per day] MME (from [limit])'
    >>> readable("{% if a %}{{ days }} days{% else %}weeks{% endif %} of pain")
    '[days] days / weeks of pain'
    """
    return " ".join(_text(_SYNTAX.parse(source).body).split())


def _text(parts: Iterable[nodes.Node]) -> str:
    return "".join(_one(part) for part in parts)


def _one(part: nodes.Node) -> str:
    match part:
        case nodes.Output():
            return _text(part.nodes)
        case nodes.TemplateData():
            return str(part.data)
        case nodes.If():
            return _choice(part)
        case nodes.For():
            return _text(part.body)
        case _:
            return f"[{_name(part)}]"


def _choice(part: nodes.If) -> str:
    """The branches of a condition; one alone may be left out, so it stands in parentheses."""
    branches = [_text(part.body), *(_text(other.body) for other in part.elif_), _text(part.else_)]
    said = [branch for branch in branches if branch.strip()]
    if len(said) != 1:
        return " / ".join(said)
    text = said[0]
    lead, trail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    core = text.strip()
    return text if core.startswith(("(", "-")) else f"{lead}({core.lstrip(',;: ')}){trail}"


def _name(part: nodes.Node) -> str:
    """The words of an expression; the one-letter name of a loop says nothing."""
    match part:
        case nodes.Getattr():
            owner = _name(part.node)
            attribute = _plain(str(part.attr))
            return attribute if len(owner) == 1 else f"{owner} {attribute}"
        case nodes.Name():
            return _plain(str(part.name))
        case _:
            return "…"


def _plain(name: str) -> str:
    return name.replace("_", " ").replace("mme", "MME")
