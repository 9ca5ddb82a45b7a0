"""What the code of a rule reads of the patient's record, found in the code, not declared by
hand. Pure.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

from cds_service.clinical.red_flags import emergency
from cds_service.clinical.rule import Rule

# Members of Patient that rules read; `ref` says nothing about the person, and whether the patient has
# died is asked before any rule.
PERSONAL = frozenset({"sex", "born", "disability"})
_OURS = "cds_service.clinical."


def personal(rule: Rule) -> frozenset[str]:
    """The members of Patient that a rule and all reasoning behind it read; age is read from
    `born`.
    """
    starts: list[Callable[..., Any]] = [rule.function, rule.applies, *rule.uses]
    if rule.routine:
        starts.append(emergency)
    found: set[str] = set()
    for function in _reached(starts):
        found |= set(_members(function.__code__))
    return frozenset(found)


def _reached(starts: list[Callable[..., Any]]) -> Iterator[FunctionType]:
    """The functions of clinical that `starts` lead to, each once."""
    seen: set[int] = set()
    stack: list[Any] = list(starts)
    while stack:
        found = stack.pop()
        if id(found) in seen or not str(getattr(found, "__module__", "")).startswith(_OURS):
            continue
        seen.add(id(found))
        if isinstance(found, FunctionType):
            yield found
            stack += [
                found.__globals__[name]
                for name in _names(found.__code__)
                if name in found.__globals__
            ]
        elif isinstance(found, type) and not found.__module__.endswith(".facts"):
            members = vars(found).values()
            stack += [m.fget if isinstance(m, property) else m for m in members]


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and those of the comprehensions and functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _names(code: CodeType) -> Iterator[str]:
    for each in _codes(code):
        yield from each.co_names


def _members(code: CodeType) -> Iterator[str]:
    """`facts.age`, and `sex`, `born` and `disability` of something called patient."""
    for each in _codes(code):
        before = ""
        for instruction in dis.get_instructions(each):
            if instruction.opname == "LOAD_ATTR":
                name = str(instruction.argval)
                if name == "age" and before == "facts":
                    yield "born"
                elif name in PERSONAL and before == "patient":
                    yield name
            if instruction.opname != "PRECALL":
                before = str(instruction.argval)
