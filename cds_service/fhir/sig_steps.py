"""What a free-text instruction says of doses that follow one another, replace or repeat one another."""

from __future__ import annotations

from fractions import Fraction

from cds_service.fhir import sig_phrases as phrases
from cds_service.fhir import sig_words as words
from cds_service.fhir.sig_cursor import Cursor, Part
from cds_service.fhir.units import days_of

_LABELS = {"day": 1, "days": 1, "week": 7, "weeks": 7, "wk": 7}
_A_LIST = 3  # two could be taken together
_BEFORE_A_LABEL = words.STOPS | {"", "then"}
_AFTER_A_LABEL = frozenset({":", "-", ",", "take"})


def match_then(scan: Cursor) -> bool:
    """`then`, `followed by`, `then reduce to`, `may increase to`: the next step."""
    start, told = scan.place, scan.part.amount is not None or scan.part.timed
    then = scan.take("then") or scan.take("followed", "by")
    changed = bool(scan.take_phrase(phrases.CHANGES))
    if not (then or changed) or not told or (scan.part.amount is None and len(scan.steps) == 1):
        scan.place = start
        return False
    scan.steps.append([Part(joined="to" if changed else "")])
    return True


def match_label(scan: Cursor) -> bool:
    """`week 1:`, `days 4-7:` before the dose of these days; days named twice make no steps, nor do days after
    a dose that does not say for which it is.
    """
    start, told = scan.place, scan.part.amount is not None or scan.part.timed
    first, last = _labelled(scan) or (0, 0)
    known = not told or any(part.days for part in scan.steps[-1])
    if not (scan.followed < first <= last) or not known:
        scan.place = start
        return False
    if told:
        scan.steps.append([Part()])
    scan.part.days, scan.followed = last - first + 1, last
    return True


def _labelled(scan: Cursor) -> tuple[int, int] | None:
    """The first and the last day that a label names."""
    before = scan.tokens[scan.place - 1] if scan.place else ""
    scan.take("on")
    size = _LABELS.get(scan.take_any(_LABELS))
    if size is None or before not in _BEFORE_A_LABEL:
        return None
    start, found = scan.place, scan.number_range()
    if scan.peek() not in _AFTER_A_LABEL:  # "week 1 - 2 tablets daily" is one week
        scan.place = start
        one = scan.number()
        found = None if one is None else (one, one)
    if found is None or scan.peek() not in _AFTER_A_LABEL or any(n.denominator > 1 for n in found):
        return None
    return int(found[0] - 1) * size + 1, int(found[1]) * size


def match_repeat(scan: Cursor) -> bool:
    """`may repeat once in 4 hours`, `repeat x1`: the dose again; how often only a maximum tells where no
    count does. `may repeat every 4 hours` is a rhythm.
    """
    part = scan.part
    if part.amount is None or not scan.take("repeat"):
        return False
    _ = scan.take("the", "dose") or scan.take("dose")
    part.as_needed = scan.take("if", "needed") or scan.take("as", "needed") or part.as_needed
    rhythm = scan.peek() in ("every", "q")
    counted = _again(scan)
    _later(scan)
    counted = counted or _again(scan)
    if counted is not None:
        part.repeats = counted
    elif not rhythm:
        part.repeats_open = True
    return True


def _again(scan: Cursor) -> Fraction | None:
    """`once`, `x 1`, `1 time`."""
    start = scan.place
    said = words.TIMES.get(scan.take_any(words.TIMES))
    if said is None:
        led = scan.take("x")
        number = scan.number()
        if number is not None and (scan.take_any(("time", "times", "x")) or led):
            said = number
    if said is None:
        scan.place = start
    return said


def _later(scan: Cursor) -> None:
    """`in 4 hours`, `after 1 to 2 hours`: before how long the dose is not taken again."""
    start = scan.place
    if scan.take_any(("in", "after")) and scan.number_range() and days_of(scan.peek() or " "):
        scan.place += 1
        scan.take("later")
    else:
        scan.place = start


def counted_alone(steps: list[list[Part]]) -> list[list[Part]]:
    """The steps, with those apart of which the greatest counts: doses for mild and for severe pain, and a
    list of doses that each say for how many days.
    """
    found: list[list[Part]] = []
    for parts in steps:
        if len(parts) > 1 and (_by_severity(parts) or _in_turn(parts)):
            found.extend([part] for part in parts)
        else:
            found.append(parts)
    return found


def _by_severity(parts: list[Part]) -> bool:
    """Whether each dose is for another severity of pain, at no moment of its own; one that says no rhythm
    has that of the others.
    """
    said = [severity for part in parts for severity in part.severities]
    moments = any(part.moments or part.clocks or part.meals for part in parts)
    if moments or not all(part.severities for part in parts) or len(said) > len(set(said)):
        return False
    timed = next((part for part in parts if part.timed), None)
    for part in parts:
        if timed is not None and not part.timed:
            part.timed_as(timed)
    return True


def _in_turn(parts: list[Part]) -> bool:
    """Whether three doses or more follow one another, each less or each more than the one before, each with
    its length: `3 tablets daily x 3 days, 2 tablets daily x 3 days, 1 tablet daily x 3 days`.
    """
    if len(parts) < _A_LIST or not all(
        part.days and len(part.rates) == 1 and not (part.moments or part.clocks or part.as_needed)
        for part in parts
    ):
        return False
    amounts = [(part.amount or 0) * max(part.rates) for part in parts]
    units = {part.unit for part in parts}
    return len(units) == 1 and amounts in (sorted(set(amounts)), sorted(set(amounts), reverse=True))
