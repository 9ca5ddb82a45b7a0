"""Read `tests/cases/<rule>.yaml`: charts in shorthand and what one rule says of each. Strict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cds_service.cases.chart import Chart, chart
from cds_service.cases.words import LineError
from cds_service.clinical.criteria import Indicator, Status
from cds_service.clinical.facts import Need
from cds_service.knowledge.strict_yaml import Loaded, Route, load
from cds_service.protocol.services import ORDER_HOOKS, ORDER_SELECT, SERVICES

_FILE_KEYS = ("rule", "as_of", "hook", "patient", "cases")
_CASE_KEYS = (
    "name",
    "why",
    "as_of",
    "hook",
    "patient",
    "given",
    "withheld",
    "selected",
    "then",
    "alone",
    "answer",
)
_THEN_KEYS = ("criterion", "status", "indicator", "says", "because")
_KINDS: Mapping[str, tuple[type, str]] = {
    "rule": (str, "text"),
    "hook": (str, "text"),
    "name": (str, "text"),
    "why": (str, "text"),
    "says": (str, "text"),
    "patient": (Mapping, "a mapping"),
    "answer": (Mapping, "a mapping"),
    "cases": (list, "a list"),
    "given": (list, "a list"),
    "withheld": (list, "a list"),
    "selected": (list, "a list of line numbers"),
    "then": (list, "a list"),
    "because": (list, "a list of line numbers"),
}
_STATUSES = (Status.MET.value, Status.UNKNOWN.value)


@dataclass(frozen=True, slots=True)
class Expected:
    """One criterion that a rule is to say. `because` None leaves the references free."""

    criterion: str
    status: Status
    indicator: Indicator | None
    says: str = ""
    because: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One worked case of one rule."""

    rule: str
    name: str
    why: str
    as_of: date
    hook: str
    chart: Chart
    withheld: frozenset[Need]
    selected: tuple[str, ...] | None
    then: tuple[Expected, ...]
    alone: bool
    answer: Mapping[
        str, Any
    ]  # places in the answer (`extension.cds-service.mme.perDay`) and what stands there
    file: str
    line: int

    @property
    def service(self) -> str:
        """The service that speaks the rule's card on the case's hook."""
        return next(s.id for s in SERVICES if self.rule in s.cards.get(self.hook, ()))

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.name}"


def load_cases(path: Path, systems: Mapping[str, str]) -> tuple[Case, ...]:
    """The cases of one file; `systems` maps short code system names to URLs. Raises
    KnowledgeError.
    """
    loaded = load(path, path.name)
    data = loaded.data
    _only(loaded, (), data, _FILE_KEYS, needed=("rule", "cases"))
    if data["rule"].replace("-", "_") != path.stem:
        raise loaded.fault(
            ("rule",),
            f"the rule {data['rule']!r} is not the file's name",
            path.stem.replace("_", "-"),
        )
    found = tuple(_case(loaded, index, systems) for index in range(len(data["cases"])))
    names = [case.name for case in found]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise loaded.fault(("cases", index), f"a second case called {name!r}")
    return found


def case_files(folder: Path) -> tuple[Path, ...]:
    """The case files of a folder, by name."""
    return tuple(sorted(folder.glob("*.yaml")))


def _case(loaded: Loaded, index: int, systems: Mapping[str, str]) -> Case:
    data, route = loaded.data, ("cases", index)
    said = data["cases"][index]
    _only(loaded, route, said, _CASE_KEYS, needed=("name", "then"))
    hook = said.get("hook", data.get("hook"))
    as_of = said.get("as_of", data.get("as_of"))
    if not isinstance(as_of, date):
        raise loaded.fault(route, "no as_of date", "as_of: 2026-03-01 in the case or in the file")
    if not any(data["rule"] in service.cards.get(hook, ()) for service in SERVICES):
        raise loaded.fault(route, f"no service speaks {data['rule']} on {hook!r}")
    given = said.get("given", [])
    try:
        drawn = chart({**data.get("patient", {}), **said.get("patient", {})}, tuple(given), systems)
    except LineError as error:
        raise loaded.fault((*route, "given"), str(error)) from None
    if drawn.drafts and hook not in ORDER_HOOKS:
        raise loaded.fault((*route, "given"), f"a draft on {hook}", ", ".join(ORDER_HOOKS))
    return Case(
        rule=data["rule"],
        name=said["name"],
        why=said.get("why", ""),
        as_of=as_of,
        hook=hook,
        chart=drawn,
        withheld=frozenset(_need(loaded, route, word) for word in said.get("withheld", ())),
        selected=_selected(loaded, route, hook, said, drawn),
        then=tuple(
            _expected(loaded, (*route, "then", n), one, drawn) for n, one in enumerate(said["then"])
        ),
        alone=said.get("alone", False),
        answer=said.get("answer", {}),
        file=loaded.file,
        line=loaded.line(route),
    )


def _selected(
    loaded: Loaded, route: Route, hook: str, said: Mapping[str, Any], drawn: Chart
) -> tuple[str, ...] | None:
    """On order-select the lines of `selected`, else every draft."""
    if hook != ORDER_SELECT:
        return None
    found = _lines(loaded, route, "selected", said, drawn)
    drafts = tuple(f"{draft['resourceType']}/{draft['id']}" for draft in drawn.drafts)
    return drafts if found is None else found


def _lines(
    loaded: Loaded, route: Route, key: str, said: Mapping[str, Any], drawn: Chart
) -> tuple[str, ...] | None:
    """The references of the lines whose numbers stand under a key; None without the key."""
    if key not in said:
        return None
    known = dict(enumerate(drawn.references, start=1))
    for number in said[key]:
        if type(number) is not int or number not in known:
            raise loaded.fault((*route, key), f"no line {number!r}", f"1 to {len(known)}")
    return tuple(known[number] for number in said[key])


def _need(loaded: Loaded, route: Route, word: str) -> Need:
    try:
        return Need(word)
    except ValueError:
        raise loaded.fault(
            (*route, "withheld"), f"no such need {word!r}", ", ".join(Need)
        ) from None


def _expected(loaded: Loaded, route: Route, said: Mapping[str, Any], drawn: Chart) -> Expected:
    _only(loaded, route, said, _THEN_KEYS, needed=("criterion",))
    status = said.get("status", Status.MET.value)
    if status not in _STATUSES:
        raise loaded.fault(route, f"no such status {status!r}", ", ".join(_STATUSES))
    if status == Status.MET.value and said.get("indicator") not in list(Indicator):
        raise loaded.fault(
            route, f"no such indicator {said.get('indicator')!r}", ", ".join(Indicator)
        )
    because = _lines(loaded, route, "because", said, drawn)
    return Expected(
        criterion=said["criterion"],
        status=Status(status),
        indicator=Indicator(said["indicator"]) if "indicator" in said else None,
        says=said.get("says", ""),
        because=None if because is None else frozenset(because),
    )


def _only(
    loaded: Loaded,
    route: Route,
    said: object,
    allowed: tuple[str, ...],
    needed: tuple[str, ...] = (),
) -> None:
    """Refuse anything but a mapping of allowed keys with the needed ones."""
    if not isinstance(said, Mapping):
        raise loaded.fault(route, "not a mapping", ", ".join(allowed))
    for key in said:
        if key not in allowed:
            raise loaded.fault((*route, key), f"unknown key {key!r}", ", ".join(allowed))
        kind, called = _KINDS.get(key, (object, ""))
        if not isinstance(said[key], kind):
            raise loaded.fault((*route, key), f"{key} is {said[key]!r}", called)
    for key in needed:
        if key not in said:
            raise loaded.fault(route, f"no {key!r}", ", ".join(allowed))
