"""Several dosage instructions as one: what is taken together, and what only stands beside it."""

from __future__ import annotations

from fractions import Fraction

from cds_service.clinical.facts import Dose, Sig
from cds_service.fhir.dose_amount import Stated, cap_of
from cds_service.fhir.r4_dosage import Dosage
from cds_service.fhir.route import route_of, route_said
from cds_service.fhir.sig_text import Aside
from cds_service.frozen import Frozen, replace
from cds_service.knowledge.drugs.model import Route


class Gap(Exception):
    """What an instruction lacks to be read."""


class Read(Frozen):
    """One instruction: its steps, how long it lasts, by which route; without steps it is beside the
    others, and `cap` is the most a day of theirs.
    """

    steps: tuple[tuple[Dose, ...], ...]
    days: int | None = None
    basis: str = "structured"
    route: Route = Route.UNKNOWN
    notes: tuple[str, ...] = ()
    cap: tuple[Fraction, str] | None = None


def joined(reads: list[list[Read]], text: str) -> Sig:
    """One Sig of all instructions. Raises Gap for texts with steps of their own to be
    taken together.
    """
    steps: list[tuple[Dose, ...]] = []
    lengths: list[int | None] = []
    for group in reads:
        dosed = [read for read in group if read.steps]
        if len(dosed) > 1 and any(len(read.steps) > 1 for read in dosed):
            raise Gap("several instructions have steps of their own")
        if not dosed:
            continue
        together = tuple(dose for read in dosed for dose in read.steps[0])
        said = dosed[0].steps if len(dosed) == 1 else (together,)
        steps.extend(said if len(dosed) == len(group) else [_within(s, group) for s in said])
        known = [read.days for read in dosed if read.days is not None]
        lengths.append(max(known) if len(known) == len(dosed) else None)
    if not steps:
        raise Gap(Stated().why)
    every = [read for group in reads for read in group]
    routes = {read.route for read in every} - {Route.UNKNOWN}
    whole = sum(days for days in lengths if days is not None) if None not in lengths else None
    return Sig(
        steps=tuple(steps),
        basis="text" if any(read.basis == "text" for read in every) else "structured",
        text=text,
        notes=tuple(dict.fromkeys(note for read in every for note in read.notes)),
        bounds_days=whole,
        route=routes.pop() if len(routes) == 1 else Route.UNKNOWN,
    )


def _within(step: tuple[Dose, ...], group: list[Read]) -> tuple[Dose, ...]:
    """The doses of a step within the daily maximum that an instruction beside them names; one in
    another unit than several doses limits nothing.
    """
    for most, unit in (read.cap for read in group if read.cap is not None):
        if len(step) == 1:
            (dose,) = step
            if dose.cap is None or (dose.cap_unit == unit and most < dose.cap):
                step = (replace(dose, cap=most, cap_unit=unit),)
        elif {dose.unit for dose in step} == {unit} and sum(dose.daily for dose in step) > most:
            step = (replace(step[0], amount=most, per_day=Fraction(1), cap=None, cap_unit=""),)
    return step


def beside(dosage: Dosage, aside: Aside) -> Read:
    """An instruction without a dose: words for the patient, or the most a day."""
    cap, route = cap_of(dosage), route_of(dosage)
    if cap is None and aside.cap is not None and aside.cap[0] > 0:
        cap = aside.cap[0] * aside.cap[1].scale, aside.cap[1].kind
    return Read((), route=route_said(aside.route) if route is Route.UNKNOWN else route, cap=cap)
