"""What a rule said of a case, and how that differs from what the case expects. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cds_service.cases.load import Case, Expected
from cds_service.clinical.criteria import Indicator, Status


@dataclass(frozen=True, slots=True)
class Said:
    """One criterion, met or unknown. `text` is the card that says so, None on a road
    without cards.
    """

    status: Status
    indicator: Indicator
    because: frozenset[str] = frozenset()
    text: str | None = None


def differences(case: Case, said: Mapping[str, Said]) -> list[str]:
    """Every difference, in words; `said` are the criteria of the case's rule, of all if it
    is alone.
    """
    expected = {one.criterion: one for one in case.then}
    found = [
        f"{name}: not expected, said {said[name].status}" for name in said if name not in expected
    ]
    for name, one in expected.items():
        if name not in said:
            found.append(f"{name}: expected {one.status}, said nothing")
        else:
            found.extend(f"{name}: {fault}" for fault in _faults(one, said[name]))
    return found


def _faults(one: Expected, said: Said) -> Iterator[str]:
    if said.status is not one.status:
        yield f"expected {one.status}, said {said.status}"
        return
    if one.indicator is not None and said.indicator is not one.indicator:
        yield f"expected {one.indicator}, said {said.indicator}"
    if one.because is not None and said.because != one.because:
        yield f"expected because {_list(one.because)}, said {_list(said.because)}"
    if one.says and said.text is not None and one.says.casefold() not in said.text.casefold():
        yield f"the card does not say {one.says!r}"


def _list(references: frozenset[str]) -> str:
    return ", ".join(sorted(references)) or "nothing"
