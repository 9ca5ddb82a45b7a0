"""Read a free-text instruction, or give up: what is not wholly understood is not read at all.

Ranges, intervals and "as needed" count at their most aggressive reading.
"""

from __future__ import annotations

from fractions import Fraction

from cds_service.fhir import sig_words as words
from cds_service.fhir.sig_cursor import Cursor, Part, least
from cds_service.fhir.sig_phrases import MEALS_A_DAY
from cds_service.fhir.sig_scan import scan_words
from cds_service.fhir.sig_steps import counted_alone
from cds_service.fhir.units import MCG_PER_HOUR, Unit
from cds_service.frozen import Frozen


class SaidDose(Frozen):
    """One dose of a free-text instruction, `least` the lower end of a range. `per_day` None: only a
    patch or a maximum makes that readable.
    """

    amount: Fraction
    unit: Unit
    per_day: Fraction | None
    cap: tuple[Fraction, Unit] | None = None
    as_needed: bool = False
    total: tuple[Fraction, Unit] | None = None
    most_times: Fraction | None = None
    least: Fraction | None = None


class SaidSig(Frozen):
    """What a text says: steps that follow one another, of doses taken together."""

    steps: tuple[tuple[SaidDose, ...], ...]
    days: int | None = None
    route: str = ""


def read_text(text: str, *, timed: bool = False) -> SaidSig | None:
    """What the whole text says, or None. `timed`: how often is known, the text need not say it.

    >>> said = read_text("Take 1-2 tablets by mouth every 4 to 6 hours as needed. Max 8 tablets per day")
    >>> dose = said.steps[0][0]
    >>> str(dose.amount), dose.unit.word, str(dose.per_day), str(dose.cap[0]), dose.as_needed
    ('2', 'tablet', '6', '8', True)
    >>> read_text("Take as directed") is None, read_text("1 tablet every 6 hours or as told") is None
    (True, True)
    """
    return _said(_scanned(text, Part()), timed=timed)


def read_timing(text: str, amount: Fraction, unit: Unit, *, timed: bool = False) -> SaidSig | None:
    """What a text says of a dose known otherwise: how often or at most how much, else None. `timed`: as
    of `read_text`.

    >>> said = read_timing("every 4 hours as needed, max 4 per day", Fraction(1), Unit("unit"))
    >>> [(str(dose.per_day), str(dose.cap[0])) for dose in said.steps[0]]
    [('6', '4')]
    """
    said = _said(_scanned(text, Part(amount, unit=unit)), timed=timed)
    if said is None or any(len(step) > 1 for step in said.steps):
        return None
    every = [dose for step in said.steps for dose in step]
    return said if all(dose.per_day or dose.cap or dose.most_times for dose in every) else None


def _said(scan: Cursor | None, *, timed: bool) -> SaidSig | None:
    if scan is None:
        return None
    found = _successive(counted_alone(scan.steps))
    if found is None:
        return None
    steps = []
    for parts in found:
        doses = [_dose(part, timed) for part in parts]
        if not _together(parts) or any(dose is None for dose in doses):
            return None
        steps.append(tuple(dose for dose in doses if dose is not None))
    every = [part for parts in found for part in parts]
    routes = {route for part in every for route in part.routes}
    if len(routes) > 1:
        return None
    lengths = [max((p.days or 0 for p in parts), default=0) for parts in found]
    return SaidSig(tuple(steps), sum(lengths) if all(lengths) else None, next(iter(routes), ""))


class Aside(Frozen):
    """What a text says beside a dose that another instruction gives: nothing, or a daily maximum."""

    cap: tuple[Fraction, Unit] | None = None
    route: str = ""


def read_aside(text: str) -> Aside | None:
    """What a text says that is wholly understood and has neither dose, rate nor length, else None.

    >>> read_aside("Take with food"), read_aside("every 6 hours"), read_aside("as told")
    (Aside(cap=None, route=''), None, None)
    """
    scan = _scanned(text, Part()) if text else Cursor((), Part())
    if scan is None or len(scan.steps) > 1 or len(scan.steps[0]) > 1:
        return None
    part = scan.part
    if part.amount is not None or part.timed or part.days is not None or len(part.routes) > 1:
        return None
    return Aside(part.cap, next(iter(part.routes), ""))


def read_frequency(text: str) -> Fraction | None:
    """Doses a day of a text that says only how often, or None.

    >>> str(read_frequency("every 6 hours as needed")), read_frequency("1 tablet daily")
    ('4', None)
    """
    scan = _scanned(text, Part())
    if (
        scan is None
        or len(scan.steps) != 1
        or len(scan.steps[0]) != 1
        or scan.part.amount is not None
    ):
        return None
    return _per_day(scan.part)


def _scanned(text: str, first: Part) -> Cursor | None:
    found = words.tokens(text)
    return scan_words(found, first) if found else None


def _successive(steps: list[list[Part]]) -> list[list[Part]] | None:
    """The steps that follow one another; None where `then` could mean either.

    `2 in the morning, then 1 at bedtime` is one day, `twice daily, then 1 at bedtime` could be; `then
    twice daily` is the same dose again.
    """
    found = [steps[0]]
    for parts in steps[1:]:
        before, part = found[-1], parts[0]
        if part.amount is None and part.timed and len(parts) == len(before) == 1:
            part.amount, part.unit, part.total = before[0].amount, before[0].unit, before[0].total
        if part.joined == "to" and not part.timed and len(parts) == len(before) == 1:
            part.timed_as(before[0])
        if (
            part.joined == "to"
            or any(p.days for p in before)
            or not any(p.moments or p.clocks for p in (*before, *parts))
        ):
            found.append(parts)
        elif any(p.rates or not (p.moments or p.clocks) for p in (*before, *parts)):
            return None
        else:
            found[-1] = [*before, *parts]
    return found


def _per_day(part: Part) -> Fraction | None:
    """Doses a day; None when nothing says so or two statements disagree."""
    if len(part.rates) > 1:
        return None
    moments = _moments(part)
    if moments is None:
        return None
    rate = next(iter(part.rates), None)
    if rate is None:
        found = moments or part.most_times
    elif not moments or rate == moments or (part.meals and not part.moments):
        found = rate
    elif rate == 1:
        found = moments
    elif moments == 1 and rate < 1:  # "every other day at bedtime"
        found = rate
    else:
        return None
    # "twice daily, up to 3 times daily" is a range of which the upper end counts, "every 4 hours, up to 3
    # times daily" has a maximum.
    found = part.up_to_times or found
    if found is not None and part.repeats is not None:
        found *= 1 + part.repeats
    if found is not None and part.most_times is not None:
        found = min(found, part.most_times)
    return found or None


def _up_to(part: Part, per_day: Fraction | None) -> Fraction | None:
    """Doses a day where `daily up to 3 tablets per day` makes them more, its upper end."""
    if part.up_to is None or part.amount is None or part.unit is None or per_day is None:
        return per_day
    most, unit = part.up_to
    if unit.kind != part.unit.kind:
        return per_day
    return max(per_day, most * unit.scale / (part.amount * part.unit.scale))


def _moments(part: Part) -> Fraction | None:
    """How many moments of the day are named, by word, by the clock or as meals; None if they
    disagree. `every morning at 8 am` is one moment, `every morning, 8 pm` are two.
    """
    named, clocks = len(part.moments), len(part.clocks)
    if part.meals:
        if clocks or part.moments - {"bedtime"}:
            return None
        return Fraction(MEALS_A_DAY + named)
    if not named or not clocks:
        return Fraction(named + clocks)
    again = {hour for hour in part.clocks if any(_lies_in(hour, name) for name in part.moments)}
    if not again:
        return Fraction(named + clocks)
    met = all(any(_lies_in(hour, name) for hour in part.clocks) for name in part.moments)
    return Fraction(named) if met and again == part.clocks and named == clocks else None


def _lies_in(hour: Fraction, moment: str) -> bool:
    """Whether an hour of the clock can be a moment of the day."""
    first, last = words.HOURS[moment]
    return first <= hour < last or first <= hour + 24 < last


def _dose(part: Part, timed: bool) -> SaidDose | None:
    if part.amount is None or part.unit is None:
        return None
    per_day = _per_day(part)
    if per_day is None and part.timed:
        return None
    if timed and not part.often:
        per_day = None  # "max 4 times a day" of a dose twice a day limits it
    if part.repeats_open:
        per_day = part.most_times
        if per_day is None and part.cap is None:
            return None
    cap = part.cap if part.up_to is None else least(part.cap, part.up_to)
    worn = part.unit.kind == MCG_PER_HOUR or part.unit.word == "patch"
    if per_day is None and cap is None and not worn and not timed:
        return None
    often = [times for times in (part.up_to_times, part.most_times) if times is not None]
    return SaidDose(
        amount=part.amount,
        unit=part.unit,
        per_day=_up_to(part, per_day),
        cap=cap,
        as_needed=part.as_needed,
        total=part.total,
        most_times=min(often, default=None),
        least=part.least,
    )


def _together(parts: list[Part]) -> bool:
    """Whether several doses are surely taken together: at different moments, or joined by `and`."""
    if len(parts) == 1:
        return True
    moments = [moment for part in parts for moment in (*part.moments, *part.clocks)]
    if all((part.moments or part.clocks) and not part.rates for part in parts):
        return len(moments) == len(set(moments))
    return all(part.joined == "and" for part in parts[1:]) and not any(
        part.as_needed for part in parts
    )
