"""How much a free-text instruction says is taken at once, and of what strength."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain

from cds_service.fhir import sig_words as words
from cds_service.fhir.sig_cursor import Cursor, Part
from cds_service.fhir.units import COUNT, MCG, MCG_PER_HOUR, MG, ML, Unit

_STRENGTHS_APART = 5


def match_dose(scan: Cursor) -> bool:
    """`1-2 tablets`, `up to 2 tablets`, `a patch`, `2` before a moment of the day."""
    start = scan.place
    scan.take("up", "to")
    one = scan.take_any(("a", "an")) or (scan.peek() == "patch" and scan.part.amount is None)
    found = (Fraction(1), Fraction(1)) if one else scan.number_range()
    if found is None:
        scan.place = start
        return False
    unit, each = scan.unit(), None
    if unit is None:
        each, unit = _strength_first(scan) or (None, _counted(scan, found[1]))
    if unit is None or not _believable(*found, unit):
        scan.place = start
        return False
    found = (found[0], _upper_end(scan, found[1], unit))
    previous = scan.part
    if previous.amount is not None:
        if not (previous.timed or previous.severities):
            scan.place = start
            return False
        scan.steps[-1].append(Part(joined=scan.joined))
    scan.part.amount, scan.part.unit = found[1], unit
    scan.part.least = found[0] if found[0] < found[1] else None
    scan.joined = ""
    if each is not None:
        scan.part.total = (each[0] * found[1], each[1])
    scan.take("total")
    _total(scan)
    return True


def _believable(low: Fraction, high: Fraction, unit: Unit) -> bool:
    """Whether the two ends can be one dose: none is no dose, `5-325 mg` two ingredients."""
    return high > 0 and (low == high or unit.kind == ML or high < _STRENGTHS_APART * low)


def _strength_first(scan: Cursor) -> tuple[tuple[Fraction, Unit], Unit] | None:
    """`5 mg tablets` after the number of them: the strength of each, and what is counted."""
    start = scan.place
    each = scan.number()
    strength = scan.unit() if each is not None else None
    unit = scan.unit() if strength is not None and strength.kind in (MG, MCG) else None
    if each and strength is not None and unit is not None and unit.kind == COUNT:
        return (each, strength), unit
    scan.place = start
    return None


def _counted(scan: Cursor, number: Fraction) -> Unit | None:
    """The unit of a bare number: that of the dose before it, or one of the product, as in
    `1-2 po q6h`.
    """
    earlier, following = scan.part.unit, scan.peek()
    if following in words.INITIALS and scan.peek(1) in ("po", "by"):
        scan.place += 1
        return Unit(COUNT, word=words.INITIALS[following])
    if earlier is not None:
        return earlier if following in words.AFTER_A_COUNT else None
    measured = any(p.unit is not None and p.unit.kind != COUNT for p in chain(*scan.steps))
    if measured or number > words.MOST_COUNTED or following not in words.AFTER_A_BARE_COUNT:
        return None
    return Unit(COUNT)


def _upper_end(scan: Cursor, number: Fraction, unit: Unit) -> Fraction:
    """The upper end of `5 mg - 10 mg`, `1 tablet to 2 tablets`."""
    start = scan.place
    if scan.take_any(("-", "to", "or")):
        scan.take("up", "to")
        high = scan.number()
        if high and high > number and scan.unit() == unit and _believable(number, high, unit):
            return high
    scan.place = start
    return number


def _total(scan: Cursor) -> None:
    """`(20 mg total)`, `(10-20 mg total)`, `of 10 mg`, `= 10 mg` after the dose."""
    start = scan.place
    if scan.take("of"):
        each = scan.number()
        strength = scan.unit() if each is not None else None
        counted = scan.part.unit is not None and scan.part.unit.kind == COUNT
        if each and strength is not None and strength.kind in (MG, MCG) and counted:
            scan.part.total = (each * (scan.part.amount or 1), strength)
            return
    elif scan.take("="):
        same = scan.number()
        unit = scan.unit() if same is not None else None
        if same is not None and unit is not None:
            if unit.kind in (MG, MCG):
                scan.part.total = (same, unit)
            return
    elif scan.take("(") or scan.take(".", "("):
        found = scan.number_range()
        several = scan.take("/") and scan.number() is not None
        unit = scan.unit() if found is not None else None
        several = _second_ingredient(scan) or several
        if found is not None and unit is not None:
            total = bool(scan.take_any(("total", "dose")))
            several = several or not _believable(*found, unit)
            if scan.take(")"):
                if (total or scan.part.amount == 1) and unit.kind in (MG, MCG) and not several:
                    scan.part.total = (found[1], unit)
                return
    elif _strength_after(scan) or _one_of_it(scan):
        return
    scan.place = start


def _second_ingredient(scan: Cursor) -> bool:
    """`/325 mg`, `-325 mg` after the strength of the first."""
    start = scan.place
    if scan.take_any(("/", "-")) and scan.number() is not None and scan.unit() is not None:
        return True
    scan.place = start
    return False


def _one_of_it(scan: Cursor) -> bool:
    """`10 mg, 1 tablet`: the same dose said twice; before more than one it could be the strength of
    each.
    """
    part = scan.part
    if part.unit is None or part.unit.kind not in (MG, MCG) or not scan.take(","):
        return False
    one, unit = scan.number(), scan.unit()
    return one == 1 and unit is not None and unit.kind == COUNT


def _strength_after(scan: Cursor) -> bool:
    """`1 tablet 5 mg`, `1 patch 25 mcg/hr`: after more than one it could be of each or of all."""
    found = scan.number_range()
    unit = scan.unit() if found is not None else None
    part = scan.part
    if found is None or unit is None or part.unit is None or part.unit.kind != COUNT:
        return False
    if unit.kind == MG and not _believable(*found, unit):
        return found[0] > 0  # of two ingredients: "7.5-325 mg"
    if unit.kind not in (MG, MCG, MCG_PER_HOUR) or not _believable(*found, unit):
        return False
    if part.amount == 1 and unit.kind != MCG_PER_HOUR:
        part.total = (found[1], unit)
    scan.take("total")
    return True
