"""Scan the words of a free-text instruction from left to right; a word not understood ends the
reading.

Each `_match` looks a few tokens ahead, so the time grows with the length of the text and no faster.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from cds_service.fhir import sig_phrases as phrases
from cds_service.fhir import sig_words as words
from cds_service.fhir.sig_asides import match_as_needed, match_note, match_reason
from cds_service.fhir.sig_cursor import Cursor, Part, least
from cds_service.fhir.sig_dose import match_dose
from cds_service.fhir.sig_steps import match_label, match_repeat, match_then
from cds_service.fhir.sig_times import (
    match_clock,
    match_daily,
    match_every,
    match_moment,
    match_rate,
    match_times,
)
from cds_service.fhir.units import COUNT, Unit, days_of

_AFTER_A_BARE_LENGTH = frozenset({"", ",", ";", ".", ")", "#", "then"})
_AFTER_A_LIMIT = frozenset({"", ",", ";", ".", ")", "!", "*"})
_OTHER_INGREDIENT = frozenset({"acetaminophen", "apap", "tylenol", "ibuprofen", "aspirin"})


def scan_words(tokens: tuple[str, ...], first: Part) -> Cursor | None:
    """The doses found, or None when some token was not understood; `first` holds what is known of
    the first one.
    """
    scan = Cursor(tokens, first)
    while scan.place < len(tokens):
        if not any(match(scan) for match in _MATCHES):
            return None
    return scan


def _match_stop(scan: Cursor) -> bool:
    if scan.take_any(words.STOPS):
        scan.joined = ""  # "and avoid alcohol. 2 tablets" joins no doses
        return True
    if scan.take_any(words.AND):
        scan.joined = "and"
        return scan.peek() != "then" or match_then(scan)
    return False


def _match_verb(scan: Cursor) -> bool:
    start = scan.place
    while scan.take_phrase(phrases.VERB_LEADS):
        pass
    scan.take_any(words.VERBS)
    return scan.place > start


def _match_limit(scan: Cursor) -> bool:
    """`max 8 tablets per day`; one in grams of another ingredient is passed over."""
    start = scan.place
    first = _other_ingredient(scan)
    limit = scan.take_phrase(phrases.LIMITS)
    daily = "daily" in limit or "mdd" in limit
    if not limit and (first or not (scan.part.amount and scan.take("up", "to"))):
        scan.place = start
        return False
    first = _other_ingredient(scan) or first
    scan.take_any((":", "=", "#"))
    found = scan.number_range()
    unit = _limited_unit(scan) if found is not None else None
    other = _other_ingredient(scan) or first
    scan.take("total")
    period = scan.per_period() or (Fraction(1) if daily else None)
    other = _other_ingredient(scan) or other
    if found is None or unit is None or (unit.kind == COUNT if other else period is None):
        scan.place = start
        return False
    if not other and period is not None:
        part, most = scan.part, (found[1] / period, unit)
        if limit:
            part.cap = least(part.cap, most)
        else:
            part.up_to = least(part.up_to, most)
    return True


def _limited_unit(scan: Cursor) -> Unit | None:
    """What a daily maximum counts: the unit after its number, else what the dose counts."""
    counted = scan.part.unit if scan.part.unit and scan.part.unit.kind == COUNT else None
    return scan.unit() or counted


def _match_limit_after(scan: Cursor) -> bool:
    """`3/day max`, `40 mg daily maximum`, `4 tablets max per day` at the end of what is said."""
    start = scan.place
    found = scan.number_range()
    unit = _limited_unit(scan) if found is not None else None
    period = scan.per_period()
    if scan.take_any(("max", "maximum")):
        period = period or scan.per_period()
        if found is not None and unit is not None and period and scan.peek() in _AFTER_A_LIMIT:
            scan.part.cap = least(scan.part.cap, (found[1] / period, unit))
            return True
    scan.place = start
    return False


def _other_ingredient(scan: Cursor) -> bool:
    start = scan.place
    scan.take_any(("of", "from"))
    if not scan.take_any(_OTHER_INGREDIENT):
        scan.place = start
    return scan.place > start


def _match_duration(scan: Cursor) -> bool:
    """`for 7 days`, `x 5 days`, `for up to 2 weeks`, `max 5 days`, `daily 30 days`; hours are no
    duration of a course.
    """
    start = scan.place
    if _supply(scan):
        return True
    led = bool(scan.take_any(("for", "x", "times")))
    led = scan.take("up", "to") or bool(scan.take_phrase(phrases.LIMITS)) or led
    _ = scan.take("the", "next") or (led and scan.take("a") and scan.take_phrase(phrases.LIMITS))
    found = scan.number_range() if led or scan.part.timed else None
    if found is not None and led and _so_many_doses(scan):
        return True
    period = days_of(scan.peek()) if found is not None and scan.peek() else None
    days = Fraction(0) if found is None or period is None or period < 1 else found[1] * period
    if not days or days.denominator != 1:
        scan.place = start
        return False
    scan.place += 1
    scan.take("total")
    if _part_of_a_period(scan, days) or not (led or scan.peek() in _AFTER_A_BARE_LENGTH):
        scan.place = start
        return False
    if led or scan.part.rates != {1 / days}:  # "every 72 hours (3 days)" says it again
        scan.part.days = int(days)
    return True


def _part_of_a_period(scan: Cursor, days: Fraction) -> bool:
    """`5 days a week`: on which days, no length of a course."""
    start = scan.place
    period = scan.per_period()
    scan.place = start
    return period is not None and days < period


def _so_many_doses(scan: Cursor) -> bool:
    """`for 20 doses`: how many in all, which says nothing about a day."""
    start = scan.place
    if scan.part.timed and scan.take_any(("dose", "doses")) and scan.per_period() is None:
        return True
    scan.place = start
    return False


def _supply(scan: Cursor) -> bool:
    """`7 day supply`, `7-day supply`, `intended supply: 5 days`."""
    start = scan.place
    intended = scan.take("intended", "supply", ":")
    number = scan.number()
    scan.take("-")
    period = days_of(scan.peek()) if number and scan.peek() else None
    days = number * period if number is not None and period is not None else Fraction(0)
    named = intended or scan.peek(1) == "supply"
    if not named or days < 1 or days.denominator != 1:
        scan.place = start
        return False
    scan.place += 1 if intended else 2
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
    match_note,
    _match_harmless,
    match_label,
    match_repeat,
    match_daily,
    _match_limit_after,
    match_times,
    match_every,
    _match_limit,
    _match_duration,
    match_clock,
    match_dose,
    match_moment,
    match_rate,
    match_as_needed,
    match_reason,
    _match_route,
    _match_verb,
    match_then,
    _match_stop,
)
