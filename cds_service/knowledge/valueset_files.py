"""Value set files `valuesets/<name>.yaml`: lines `SYSTEM#code Display`, prefixes
`ICD10CM#M54.5*`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cds_service.errors import KnowledgeError
from cds_service.knowledge.code_shapes import ICD_PREFIX, SHAPES
from cds_service.knowledge.codes import Code, ValueSet
from cds_service.knowledge.files import Shelf
from cds_service.knowledge.model import ndc11
from cds_service.knowledge.reading import Reading
from cds_service.knowledge.strict_yaml import Loaded

_LINE = "SYSTEM#code Display, such as ICD10CM#M54.5* Low back pain"


@dataclass(slots=True)
class Draft:
    """A value set as its file says, before other sets are taken in or out."""

    loaded: Loaded
    exact: set[Code] = field(default_factory=set)
    prefixes: set[Code] = field(default_factory=set)
    displays: dict[Code, str] = field(default_factory=dict)
    lines: dict[Code, int] = field(default_factory=dict)


def read_drafts(
    reading: Reading,
    shelves: tuple[Shelf, ...],
    system_names: Mapping[str, str],
    sources: Iterable[str],
) -> dict[str, Draft]:
    """Every value set file by name; one of a later shelf replaces ours."""
    found: dict[str, Draft] = {}
    for shelf in shelves:
        for path, loaded in reading.documents(shelf, "valuesets"):
            data = loaded.data
            reading.unknown(loaded, ("source",), "source", data["source"], sources, "sources")
            reading.reviewed(loaded, ("reviewed",), f"value set {path.stem}", data["reviewed"])
            found[path.stem] = _draft(reading, loaded, system_names)
    return found


def _draft(reading: Reading, loaded: Loaded, system_names: Mapping[str, str]) -> Draft:
    draft = Draft(loaded)
    for line, text in code_lines(loaded):
        try:
            code, is_prefix, display = read_code(text, system_names)
        except ValueError as error:
            what, allowed = error.args
            reading.faults.append(KnowledgeError(loaded.file, line, what, allowed))
            continue
        codes = draft.prefixes if is_prefix else draft.exact
        if code in codes:
            reading.faults.append(
                KnowledgeError(loaded.file, line, f"{code} stands here twice", "once")
            )
        codes.add(code)
        draft.lines.setdefault(code, line)
        if display:
            draft.displays.setdefault(code, display)
    return draft


def code_lines(loaded: Loaded) -> Iterator[tuple[int, str]]:
    """The code lines of a value set file with their line numbers; empty and comment lines
    left out.
    """
    codes = loaded.data.get("codes", ())
    if isinstance(codes, str):
        start = loaded.line(("codes",)) + 1
        numbered = [(start + index, text) for index, text in enumerate(codes.split("\n"))]
    else:
        numbered = [(loaded.line(("codes", index)), text) for index, text in enumerate(codes)]
    for line, text in numbered:
        stripped = text.strip()
        if stripped and stripped[0] != "#":
            yield line, stripped


def read_code(text: str, system_names: Mapping[str, str]) -> tuple[Code, bool, str]:
    """The code of a line, whether it is a prefix, and its display.

    Raises ValueError(what, allowed).
    """
    head, _, display = text.partition(" ")
    system, hash_sign, written = head.rpartition("#")
    if not hash_sign or not system or not written or "#" in system:
        raise ValueError(f"the code line {text[:40]!r}", _LINE)
    short = system_names.get(system, system)
    if short not in SHAPES:
        if ":" not in system:
            raise ValueError(
                f"unknown code system {system!r}", ", ".join(sorted(SHAPES)) + ", or a URL"
            )
        return Code(system, written), False, display.strip()
    if short != system:
        raise ValueError(f"the code system {system!r}", f"its short name {short}")
    is_prefix = written.endswith("*")
    code = written.rstrip("*")
    if is_prefix and (short != "ICD10CM" or not written[:-1] == code):
        raise ValueError(
            f"the prefix {written!r} of {short}", "prefixes of ICD10CM, one * at the end"
        )
    return Code(short, _shaped(short, code, is_prefix)), is_prefix, display.strip()


def _shaped(system: str, code: str, is_prefix: bool) -> str:
    """The code as facts hold it, if it looks like one of its system."""
    shape, allowed = SHAPES[system]
    plain = code
    if system == "ICD10CM":
        if is_prefix:
            shape = ICD_PREFIX
        plain = code.replace(".", "", 1)
        if code.find(".") not in (-1, 3):
            raise ValueError(f"the point in {code!r}", "after the third character, or none")
    elif system == "NDC":
        plain = ndc11(code)
    if not shape.fullmatch(plain):
        raise ValueError(f"{code!r} as a code of {system}", allowed)
    return plain


def resolve(reading: Reading, drafts: Mapping[str, Draft]) -> dict[str, ValueSet]:
    """The value sets with their includes and excepts worked in."""
    done: dict[str, ValueSet] = {}
    for name in drafts:
        _resolved(reading, drafts, name, done, ())
    return done


def _resolved(
    reading: Reading,
    drafts: Mapping[str, Draft],
    name: str,
    done: dict[str, ValueSet],
    above: tuple[str, ...],
) -> ValueSet:
    if name in done:
        return done[name]
    draft = drafts[name]
    data, loaded = draft.loaded.data, draft.loaded
    sets: dict[str, list[ValueSet]] = {"include": [], "except": []}
    for key, found in sets.items():
        for index, other in enumerate(data.get(key, ())):
            place = (key, index)
            if other in (*above, name):
                reading.faults.append(
                    loaded.fault(place, f"{other!r} is made of itself", "no circle")
                )
            elif not reading.unknown(loaded, place, "value set", other, drafts, "valuesets"):
                found.append(_resolved(reading, drafts, other, done, (*above, name)))
    own = ValueSet(name, exact=frozenset(draft.exact), prefixes=frozenset(draft.prefixes))
    _refuse_contradiction(reading, loaded, [own, *sets["include"]], sets["except"])
    done[name] = _merged(draft, own, sets["include"], sets["except"])
    return done[name]


def _refuse_contradiction(
    reading: Reading, loaded: Loaded, parts: list[ValueSet], excepted: list[ValueSet]
) -> None:
    """A code that one included set leaves out and another holds has no clear reading."""
    for part in parts:
        for code in part.without | part.without_prefixes:
            for other in parts:
                if other is not part and code in other:
                    what = f"{code} is in {other.name} and left out of {part.name}"
                    reading.faults.append(loaded.fault(("include",), what, "sets that agree"))
    for other in excepted:
        if other.without or other.without_prefixes:
            what = f"the excepted set {other.name} leaves codes out itself"
            reading.faults.append(loaded.fault(("except",), what, "a set without except"))


def _merged(
    draft: Draft, own: ValueSet, included: list[ValueSet], excepted: list[ValueSet]
) -> ValueSet:
    parts = [own, *included]
    displays: dict[Code, str] = {}
    for part in included:
        displays |= part.displays
    exact = frozenset().union(*(part.exact for part in parts))
    if excepted:
        exact = frozenset(code for code in exact if not any(code in other for other in excepted))
    empty: frozenset[Code] = frozenset()
    return ValueSet(
        name=own.name,
        says=draft.loaded.data["says"],
        source=draft.loaded.data["source"],
        exact=exact,
        prefixes=empty.union(*(part.prefixes for part in parts)),
        without=empty.union(
            *(part.without for part in parts), *(other.exact for other in excepted)
        ),
        without_prefixes=empty.union(
            *(part.without_prefixes for part in parts), *(other.prefixes for other in excepted)
        ),
        displays=displays | draft.displays,
    )
