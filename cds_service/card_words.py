"""What stands behind a word of a card, and so what a template may read after its dot."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from types import MappingProxyType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from jinja2 import nodes
from jinja2.runtime import LoopContext

from cds_service.clinical.behavioral import Positive
from cds_service.clinical.esi_checklist import Item
from cds_service.clinical.evidence import Evidence
from cds_service.clinical.mme import DailyMme
from cds_service.clinical.opioid_course import Course
from cds_service.clinical.rule import Rule
from cds_service.clinical.toxicology import Unexpected
from cds_service.clinical.treatment import Response
from cds_service.knowledge.model import Contact
from cds_service.knowledge.numbers import Number

Path = tuple[str, ...]  # a word, then what is read of it; EACH where a `for` goes through it
EACH = "*"
KINDS: Mapping[str, Any] = {  # any other word is a number of ours, or has no parts
    "checklist": tuple[Item, ...],
    "coach": Contact | None,
    "contact": Contact,
    "course": Course,
    "evidence": tuple[Evidence, ...],
    "first": Positive,
    "mme": DailyMme,
    "positives": tuple[Positive, ...],
    "response": Response,
    "results": tuple[Unexpected, ...],
}
_LOOP = "loop"


def kinds_of(rule: Rule | None) -> Mapping[str, Any]:
    """What stands behind the words of a rule's card; a card that gathers others has texts only."""
    if rule is None:
        return {}
    own = {word: kind for each in rule.criteria.values() for word, kind in each.kinds.items()}
    return {**KINDS, **own}


def read(node: nodes.Node, scope: Mapping[str, Path] = MappingProxyType({})) -> Iterator[Path]:
    """Everything a template reads of a word, the longest paths first."""
    if isinstance(node, nodes.For):
        over = _path(node.iter, scope)
        yield from read(node.iter, scope)
        assert isinstance(node.target, nodes.Name)  # no other node is let into a template
        inner = {**scope, node.target.name: (*over, EACH) if over else (), _LOOP: (_LOOP,)}
        for child in node.body:
            yield from read(child, inner)
        for child in node.else_:
            yield from read(child, scope)
    elif isinstance(node, nodes.Getattr) and (path := _path(node, scope)):
        yield path
    else:
        for child in node.iter_child_nodes():
            yield from read(child, scope)


def _path(node: nodes.Node, scope: Mapping[str, Path]) -> Path:
    """What a node reads; nothing where it is no word."""
    if isinstance(node, nodes.Name):
        return scope.get(node.name, (node.name,))
    if isinstance(node, nodes.Getattr):
        path = _path(node.node, scope)
        return (*path, node.attr) if path else ()
    return ()


def stray(path: Path, kinds: Mapping[str, Any] = KINDS) -> tuple[str, Collection[str]] | None:
    """The first part of a path that what stands before it does not have, and the parts it has.

    >>> stray(("mme", "orders", "*", "label")), stray(("mme", "perday"))[0], stray(("threshold", "x"))[0]
    (None, 'perday', 'x')
    """
    word, *rest = path
    kind = LoopContext if word == _LOOP else kinds.get(word, Number)
    for part in rest:
        kind, each = _bare(kind)
        if part == EACH:
            kind = each
            continue
        known = _parts(kind)
        if part not in known:
            return part, known.keys()
        kind = known[part]
    return None


def _bare(kind: Any) -> tuple[Any, Any]:
    """A kind without "or none", and what a `for` finds in it."""
    if get_origin(kind) in (Union, UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    return (tuple, get_args(kind)[0]) if get_origin(kind) is tuple else (kind, object)


@cache
def _parts(kind: type) -> Mapping[str, Any]:
    """What may be read of a kind, and of what kind each is."""
    hints = get_type_hints(kind)
    names = {name for name in (*dir(kind), *hints) if not name.startswith("_")}
    found = {name: getattr(kind, name, None) for name in names}
    return {
        name: hints.get(name) or _returned(value)
        for name, value in found.items()
        if name in hints or not callable(value)
    }


def _returned(value: Any) -> Any:
    """What a property is; of anything else nothing more is read."""
    function = getattr(value, "fget", None) or getattr(value, "func", None)
    return get_type_hints(function).get("return", object) if function else object
