"""Dates as FHIR sends them: whole or partial, so a date is an interval of days. Pure."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from cds_service.frozen import Frozen

FAR_PAST, FAR_FUTURE = date.min, date.max
_FIRST_YEAR, _LAST_YEAR = 1800, 2999  # so that spans can be added to any date
_IN_EVERY_MONTH = 28  # days


class FuzzyDate(Frozen):
    """The days a date may mean, both ends included; a whole date has `first == last`."""

    first: date
    last: date

    @property
    def exact(self) -> bool:
        """Whether the date is a single day."""
        return self.first == self.last

    def age(self, as_of: date) -> tuple[int, int]:
        """Least and greatest age in days on `as_of`; negative in the future.

        >>> FuzzyDate(date(2025, 5, 1), date(2025, 5, 31)).age(date(2025, 6, 1))
        (1, 31)
        """
        return (as_of - self.last).days, (as_of - self.first).days

    def __str__(self) -> str:
        if self.exact:
            return self.first.isoformat()
        if (self.first.month, self.first.day, self.last.month) == (1, 1, 12):
            return f"{self.first.year:04d}"
        return f"{self.first.year:04d}-{self.first.month:02d}"


def on(day: date) -> FuzzyDate:
    """A whole date."""
    return FuzzyDate(day, day)


def fuzzy(text: str) -> FuzzyDate | None:
    """Read `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or a dateTime (its date part as written); None if
    unreadable.

    >>> str(fuzzy("2025-02")), fuzzy("2025-02").last.day, fuzzy("yesterday"), fuzzy("9999-12-31")
    ('2025-02', 28, None, None)
    """
    return None if stands_for_none(text) else _as_written(text)


def stands_for_none(text: str) -> bool:
    """Whether it is what systems write that have no date: of a year no chart speaks of.

    >>> [stands_for_none(text) for text in ("0001-01-01", "1753-01-01", "9999-12-31", "2025", "soon")]
    [True, True, True, False, False]
    """
    year = text[:4]
    return year.isascii() and year.isdigit() and not _FIRST_YEAR <= int(year) <= _LAST_YEAR


def _as_written(text: str) -> FuzzyDate | None:
    try:
        if len(text) >= 10:
            day = date.fromisoformat(text[:10])
            return FuzzyDate(day, day)
        if len(text) == 7 and text[4] == "-":
            year, month = int(text[:4]), int(text[5:])
            end = calendar.monthrange(year, month)[1]
            return FuzzyDate(date(year, month, 1), date(year, month, end))
        if len(text) == 4:
            return FuzzyDate(date(int(text), 1, 1), date(int(text), 12, 31))
    except ValueError:
        return None
    return None


def within(when: FuzzyDate | None, as_of: date, most: int, least: int = 0) -> bool | None:
    """Whether `when` lies `least` to `most` days before `as_of`, both ends included; None if it
    cannot be told.

    >>> as_of = date(2025, 6, 16)
    >>> within(on(date(2025, 6, 1)), as_of, 15), within(on(date(2025, 5, 31)), as_of, 15)
    (True, False)
    >>> within(fuzzy("2025"), date(2025, 6, 16), 15) is None
    True
    """
    if when is None:
        return None
    low, high = when.age(as_of)
    if least <= low and high <= most:
        return True
    if high < least or low > most:
        return False
    return None


def months_before(day: date, months: int) -> date:
    """The same calendar day `months` months earlier, or the last day of that month.

    >>> months_before(date(2025, 5, 31), 3)
    datetime.date(2025, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    if day.day <= _IN_EVERY_MONTH:
        return date(year, month + 1, day.day)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def years_between(born: date, as_of: date) -> int:
    """Completed years of age."""
    return as_of.year - born.year - ((as_of.month, as_of.day) < (born.month, born.day))


class Span(Frozen):
    """A half-open run of days: `start` is in it, `end` is not. `end` None means open."""

    start: date
    end: date | None = None

    def covers(self, day: date) -> bool:
        """Whether `day` lies in the span."""
        return self.start <= day and (self.end is None or day < self.end)


def span_of(start: date, days: int) -> Span:
    """`days` days beginning with `start`; saturates at the end of the calendar."""
    try:
        return Span(start, start + timedelta(days=days))
    except OverflowError:
        return Span(start, FAR_FUTURE)
