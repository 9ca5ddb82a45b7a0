"""How often and how long, from the structured timing of an instruction, read at its most
aggressive.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from cds_service.clinical.dates import FuzzyDate, Span, fuzzy, span_of
from cds_service.fhir.r4_dosage import (
    CodeableConcept,
    Dosage,
    Period,
    Quantity,
    Repeat,
    Timing,
    as_list,
    plain_number,
)
from cds_service.fhir.sig_text import read_frequency
from cds_service.fhir.units import days_of, first_days
from cds_service.frozen import Frozen

# A dose more often than every quarter of an hour, or a course of over ten years, is a fault of the
# record.
MOST_PER_DAY = 96
MOST_DAYS = 3660

# HL7 v3 GTSAbbreviation and the timing codes that EHRs put in its place, in doses a day.
_CODES: dict[str, Fraction] = {
    "QD": Fraction(1), "DAILY": Fraction(1), "QDAY": Fraction(1), "OD": Fraction(1), "BID": Fraction(2),
    "TID": Fraction(3), "QID": Fraction(4), "QOD": Fraction(1, 2), "AM": Fraction(1), "PM": Fraction(1),
    "QAM": Fraction(1), "QPM": Fraction(1), "BED": Fraction(1), "HS": Fraction(1), "QHS": Fraction(1),
    "WK": Fraction(1, 7), "MO": Fraction(1, 30),
    **{f"Q{hours}H": Fraction(24, hours) for hours in (1, 2, 3, 4, 6, 8, 12, 24, 48, 72)},
    # SNOMED CT: once daily, twice a day, three and four times daily.
    "229797004": Fraction(1), "229799001": Fraction(2), "229798009": Fraction(3), "307439001": Fraction(4),
}  # fmt: skip
_SEMANTIC_TAG = "(qualifier value)"
# Events of timing.repeat.when that stand for every meal; each other event happens once a day.
_MEALS = frozenset({"C", "AC", "PC"})


class Rhythm(Frozen):
    """Doses a day, None when not said; `fault` when what is said cannot be."""

    per_day: Fraction | None = None
    fault: str = ""


def rhythm(timing: Timing | None) -> Rhythm:
    """Doses a day by the rule, the times of day or the code, whichever is most."""
    if timing is None:
        return Rhythm()
    said = _by_repeat(timing.repeat) if timing.repeat is not None else Rhythm()
    if said.fault:
        return said
    coded = _by_code(timing.code) if timing.code is not None else None
    found = [per_day for per_day in (said.per_day, coded) if per_day is not None]
    if not found:
        return Rhythm()
    if max(found) > MOST_PER_DAY:
        return Rhythm(fault="the frequency is not believable")
    return Rhythm(max(found))


def _by_repeat(repeat: Repeat) -> Rhythm:
    """The greatest frequency in the shortest period; else times of day or events; on so
    many days a week.
    """
    numbers = (repeat.frequency_max, repeat.frequency, repeat.period, repeat.period_max)
    if any(n is not None and (plain_number(n) is None or n <= 0) for n in numbers):
        return Rhythm(fault="the frequency is not a positive number")
    counts = [n for n in (repeat.frequency, repeat.frequency_max) if n is not None]
    frequency = max(counts, default=None)
    times, weekdays = _times(repeat), len(set(as_list(repeat.day_of_week)))
    unit = days_of(repeat.period_unit) if repeat.period_unit else None
    if repeat.period is not None and unit is not None:
        shortest = min(n for n in (repeat.period, repeat.period_max) if n is not None)
        period = Fraction(shortest) * unit
        doses = Fraction(1 if frequency is None else frequency)
        return Rhythm(_in_period(doses, period, times, weekdays))
    if repeat.period is not None or (frequency is not None and frequency > times):
        return Rhythm()  # a number without its period says nothing sure
    if times or weekdays:
        return Rhythm(Fraction(max(times, 1)) * Fraction(weekdays or 7, 7))
    return Rhythm()


def _in_period(doses: Fraction, period: Fraction, times: int, weekdays: int) -> Fraction:
    if period >= 1:
        doses = max(doses, Fraction(times))
    if period == 7:
        return max(doses, Fraction(weekdays * max(times, 1))) / 7
    return doses / period * (Fraction(weekdays, 7) if weekdays and period <= 1 else 1)


def _times(repeat: Repeat) -> int:
    events = set(as_list(repeat.when))
    return max(
        len(set(as_list(repeat.time_of_day))), sum(3 if event in _MEALS else 1 for event in events)
    )


def _by_code(concept: CodeableConcept | str) -> Fraction | None:
    """Doses a day by a timing code in any system, its display or the text; the greatest of
    several.
    """
    if isinstance(concept, str):
        concept = CodeableConcept(text=concept)
    found = []
    for coding in concept.codings:
        code = (coding.code or "").strip().upper().replace(".", "")
        per_day = _CODES.get(code)
        for text in (coding.display, coding.code):
            if per_day is None and text:
                per_day = read_frequency(text.replace(_SEMANTIC_TAG, ""))
        if per_day is not None:
            found.append(per_day)
    if not found and concept.text:
        per_day = _CODES.get(concept.text.strip().upper()) or read_frequency(concept.text)
        return per_day
    return max(found, default=None)


def duration_days(quantity: Quantity | None) -> int | None:
    """A duration in whole days, rounded up; None where it cannot be told.

    >>> from decimal import Decimal
    >>> duration_days(Quantity(value=Decimal(2), unit="weeks")), duration_days(Quantity(value=Decimal(30)))
    (14, None)
    """
    days = exact_days(quantity)
    return None if days is None else ceil(days)


def exact_days(quantity: Quantity | None) -> Fraction | None:
    """A duration in days; None if it is absent, of an unknown unit, or not believable."""
    if quantity is None or quantity.number is None or quantity.number <= 0:
        return None
    unit = first_days(quantity.units)
    if unit is None:
        return None
    days = Fraction(quantity.number) * unit
    return days if days <= MOST_DAYS else None


def bounds_days(timing: Timing | None, per_day: Fraction | None) -> int | None:
    """How many days an instruction is followed, by its bounds or its count of doses; None
    if not said.
    """
    repeat = timing.repeat if timing is not None else None
    if repeat is None:
        return None
    days = duration_days(repeat.bounds_duration)
    if days is None and repeat.bounds_range is not None:
        days = duration_days(repeat.bounds_range.high)
    if days is None and repeat.bounds_period is not None:
        days = period_days(repeat.bounds_period)
    count = plain_number(repeat.count if repeat.count_max is None else repeat.count_max)
    if days is None and count is not None and count > 0 and per_day:
        counted = ceil(Fraction(count) / per_day)
        days = counted if counted <= MOST_DAYS else None
    return days


def period_days(period: Period) -> int | None:
    """Days from start to end of a period: a date as end is included, midnight as end is not."""
    ends = period_ends(period)
    if ends is None:
        return None
    days = (ends[1].first - ends[0].first).days
    if "T00:00" not in (period.end or ""):
        days += 1
    return days if 0 < days <= MOST_DAYS else None


def days_of_bounds(dosages: tuple[Dosage, ...]) -> Span | None:
    """The days on which instructions are followed, where each says from when until when."""
    found = []
    for dosage in dosages:
        repeat = dosage.timing.repeat if dosage.timing is not None else None
        period = repeat.bounds_period if repeat is not None else None
        ends = period_ends(period) if period is not None else None
        if ends is None:
            return None
        found.append((ends[0].first, ends[1].first))
    return Span(min(first for first, _ in found), span_of(max(last for _, last in found), 1).end)


def first_day(dosages: tuple[Dosage, ...]) -> FuzzyDate | None:
    """The day on which instructions begin, by the dates they name or the bounds they keep to."""
    timings = [dosage.timing for dosage in dosages if dosage.timing is not None]
    said = [text for timing in timings for text in as_list(timing.event)]
    bounds = [timing.repeat.bounds_period for timing in timings if timing.repeat is not None]
    said += [period.start for period in bounds if period is not None and period.start]
    return min(filter(None, map(fuzzy, said)), key=lambda day: day.first, default=None)


def period_ends(period: Period) -> tuple[FuzzyDate, FuzzyDate] | None:
    """Both ends of a period whose dates are whole."""
    start, end = fuzzy(period.start or ""), fuzzy(period.end or "")
    if start is None or end is None or not (start.exact and end.exact):
        return None
    return start, end
