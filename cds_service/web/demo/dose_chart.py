"""Opioid dose over twelve months as SVG, readable without seeing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from markupsafe import Markup

Series = Sequence[tuple[date, Fraction]]
_WIDTH, _HEIGHT = 560, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 38, 548, 34, 184
_STEPS = (10, 20, 25, 50, 100, 200, 500)
_MOST_LINES = 5


@dataclass(frozen=True, slots=True)
class Step:
    """A dose that holds from a day on, both days included."""

    start: date
    end: date
    dose: Decimal


def steps_of(series: Series) -> tuple[Step, ...]:
    """The series as runs of equal doses."""
    runs: list[Step] = []
    for day, value in series:
        dose = _shown(value)
        if runs and runs[-1].dose == dose:
            runs[-1] = Step(runs[-1].start, day, dose)
        else:
            runs.append(Step(day, day, dose))
    return tuple(runs)


def dose_chart(series: Series, limit: Decimal, unread: Sequence[tuple[date, date]] = ()) -> Markup:
    """A step line of MME a day with a dashed line at `limit`; `series` has one value a day, no
    gaps.

    `unread` are the days, the last not included, on which an opioid was taken that the line does
    not count.
    """
    runs = steps_of(series)
    frame = _Frame(series[0][0], len(series), _top(max([limit, *(run.dose for run in runs)])))
    parts = (
        f'<svg class="dose-chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-labelledby="dose-title dose-desc" xmlns="http://www.w3.org/2000/svg">',
        '<title id="dose-title">Opioid dose over twelve months</title>',
        f'<desc id="dose-desc">{_described(runs, limit, unread)}</desc>',
        *_unread(frame, unread),
        *_grid(frame),
        *_line(frame, runs),
        *_limit_line(frame, limit),
        "</svg>",
    )
    return Markup("".join(parts))  # only numbers and dates of our own went in


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a day and a dose stand in the picture."""

    start: date
    days: int
    most: Decimal

    def x(self, day: date) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (day - self.start).days / self.days

    def y(self, dose: Decimal | int) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * float(dose / self.most)


def _top(highest: Decimal) -> Decimal:
    step = _step(highest)
    return Decimal(step) * (int(highest * Decimal("1.1")) // step + 1)


def _step(highest: Decimal) -> int:
    return next((step for step in _STEPS if highest / step <= _MOST_LINES), _STEPS[-1])


def _grid(frame: _Frame) -> Iterator[str]:
    step = _step(frame.most)
    yield '<text class="tick" x="2" y="16">MME a day</text>'
    for dose in range(0, int(frame.most) + 1, step):
        y = frame.y(dose)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{dose}</text>'
    last = date.fromordinal(frame.start.toordinal() + frame.days - 1)
    first = frame.start.replace(day=1)
    for number in range(0, 13, 3):
        month = _later(first, number)
        if frame.start <= month <= last:
            x = frame.x(month)
            anchor = "start" if x < _LEFT + 10 else "end" if x > _RIGHT - 30 else "middle"
            place = f'x="{x:.1f}" y="{_BOTTOM + 18}" text-anchor="{anchor}"'
            name = f"{month:%b %Y}" if number in (0, 12) else f"{month:%b}"
            yield f'<text class="tick" {place}>{name}</text>'


def _later(month: date, number: int) -> date:
    years, place = divmod(month.month - 1 + number, 12)
    return date(month.year + years, place + 1, 1)


def _line(frame: _Frame, runs: Sequence[Step]) -> Iterator[str]:
    path = [f"M{frame.x(runs[0].start):.1f} {frame.y(runs[0].dose):.1f}"]
    for run in runs:
        path.append(f"V{frame.y(run.dose):.1f}H{frame.x(run.end) + _day(frame):.1f}")
    line = "".join(path)
    yield f'<path class="area" d="{line}V{_BOTTOM}H{_LEFT}Z"/><path class="dose" d="{line}"/>'


def _day(frame: _Frame) -> float:
    return (_RIGHT - _LEFT) / frame.days


def _limit_line(frame: _Frame, limit: Decimal) -> Iterator[str]:
    y = frame.y(limit)
    yield f'<line class="limit" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    yield f'<text class="limit-label" x="{_LEFT + 6}" y="{y - 5:.1f}">caution from {limit:f}</text>'


def _unread(frame: _Frame, unread: Sequence[tuple[date, date]]) -> Iterator[str]:
    if unread:
        yield '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse">'
        yield '<path class="hatch" d="M-1 8L8 -1"/></pattern></defs>'
    for start, end in unread:
        left, right = frame.x(start), frame.x(end)
        place = f'x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}" height="{_BOTTOM - _TOP}"'
        yield f'<rect fill="url(#hatch)" {place}/>'


def _described(runs: Sequence[Step], limit: Decimal, unread: Sequence[tuple[date, date]]) -> str:
    highest = max(runs, key=lambda run: run.dose)
    spans = ", ".join(f"from {_day_text(start)} to {_day_text(end)}" for start, end in unread)
    return (
        f"MME a day from {_day_text(runs[0].start)} to {_day_text(runs[-1].end)}. "
        f"Highest {highest.dose:f}, from {_day_text(highest.start)}; on the last day {runs[-1].dose:f}. "
        f"The dashed line marks {limit:f} MME a day."
        f"{f' An opioid that is not counted was ordered {spans}.' if spans else ''}"
    )


def _day_text(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _shown(value: Fraction) -> Decimal:
    rounded = round(Decimal(value.numerator) / Decimal(value.denominator), 2)
    return (
        rounded.quantize(Decimal(1))
        if rounded == rounded.to_integral_value()
        else rounded.normalize()
    )
