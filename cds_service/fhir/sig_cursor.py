"""A cursor over the words of a free-text instruction: numbers, units, periods, and the
doses found so far.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from fractions import Fraction

from cds_service.fhir import sig_words as words
from cds_service.fhir.sig_phrases import Phrases
from cds_service.fhir.units import MCG_PER_HOUR, Unit, days_of, unit_of

# "8/24h" is no fraction, nor is a pain of 6/10.
_DENOMINATORS = ("2", "3", "4")
# No dose is due every 46 or 612 hours.
_QUARTER_OF_A_DAY, _HALF_A_DAY, _A_WEEK = Fraction(1, 4), Fraction(1, 2), 7
_BEFORE_A_FRACTION: tuple[tuple[str, ...], ...] = (
    (), ("-",), ("and",), ("and", "a"), ("and", "one"), ("and", "one", "-"),
)  # fmt: skip


@dataclass(slots=True)
class Part:
    """One dose with all that is said of it, as far as the scan has come."""

    amount: Fraction | None = None
    least: Fraction | None = None  # the lower end of a range
    unit: Unit | None = None
    total: tuple[Fraction, Unit] | None = None  # "2 tablets (10 mg total)"
    rates: set[Fraction] = field(default_factory=set)
    moments: set[str] = field(default_factory=set)
    clocks: set[Fraction] = field(default_factory=set)  # hours of the day
    meals: bool = False
    most_times: Fraction | None = None
    cap: tuple[Fraction, Unit] | None = None
    # "up to" so many times or so much a day: a maximum, or the upper end of a rate that is less.
    up_to_times: Fraction | None = None
    up_to: tuple[Fraction, Unit] | None = None
    as_needed: bool = False
    days: int | None = None
    routes: set[str] = field(default_factory=set)
    severities: set[str] = field(default_factory=set)  # of the pain it is for
    repeats: Fraction | None = None
    repeats_open: bool = False  # again, nobody says how many times
    joined: str = ""  # the word before it

    @property
    def often(self) -> bool:
        """Whether anything but a limit says how often."""
        return bool(self.rates or self.moments or self.clocks or self.meals or self.up_to_times)

    @property
    def timed(self) -> bool:
        """Whether anything says how often, or at most how often."""
        return self.often or bool(self.most_times)

    def timed_as(self, other: Part) -> None:
        """Take the rhythm of another dose."""
        self.rates, self.moments, self.clocks = other.rates, other.moments, other.clocks
        self.meals, self.up_to_times, self.most_times = (
            other.meals,
            other.up_to_times,
            other.most_times,
        )


def least(one: tuple[Fraction, Unit] | None, other: tuple[Fraction, Unit]) -> tuple[Fraction, Unit]:
    """The less of two daily maxima in one unit, else the other one."""
    return other if one is None or one[1] != other[1] or other[0] < one[0] else one


class Cursor:
    """A cursor over the tokens and the parts found; `steps` follow one another."""

    def __init__(self, tokens: tuple[str, ...], first: Part) -> None:
        self.tokens, self.place = tokens, 0
        self.steps: list[list[Part]] = [[first]]
        self.joined = ""
        self.followed = 0  # the last day that a step is for by its label

    @property
    def part(self) -> Part:
        """The dose being described."""
        return self.steps[-1][-1]

    def peek(self, ahead: int = 0) -> str:
        """A token further on, empty past the end."""
        at = self.place + ahead
        return self.tokens[at] if at < len(self.tokens) else ""

    def take(self, *phrase: str) -> bool:
        """Move past `phrase` if it comes next."""
        if self.tokens[self.place : self.place + len(phrase)] != phrase:
            return False
        self.place += len(phrase)
        return True

    def take_phrase(self, phrases: Phrases) -> tuple[str, ...]:
        """Move past the first of `phrases` that comes next and return it, or return nothing."""
        for phrase in phrases.get(self.peek(), ()):
            if self.take(*phrase):
                return phrase
        return ()

    def take_any(self, options: Container[str]) -> str:
        """Move past one of `options` and return it, or return nothing."""
        token = self.peek()
        if token and token in options:
            self.place += 1
            return token
        return ""

    def number(self) -> Fraction | None:
        """A number: numeral, word, fraction, mixed number; said again in brackets it must agree."""
        start = self.place
        value = self._plain_number()
        if value is None:
            return None
        end = self.place
        again = self._plain_number() if self.take("(") else None
        if again is None or not self.take(")"):
            self.place = end
        elif again != value:
            self.place = start
            return None
        return value

    def _plain_number(self) -> Fraction | None:
        value = words.number_of(self.peek()) if self.peek() else None
        if value is None:
            return None
        self.place += 1
        if self.peek() == "/" and self.peek(1) in _DENOMINATORS and value < int(self.peek(1)):
            value /= int(self.peek(1))
            self.place += 2
        elif value == 1 and (self.take("-", "half") or self.take("half")):
            value = Fraction(1, 2)
        elif value.denominator == 1:
            value += self._fraction_after()
        if value == Fraction(1, 2):
            self.take("of")
            self.take_any(("a", "an"))
        return value

    def _fraction_after(self) -> Fraction:
        """`1 1/2`, `1½`, `1-1/2`, `1 and 1/2`, `one and a half`, `one and one-half`."""
        if self.take("½"):
            return Fraction(1, 2)
        for lead in _BEFORE_A_FRACTION:
            size = len(lead)
            if self.tokens[self.place : self.place + size] != lead:
                continue
            if self.peek(size) in ("half", "½") and lead not in ((), ("-",)):
                self.place += size + 1
                return Fraction(1, 2)
            if self.tokens[self.place + size : self.place + size + 3] in (
                ("1", "/", "2"),
                ("1", "/", "4"),
            ):
                below = int(self.peek(size + 2))
                self.place += size + 3
                return Fraction(1, below)
        return Fraction(0)

    def number_range(self) -> tuple[Fraction, Fraction] | None:
        """A number, or two with `-`, `to` or `or` between; the lower first. Said again in brackets it
        must agree.
        """
        found = self._plain_range()
        start = self.place
        if found is not None and found[0] < found[1] and self.take("("):
            again = self._plain_range()
            if again is None or not self.take(")"):
                self.place = start
            elif again != found:
                return None
        return found

    def _plain_range(self) -> tuple[Fraction, Fraction] | None:
        low = self.number()
        if low is None:
            return None
        start = self.place
        if self.take_any(("-", "to", "or")):
            self.take("up", "to")
            high = self.number()
            if high is not None and high > low:
                return low, high
            self.place = start
        return low, low

    def unit(self) -> Unit | None:
        """A unit of dose, also a rate (`mcg/hr`)."""
        found = unit_of(self.peek()) if self.peek() else None
        if found is None or (self.peek() == "each" and _names_a_time(self.peek(1))):
            return None
        self.place += 1
        if (
            self.peek() in ("/", "per")
            and found.kind in ("mg", "mcg")
            and days_of(self.peek(1)) == Fraction(1, 24)
        ):
            self.place += 2
            self.take_any(("patch", "patches"))
            return Unit(MCG_PER_HOUR, found.scale * (1000 if found.kind == "mg" else 1))
        return found

    def time_unit(self, *, counted: bool) -> Fraction | None:
        """The time unit that comes next, in days; `mon` without a count is the day of the week."""
        named = self.peek()
        return days_of(named) if named and (counted or named != "mon") else None

    def per_period(self) -> Fraction | None:
        """`a day`, `per day`, `daily`, `/day`, `in 24 hours`, `weekly`: the period in days."""
        start = self.place
        if self.take_any(("daily", "qd")):
            return Fraction(1)
        if self.take("weekly"):
            return Fraction(7)
        if not self.take_any(("a", "per", "each", "every", "/", "in", "an", "within", "over")):
            return None
        self.take_any(("a", "any"))
        count = self.number()
        self.take("-")
        period = self.time_unit(counted=count is not None)
        run_together = period and count and hours_run_together(count * period, period)
        if period is None or count == 0 or run_together:
            self.place = start
            return None
        self.place += 1
        self.take("period")
        return period if count is None else count * period


def _names_a_time(word: str) -> bool:
    """Whether `each` before `word` says how often, so that it counts nothing."""
    return word in words.MOMENTS or days_of(word) is not None


def hours_run_together(interval: Fraction, unit: Fraction) -> bool:
    """Whether an interval in days, counted in a unit, is one whose hyphen was lost: `q46h`, `q612h`."""
    if interval > _A_WEEK:
        return unit < 1
    return interval > _HALF_A_DAY and bool(interval % _QUARTER_OF_A_DAY)
