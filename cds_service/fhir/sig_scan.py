"""Scan the words of a free-text instruction from left to right; a word not understood ends the
reading.

Each `_match` looks a few tokens ahead, so the time grows with the length of the text and no faster.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import chain

from cds_service.fhir import sig_phrases as phrases
from cds_service.fhir import sig_words as words
from cds_service.fhir.sig_asides import match_as_needed, match_note, match_reason
from cds_service.fhir.sig_cursor import Cursor, Part
from cds_service.fhir.sig_times import (
    match_clock,
    match_daily,
    match_every,
    match_moment,
    match_rate,
    match_times,
)
from cds_service.fhir.units import COUNT, MCG, MG, Unit, days_of

_AND = frozenset({"and", "plus", "&"})
_MOST_COUNTED = 3
_OTHER_INGREDIENT = frozenset({"acetaminophen", "apap", "tylenol", "ibuprofen", "aspirin"})


def scan_words(tokens: tuple[str, ...]) -> Cursor | None:
    """The doses found, or None when some token was not understood."""
    scan = Cursor(tokens)
    while scan.place < len(tokens):
        if not any(match(scan) for match in _MATCHES):
            return None
    return scan


def _match_stop(scan: Cursor) -> bool:
    if scan.take_any(words.STOPS):
        return True
    if scan.take("then") or scan.take("followed", "by"):
        if scan.part.amount is None:
            return False
        scan.steps.append([Part()])
        return True
    if scan.take_any(_AND):
        scan.joined = "and"
        if scan.peek() == "then":
            return _match_stop(scan)
        return True
    return False


def _match_verb(scan: Cursor) -> bool:
    start = scan.place
    while scan.take_phrase(phrases.VERB_LEADS):
        pass
    scan.take_any(words.VERBS)
    return scan.place > start


def _match_dose(scan: Cursor) -> bool:
    """`1-2 tablets`, `up to 2 tablets`, `a patch`, `2` before a moment of the day."""
    start = scan.place
    scan.take("up", "to")
    one = scan.take_any(("a", "an")) or (scan.peek() == "patch" and scan.part.amount is None)
    found = (Fraction(1), Fraction(1)) if one else scan.number_range()
    if found is None:
        scan.place = start
        return False
    unit = scan.unit() or _counted(scan, found[1])
    if unit is None:
        scan.place = start
        return False
    found = (found[0], _upper_end(scan, found[1], unit))
    previous = scan.part
    if previous.amount is not None:
        if not previous.timed:
            scan.place = start
            return False
        scan.steps[-1].append(Part(joined=scan.joined))
    scan.part.amount, scan.part.unit = found[1], unit
    scan.joined = ""
    scan.take("total")
    _total(scan)
    return True


def _counted(scan: Cursor, number: Fraction) -> Unit | None:
    """The unit of a bare number: that of the dose before it, or one of the product, as in
    `1-2 po q6h`.
    """
    earlier, following = scan.part.unit, scan.peek()
    if earlier is not None:
        return earlier if following in words.AFTER_A_COUNT else None
    measured = any(p.unit is not None and p.unit.kind != COUNT for p in chain(*scan.steps))
    if measured or number > _MOST_COUNTED or following not in words.AFTER_A_BARE_COUNT:
        return None
    return Unit(COUNT)


def _upper_end(scan: Cursor, number: Fraction, unit: Unit) -> Fraction:
    """The upper end of `5 mg - 10 mg`, `1 tablet to 2 tablets`."""
    start = scan.place
    if scan.take_any(("-", "to", "or")):
        scan.take("up", "to")
        high = scan.number()
        if high is not None and high > number and scan.unit() == unit:
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
        unit = scan.unit() if found is not None else None
        if found is not None and unit is not None:
            total = bool(scan.take_any(("total", "dose")))
            if scan.take(")"):
                if (total or scan.part.amount == 1) and unit.kind in (MG, MCG):
                    scan.part.total = (found[1], unit)
                return
    scan.place = start


def _match_limit(scan: Cursor) -> bool:
    """`max 8 tablets per day`; one in grams of another ingredient is passed over."""
    start = scan.place
    limit = scan.take_phrase(phrases.LIMITS)
    daily = "daily" in limit or "mdd" in limit
    if not limit and not (scan.part.amount and scan.take("up", "to")):
        return False
    scan.take_any((":", "=", "#"))
    found = scan.number_range()
    unit = scan.unit() if found is not None else None
    if unit is None and scan.part.unit is not None and scan.part.unit.kind == COUNT:
        unit = scan.part.unit  # "max 8 per day"
    other = _other_ingredient(scan)
    scan.take("total")
    period = scan.per_period() or (Fraction(1) if daily else None)
    other = _other_ingredient(scan) or other
    if found is None or unit is None or (period is None and not other):
        scan.place = start
        return False
    if not other and period is not None:
        _limit(scan.part, found[1] / period, unit)
    return True


def _limit(part: Part, most: Fraction, unit: Unit) -> None:
    """The least of several daily maxima in one unit."""
    earlier = part.cap
    if earlier is None or earlier[1] != unit or most < earlier[0]:
        part.cap = (most, unit)


def _other_ingredient(scan: Cursor) -> bool:
    start = scan.place
    scan.take_any(("of", "from"))
    if not scan.take_any(_OTHER_INGREDIENT):
        scan.place = start
    return scan.place > start


def _match_duration(scan: Cursor) -> bool:
    """`for 7 days`, `x 5 days`, `for up to 2 weeks`, `up to 5 days`; hours are no duration of a
    course.
    """
    start = scan.place
    if _supply(scan):
        return True
    lead = scan.take_any(("for", "x", "times"))
    if not scan.take("up", "to") and not lead:
        return False
    scan.take("the", "next")
    found = scan.number_range()
    period = days_of(scan.peek()) if found is not None and scan.peek() else None
    if found is None or period is None or period < 1 or (found[1] * period).denominator != 1:
        scan.place = start
        return False
    scan.place += 1
    scan.part.days = int(found[1] * period)
    return scan.part.days > 0


def _supply(scan: Cursor) -> bool:
    """`7 day supply`, `7-day supply`."""
    start = scan.place
    number = scan.number()
    scan.take("-")
    period = days_of(scan.peek()) if number and scan.peek() else None
    days = number * period if number is not None and period is not None else Fraction(0)
    if scan.peek(1) != "supply" or days < 1 or days.denominator != 1:
        scan.place = start
        return False
    scan.place += 2
    scan.part.days = int(days)
    return True


def _match_route(scan: Cursor) -> bool:
    start = scan.place
    if scan.take_any(words.ROUTE_LEADS):
        scan.take("the")
    route = words.ROUTES.get(scan.peek(), "")
    if not route:
        scan.place = start
        return False
    scan.place += 1
    scan.take_any(("route", "area"))
    scan.part.routes.add(route)
    return True


def _match_harmless(scan: Cursor) -> bool:
    if scan.take_phrase(phrases.HARMLESS):
        return True
    # Meals say how often unless something else does; then they only say when.
    meals = bool(scan.take_phrase(phrases.MEALS))
    scan.part.meals = scan.part.meals or meals
    return meals


_MATCHES: tuple[Callable[[Cursor], bool], ...] = (
    _match_harmless,
    match_note,
    match_daily,
    match_times,
    match_every,
    _match_limit,
    _match_duration,
    match_clock,
    _match_dose,
    match_moment,
    match_rate,
    match_as_needed,
    match_reason,
    _match_route,
    _match_verb,
    _match_stop,
)
