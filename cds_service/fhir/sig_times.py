"""How often a free-text instruction says a dose is taken: counts, intervals, moments, the clock."""

from __future__ import annotations

from fractions import Fraction

from cds_service.fhir import sig_phrases as phrases
from cds_service.fhir import sig_words as words
from cds_service.fhir.sig_cursor import Cursor, Part, hours_run_together
from cds_service.fhir.units import days_of

_RANGE = ("-", "to", "or")


def match_times(scan: Cursor) -> bool:
    """`4 times daily`, `2-3 x a day`, `twice a day`, `up to 4 times per day`."""
    start = scan.place
    up_to = scan.take("up", "to")
    limit = not up_to and bool(scan.take_phrase(phrases.LIMITS))
    said = scan.take_any(words.TIMES)
    most = words.TIMES.get(said)
    if most is not None and scan.peek() in _RANGE and scan.peek(1) in words.TIMES:
        most = max(most, words.TIMES[scan.peek(1)])
        scan.place += 2
    if most is None:
        before = scan.take("x")  # "x5 daily"
        found = scan.number_range()
        if found is not None and (scan.take_any(("times", "time", "x", "doses", "dose")) or before):
            most = found[1]
    period = None
    if most is not None:
        period = Fraction(1) if scan.take("day") else scan.per_period()
    if most is None or period is None:
        scan.place = start
        once_first = said == "once" and not (limit or up_to)
        return (
            once_first
            and scan.take("once")
            and scan.peek() in ("every", "at", "in", "nightly", "each", "q")
        )
    part, often = scan.part, most / period
    if limit:
        part.most_times = min(part.most_times or often, often)
    elif up_to:
        part.up_to_times = min(part.up_to_times or often, often)
    else:
        part.rates.add(often)
    return True


def match_every(scan: Cursor) -> bool:
    """`every 4 to 6 hours`, `q6h`, `every other day`, `every day`: the shortest interval."""
    start = scan.place
    if _hourly(scan):
        return True
    _ = scan.take("up", "to") or scan.take_phrase(phrases.LIMITS)
    if not scan.take_any(("every", "q", "each")):
        scan.place = start
        return False
    ordinal = words.ORDINALS.get(scan.peek())
    if ordinal is not None:
        scan.place += 1
        found: tuple[Fraction, Fraction] | None = (Fraction(ordinal), Fraction(ordinal))
    else:
        found = scan.number_range()
        scan.take_any(("rd", "nd", "th"))
    period = scan.time_unit(counted=found is not None)
    if period is not None:
        scan.place += 1
    elif found is not None and found[0] in words.SPELLED_WITHOUT_HOURS:
        period = Fraction(1, 24)
    if period is None or (found is not None and found[0] <= 0):
        scan.place = start
        return False
    interval = period * (found[0] if found else 1)
    if hours_run_together(interval, period):
        scan.place = start
        return False
    scan.part.rates.add(1 / min(interval, _other_interval(scan) or interval))
    return True


def _hourly(scan: Cursor) -> bool:
    """`6 hourly`, `4-6 hrly`: the shortest interval."""
    start = scan.place
    found = scan.number_range()
    scan.take("-")
    if found is not None and scan.take_any(("hourly", "hrly")):
        interval = found[0] / 24
        if interval > 0 and not hours_run_together(interval, Fraction(1, 24)):
            scan.part.rates.add(1 / interval)
            return True
    scan.place = start
    return False


def _other_interval(scan: Cursor) -> Fraction | None:
    """The second half of `every 4 hours to 6 hours`, `q4h-q6h`, `every 6 to 4 hours`, in days."""
    start = scan.place
    if scan.take_any(_RANGE):
        scan.take_any(("every", "q"))
        count = scan.number()
        period = days_of(scan.peek() or " ")
        if count and period is not None:
            scan.place += 1
            return count * period
    scan.place = start
    return None


def match_daily(scan: Cursor) -> bool:
    """`1 tablet po daily max 3 per day`, where `daily` says how often and begins no `daily max`."""
    part, before = scan.part, scan.tokens[scan.place - 1] if scan.place else ""
    said = part.timed or part.as_needed or before in words.STOPS
    if said or part.amount is None or not scan.take("daily", "max"):
        return False
    scan.place -= 1
    part.rates.add(words.ABBREVIATIONS["daily"])
    return True


def match_rate(scan: Cursor) -> bool:
    """`daily`, `bid`, `up to qid`, `per day`."""
    start = scan.place
    up_to = scan.take("up", "to")
    abbreviation = scan.take_any(words.ABBREVIATIONS)
    if abbreviation:
        part, most = scan.part, words.ABBREVIATIONS[abbreviation]
        if scan.peek() in (*_RANGE, "/") and scan.peek(1) in words.ABBREVIATIONS:
            most = max(most, words.ABBREVIATIONS[scan.peek(1)])
            scan.place += 2
        if up_to:
            part.up_to_times = min(part.up_to_times or most, most)
        else:
            part.rates.add(most)
        return True
    scan.place = start
    if scan.part.amount is None:
        return False
    period = scan.per_period()
    if period is not None:
        scan.part.rates.add(1 / period)
    return period is not None


def match_moment(scan: Cursor) -> bool:
    """`in the morning`, `at bedtime`, `every night`; a bare moment only after another one."""
    start, part = scan.place, scan.part
    if _added(scan) and (part.rates or part.clocks) and not (part.moments or part.meals):
        return False
    lead = scan.take_any(("in", "at", "every", "each", "with", "before", "q", "after"))
    scan.take("the")
    moment = words.MOMENTS.get(scan.peek())
    alone = scan.peek() in words.MOMENTS_ALONE or (
        scan.part.amount is not None and scan.peek() in words.MOMENTS_AFTER_A_DOSE
    )
    if moment is None or not (lead or scan.part.moments or alone):
        scan.place = start
        return False
    scan.place += 1
    scan.part.moments.add(moment)
    return True


def _added(scan: Cursor) -> bool:
    """Whether what comes next is one more time: `daily and at bedtime`, `at 8 am and at bedtime`."""
    return scan.place > 0 and scan.tokens[scan.place - 1] in words.AND


def match_clock(scan: Cursor) -> bool:
    """`at 8 am and 8 pm`, `at 0800`, `08:00`: times of the clock."""
    start, part = scan.place, scan.part
    if _added(scan) and (part.rates or part.moments) and not part.clocks:
        return False
    lead = scan.take("at")
    hour, minute = scan.peek(), ""
    if not (hour.isascii() and hour.isdigit() and len(hour) in (1, 2, 4)):
        scan.place = start
        return False
    scan.place += 1
    if scan.peek() == ":" and len(scan.peek(1)) == 2 and scan.peek(1).isdigit():
        minute = scan.peek(1)
        scan.place += 2
    half = scan.take_any(("am", "pm"))
    sure = lead or part.clocks
    if len(hour) == 4:
        told = bool(half or minute or sure)
    else:
        told = bool(minute or (half and (sure or not _may_count(part, int(hour)))))
    if not told:
        scan.place = start
        return False
    part.clocks.add(_hour(hour, minute, half))
    return True


def _may_count(part: Part, number: int) -> bool:
    """Whether the number before `am` could count the product: `1 tablet am, 2 pm`, not `1 tablet 2 pm`."""
    return number <= words.MOST_COUNTED and (part.amount is None or part.timed)


def _hour(hour: str, minute: str, half: str) -> Fraction:
    """The hour of the day, its minutes as a part of it.

    >>> _hour("8", "", "pm"), _hour("0830", "", ""), _hour("12", "", "am")
    (Fraction(20, 1), Fraction(17, 2), Fraction(0, 1))
    """
    if len(hour) == 4:
        hour, minute = hour[:2], hour[2:]
    past = int(hour)
    if half:
        past = past % 12 + (12 if half == "pm" else 0)
    return past + Fraction(int(minute or 0), 60)
