"""Templates compiled at start, and how they meet the words of a finding."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from keyword import iskeyword
from typing import Any, cast

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from cds_service.card_text import CLOSE, OPEN, Text, cut, in_markdown, in_summary, writing
from cds_service.card_words import KINDS, Path, read, stray

SUMMARY_LIMIT, SUMMARY_AIM = (
    139,
    120,
)  # CDS Hooks: fewer than 140; 120 survives clients that count otherwise
_LEAST_LABEL = 12
_MARKS = re.compile(f"[{OPEN}{CLOSE}]")
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
_TAGS = re.compile(r"(?s)\{\{.*?\}\}|\{%.*?%\}")
_MARKUP = re.compile(r"<[A-Za-z/!?]|!\[")  # clients differ in what they make of it


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
    summary: str = field(init=False)

    def __post_init__(self) -> None:
        line = " ".join(self.text.split())
        object.__setattr__(self, "line", line)
        object.__setattr__(self, "summary", cut(line, SUMMARY_LIMIT))

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
        self.parent = cast(dict[str, Any], words)

    def resolve_or_missing(self, key: str) -> Any:
        """A word as it is."""
        return self.parent.get(key, missing)


Words = Woven | Fixed


class _Reading(CodeGenerator):
    """Reads a part of a word as Python does: `compiled` lets a template read only what is there."""

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        """Everything else is for the sandbox to answer or to refuse."""
        named = isinstance(node.node, nodes.Name | nodes.Getattr)
        if named and not node.attr.startswith("_") and not iskeyword(node.attr):
            self.visit(node.node, frame)
            self.write(f".{node.attr}")
        else:
            super().visit_Getattr(node, frame)


class _Sandbox(ImmutableSandboxedEnvironment):
    """The immutable sandbox; our templates read plain attributes only, so the name alone
    decides.
    """

    code_generator_class = _Reading

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 - as Jinja calls it
        """Nothing that begins with an underscore, and nothing that can be called."""
        return not attr.startswith("_") and not callable(value)


def _environment(text: Text) -> ImmutableSandboxedEnvironment:
    environment = _Sandbox(
        undefined=StrictUndefined,
        finalize=writing(text),
        autoescape=False,  # `finalize` escapes each value
        cache_size=0,
    )
    environment.globals.clear()
    environment.filters.clear()
    return environment


_MARKDOWN, _SUMMARY = _environment(in_markdown), _environment(in_summary)


def compiled(
    source: str, words: Collection[str], *, summary: bool = False, kinds: Mapping[str, Any] = KINDS
) -> Words:
    """Compile a template that may use `if`, `for` and `words`, and read of each what its kind has.

    Raises WordFault.
    """
    template, said, reads = _compiled(source, summary)
    unknown = sorted(said - set(words))
    if unknown:
        raise WordFault(
            f"unknown word {', '.join(unknown)}", ", ".join(sorted(words)) or "no words"
        )
    for path in reads:
        if (found := stray(path, kinds)) is not None:
            part, known = found
            allowed = ", ".join(sorted(known)) or "nothing after this dot"
            raise WordFault(f"unknown part {part} in {'.'.join(path)}", allowed)
    return template


@cache
def _compiled(source: str, summary: bool) -> tuple[Words, frozenset[str], tuple[Path, ...]]:
    """The template, the words it says and what it reads of them; cards say many a thing alike."""
    environment = _SUMMARY if summary else _MARKDOWN
    if OPEN in source or CLOSE in source:
        raise WordFault("a private-use character in a template")
    if _MARKUP.search(_TAGS.sub("", source)):
        raise WordFault("HTML or an image in a template", "Markdown without them")
    if not _TAG.search(source):
        _short(len(" ".join(source.split())), summary)
        return Fixed(source), frozenset(), ()
    try:
        tree = environment.parse(_TAGS_ALONE.sub(r"\1", source))
        for node in tree.find_all(nodes.Node):
            forbidden = isinstance(node, nodes.Test) and node.name not in _ALLOWED_TESTS
            if forbidden or not isinstance(node, _ALLOWED_NODES):
                raise WordFault(
                    f"{type(node).__name__} in a template", "if, for, 'is none' and the words"
                )
        outputs = [each for each in tree.body if isinstance(each, nodes.Output)]
        said = [n.data for each in outputs for n in each.nodes if isinstance(n, nodes.TemplateData)]
        _short(len("".join(said).strip()), summary)
        reads = tuple(dict.fromkeys(read(tree)))
        return Woven(environment.from_string(tree)), frozenset(_said(tree)), reads
    except TemplateSyntaxError as error:
        raise WordFault(f"not a template: {error.message}") from None


def _short(length: int, summary: bool) -> None:
    """Raises WordFault for a summary whose own words, those it always says, would be cut."""
    if summary and length > SUMMARY_LIMIT:
        raise WordFault(f"{length} characters without a word", f"{SUMMARY_LIMIT} at most")


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
    if isinstance(template, Fixed):
        return template.summary
    line = " ".join(template.render(words).split())
    if len(line) <= SUMMARY_AIM:
        return line.replace(OPEN, "").replace(CLOSE, "")
    parts = _MARKS.split(line)
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
