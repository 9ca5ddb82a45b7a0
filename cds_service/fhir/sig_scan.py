"""Scan the words of a free-text instruction from left to right; a word not understood ends the
reading.

Each `_match` looks a few tokens ahead, so the time grows with the length of the text and no faster.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from cds_service.fhir import sig_words as words
from cds_service.fhir.sig_cursor import Cursor, Part
from cds_service.fhir.units import COUNT, days_of

_AND = frozenset({"and", "plus", "&"})
_STOPS = frozenset({",", ";", ".", ":", "(", ")"})
_OTHER_INGREDIENT = frozenset({"acetaminophen", "apap", "tylenol", "ibuprofen", "aspirin"})


def scan_words(tokens: tuple[str, ...]) -> Cursor | None:
    """The doses found, or None when some token was not understood."""
    scan = Cursor(tokens)
    while scan.place < len(tokens):
        if not any(match(scan) for match in _MATCHES):
            return None
    return scan


def _match_stop(scan: Cursor) -> bool:
    if scan.take_any(_STOPS):
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
    scan.take_any(("may", "can", "should", "please", "patient"))
    if not scan.take_any(words.VERBS):
        scan.place = start
    return scan.place > start


def _match_dose(scan: Cursor) -> bool:
    """`1-2 tablets`, `up to 2 tablets`, `a patch`, `2` before a moment of the day."""
    start = scan.place
    scan.take("up", "to")
    found = (Fraction(1), Fraction(1)) if scan.take_any(("a", "an")) else scan.number_range()
    if found is None:
        scan.place = start
        return False
    unit = scan.unit()
    bare = unit is None and scan.peek() in (
        "at",
        "in",
        "every",
        "each",
        "with",
        "qhs",
        "qam",
        "qpm",
    )
    if unit is None and not (bare and scan.part.unit is not None):
        scan.place = start
        return False
    previous = scan.part
    if previous.amount is not None:
        if not previous.timed:
            scan.place = start
            return False
        scan.steps[-1].append(Part(joined=scan.joined))
    scan.part.amount, scan.part.unit = found[1], unit or previous.unit
    scan.joined = ""
    scan.take("total")
    _total(scan)
    return True


def _total(scan: Cursor) -> None:
    """`(20 mg total)`, `(10-20 mg total)` after the dose."""
    start = scan.place
    if scan.take("("):
        found = scan.number_range()
        unit = scan.unit() if found is not None else None
        if found is not None and unit is not None:
            total = bool(scan.take_any(("total", "dose")))
            if scan.take(")"):
                if (total or scan.part.amount == 1) and unit.kind in ("mg", "mcg"):
                    scan.part.total = (found[1], unit)
                return
    scan.place = start


def _match_times(scan: Cursor) -> bool:
    """`4 times daily`, `2-3 x a day`, `twice a day`, `up to 4 times per day`."""
    start = scan.place
    limit = scan.take("up", "to") or bool(scan.take_phrase(words.LIMITS))
    said = scan.take_any(words.TIMES)
    most = words.TIMES.get(said)
    if most is None:
        found = scan.number_range()
        if found is not None and scan.take_any(("times", "time", "x", "doses", "dose")):
            most = found[1]
    period = scan.per_period() if most is not None else None
    if most is None or period is None:
        scan.place = start
        once_first = said == "once" and not limit
        return (
            once_first
            and scan.take("once")
            and scan.peek() in ("every", "at", "in", "nightly", "each", "q")
        )
    if limit:
        scan.part.most_times = most / period
    else:
        scan.part.rates.add(most / period)
    return True


def _match_every(scan: Cursor) -> bool:
    """`every 4 to 6 hours`, `q6h`, `every other day`, `every day`: the shortest interval."""
    start = scan.place
    if not scan.take_any(("every", "q", "each")):
        return False
    ordinal = words.ORDINALS.get(scan.peek())
    if ordinal is not None:
        scan.place += 1
        found: tuple[Fraction, Fraction] | None = (Fraction(ordinal), Fraction(ordinal))
    else:
        found = scan.number_range()
        scan.take_any(("rd", "nd", "th"))
    period = days_of(scan.peek()) if scan.peek() else None
    if period is None or (found is not None and found[0] <= 0):
        scan.place = start
        return False
    scan.place += 1
    scan.part.rates.add(1 / (period * (found[0] if found else 1)))
    return True


def _match_rate(scan: Cursor) -> bool:
    """`daily`, `bid`, `per day`."""
    abbreviation = scan.take_any(words.ABBREVIATIONS)
    if abbreviation:
        scan.part.rates.add(words.ABBREVIATIONS[abbreviation])
        return True
    if scan.part.amount is None:
        return False
    period = scan.per_period()
    if period is not None:
        scan.part.rates.add(1 / period)
    return period is not None


def _match_moment(scan: Cursor) -> bool:
    """`in the morning`, `at bedtime`, `every night`; a bare moment only after another one."""
    start = scan.place
    lead = scan.take_any(("in", "at", "every", "each", "with", "before", "q", "after"))
    scan.take("the")
    moment = words.MOMENTS.get(scan.peek())
    if moment is None or not (lead or scan.part.moments or scan.peek() in words.MOMENTS_ALONE):
        scan.place = start
        return False
    scan.place += 1
    scan.part.moments.add(moment)
    return True


def _match_as_needed(scan: Cursor) -> bool:
    found = any(
        scan.take(*p) for p in (("as", "needed"), ("if", "needed"), ("when", "needed"), ("prn",))
    )
    if found:
        scan.part.as_needed = True
        scan.take("for")
        _reason(scan)
    return found


def _match_limit(scan: Cursor) -> bool:
    """`max 8 tablets per day`; one in grams of another ingredient is passed over."""
    start = scan.place
    limit = scan.take_phrase(words.LIMITS)
    daily = "daily" in limit or "mdd" in limit
    if not limit and not (scan.part.amount and scan.take("up", "to")):
        return False
    scan.take(":")
    found = scan.number_range()
    unit = scan.unit() if found is not None else None
    if unit is None and scan.part.unit is not None and scan.part.unit.kind == COUNT:
        unit = scan.part.unit  # "max 8 per day"
    other = _other_ingredient(scan)
    scan.take("total")
    period = scan.per_period() or (Fraction(1) if daily else None)
    other = _other_ingredient(scan) or other
    if found is None or unit is None or period is None:
        scan.place = start
        return False
    if not other:
        scan.part.cap = (found[1] / period, unit)
    return True


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


def _match_reason(scan: Cursor) -> bool:
    if scan.peek() == "for" and scan.peek(1) in words.REASONS:
        scan.place += 1
        _reason(scan)
        return True
    return False


def _reason(scan: Cursor) -> None:
    """`moderate pain (4-6) or severe pain (7-10)`: words for the complaint, each with its score."""
    while scan.take_any(words.REASONS) or _score(scan):
        pass


def _score(scan: Cursor) -> bool:
    start = scan.place
    if scan.take("("):
        while scan.take_any(words.REASONS):
            pass
        scored = scan.number_range() is not None or scan.place > start + 1
        if scored and scan.take(")"):
            return True
    scan.place = start
    return False


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
    if scan.take_phrase(words.HARMLESS):
        return True
    # Meals say how often unless something else does; then they only say when.
    if not scan.part.rates:
        return False
    meals = any(scan.take(lead, "meals") for lead in ("with", "before", "after"))
    return meals or bool(scan.take_any(("ac", "pc")))


_MATCHES: tuple[Callable[[Cursor], bool], ...] = (
    _match_harmless,
    _match_times,
    _match_every,
    _match_limit,
    _match_duration,
    _match_dose,
    _match_moment,
    _match_rate,
    _match_as_needed,
    _match_reason,
    _match_route,
    _match_verb,
    _match_stop,
)
