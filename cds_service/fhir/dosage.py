"""Turn the dosage instructions of an order into an amount a day, at their most aggressive reading.

Several instructions: the same sequence is taken together, different sequences follow one another
and the greatest step counts; without sequences they are taken together, unless their dates do not
overlap or a text begins with "then". An instruction without a number belongs to every step. The
structured part wins; the text fills what it lacks, and only when it is understood as a whole. Then
comes quantity / days' supply, and last, as a bound, those of several instructions that can be read;
these come first where they use more a day than the supply allows.
"""

from __future__ import annotations

from fractions import Fraction

from cds_service.clinical.facts import Dose, Sig
from cds_service.fhir.dosage_joined import Gap, Read, beside, joined
from cds_service.fhir.dosage_steps import THEN, steps_of, text_of, words_of
from cds_service.fhir.dosage_words import (
    a_dose,
    differs,
    heeding,
    is_patch,
    of_known_dose,
    said_cap,
    said_dose,
    upper_end,
)
from cds_service.fhir.dose_amount import MOST_AT_ONCE, Amount, Unreadable, cap_of, stated_dose
from cds_service.fhir.r4_dosage import Dosage, Quantity
from cds_service.fhir.route import route_of, route_said
from cds_service.fhir.sig_text import SaidSig, read_aside, read_frequency, read_text
from cds_service.fhir.supply import supply_dose, uses_more, wear_days
from cds_service.fhir.timing import bounds_days, rhythm
from cds_service.fhir.units import MCG_PER_HOUR
from cds_service.frozen import replace
from cds_service.knowledge.drugs.model import Drug, Route


def read_sig(
    dosages: tuple[Dosage, ...],
    drug: Drug | None,
    quantity: Quantity | None,
    supply_days: int | None,
) -> Sig:
    """The amount a day; `supply_days` is the expected duration of one fill, for the fallback."""
    text = " | ".join(filter(None, (text_of(d) for d in dosages)))
    try:
        alone = len(dosages) == 1
        reads = [[_instruction(d, drug, alone=alone) for d in step] for step in steps_of(dosages)]
        if not reads:
            raise Gap("no dosage instruction")
        return joined(reads, text)
    except Unreadable as problem:
        return Sig(unread=str(problem), text=text)
    except Gap as gap:
        most = _most_alone(dosages, text, str(gap))
        if most is not None:
            return most
        days = supply_days or _last_bounds(dosages)
        dose = supply_dose(drug, quantity, days)
        rest = _readable(dosages, drug, text, str(gap))
        if rest is not None and (dose is None or uses_more(rest, dose, drug)):
            return rest
        routes = {route_of(d) for d in dosages} - {Route.UNKNOWN}
        route = routes.pop() if len(routes) == 1 else Route.UNKNOWN
        if dose is None or quantity is None:
            return Sig(unread=str(gap), text=text, bounds_days=_last_bounds(dosages), route=route)
        note = f"{quantity.number} for {days} days, because {gap}"
        # Words that were not read may allow more on some days than the supply does on all.
        partly = str(gap) if any(map(_unread_words, dosages)) else None
        bounds = _last_bounds(dosages)
        return Sig(((dose,),), None, "supply", text, (note,), bounds, route, partly)


def _most_alone(dosages: tuple[Dosage, ...], text: str, gap: str) -> Sig | None:
    """The daily maximum of the only instruction, whose dose or frequency is not told."""
    if len(dosages) != 1:
        return None
    (dosage,) = dosages
    cap, aside = cap_of(dosage), read_aside(text_of(dosage))
    if cap is None and aside is not None:
        cap = said_cap(aside.cap)
    if cap is None or not 0 < cap[0] <= MOST_AT_ONCE[cap[1]]:
        return None
    note = f"the daily maximum counts, because {gap}"
    dose = a_dose(Amount(*cap), Fraction(1), None, dosage.as_needed)
    return Sig(
        ((dose,),),
        text=text,
        notes=(note,),
        bounds_days=_last_bounds(dosages),
        route=route_of(dosage),
    )


def _unread_words(dosage: Dosage) -> bool:
    """Whether the words of an instruction say something that was not understood."""
    text = text_of(dosage)
    if not text or read_text(text, timed=True) is not None:
        return False
    return read_aside(text) is None and read_frequency(text) is None


def _readable(dosages: tuple[Dosage, ...], drug: Drug | None, text: str, gap: str) -> Sig | None:
    """What the instructions that can be read say, None if there are none."""
    reads: list[list[Read]] = []
    try:
        for step in steps_of(dosages):
            found = [read for d in step if (read := _attempted(d, drug)) is not None]
            if found:
                reads.append(found)
        if not reads:
            return None
        return replace(joined(reads, text), bounds_days=_last_bounds(dosages), partly=gap)
    except (Gap, Unreadable):
        return None


def _attempted(dosage: Dosage, drug: Drug | None) -> Read | None:
    try:
        return _instruction(dosage, drug)
    except Gap:
        return None


def _instruction(dosage: Dosage, drug: Drug | None, *, alone: bool = False) -> Read:
    """Read one instruction with all its words. Raises Gap, Unreadable."""
    read = _of_its_own(dosage, drug)
    for words in words_of(dosage)[read.basis == "text" :]:
        read = heeding(read, words, drug, alone=alone)
    return read


def _of_its_own(dosage: Dosage, drug: Drug | None) -> Read:
    """What the numbers of an instruction say, or its text. Raises Gap, Unreadable."""
    stated = stated_dose(dosage, drug)
    often = rhythm(dosage.timing)
    if often.fault:
        raise Unreadable(often.fault)
    cap, route = cap_of(dosage), route_of(dosage)
    amount, per_day = stated.amount, often.per_day
    if amount is not None and amount.per_day is not None:
        per_day = amount.per_day
    if amount is not None and per_day is not None:
        dose = a_dose(amount, per_day, cap, dosage.as_needed)
        return Read(((dose,),), bounds_days(dosage.timing, per_day), route=route)
    text = text_of(dosage)
    text = text[len(THEN) :] if text.lower().startswith(THEN) else text
    said = read_text(text, timed=per_day is not None)
    if said is None and amount is not None:
        said = of_known_dose(text, amount)
    if said is not None:
        return _with_text(dosage, drug, said, amount, per_day)
    if amount is not None:
        return _without_frequency(dosage, drug, amount, cap, route)
    aside = None if dosage.doses or dosage.timing is not None else read_aside(text)
    if aside is not None:
        return beside(dosage, aside)
    unread = ", and its text could not be read" if text_of(dosage) else ""
    raise Gap(f"{stated.why}{unread}")


def _without_frequency(
    dosage: Dosage,
    drug: Drug | None,
    amount: Amount,
    cap: tuple[Fraction, str] | None,
    route: Route,
) -> Read:
    """A rate, a patch (always worn) or a daily maximum needs no frequency; anything else is
    not read.
    """
    days = bounds_days(dosage.timing, None)
    if amount.unit == MCG_PER_HOUR:
        return Read(((a_dose(amount, Fraction(1), cap, dosage.as_needed),),), days, route=route)
    if is_patch(amount, drug):
        wear = wear_days(drug)
        note = f"no interval; each patch taken as worn {wear} days"
        return Read(
            ((a_dose(amount, 1 / wear, cap, dosage.as_needed),),), days, route=route, notes=(note,)
        )
    if cap is not None and cap[1] == amount.unit:
        dose = a_dose(amount, cap[0] / amount.value, cap, dosage.as_needed)
        return Read(
            ((dose,),), days, route=route, notes=("no frequency; the daily maximum counts",)
        )
    unread = ", and its text could not be read" if text_of(dosage) else ""
    raise Gap(f"the instruction says no frequency{unread}")


def _with_text(
    dosage: Dosage,
    drug: Drug | None,
    said: SaidSig,
    amount: Amount | None,
    per_day: Fraction | None,
) -> Read:
    """Fill what the structured part lacks from its text. Raises Gap when they disagree."""
    doses = tuple(dose for step in said.steps for dose in step)
    if amount is not None and len(doses) == 1:
        amount = upper_end(amount, doses[0])
    if amount is not None and all(differs(amount, dose) for dose in doses):
        raise Gap("the dose and the text of the instruction disagree")
    steps: tuple[tuple[Dose, ...], ...]
    if len(doses) == 1:
        steps = ((said_dose(doses[0], drug, amount, per_day, cap_of(dosage), dosage.as_needed),),)
    else:
        steps = tuple(
            tuple(said_dose(dose, drug, None, None, None, dosage.as_needed) for dose in step)
            for step in said.steps
        )
    days = bounds_days(dosage.timing, steps[0][0].per_day)
    route = route_of(dosage)
    return Read(
        steps,
        said.days if days is None else days,
        "text",
        route_said(said.route) if route is Route.UNKNOWN else route,
        ("read from its text",),
    )


def _last_bounds(dosages: tuple[Dosage, ...]) -> int | None:
    found = [days for d in dosages if (days := bounds_days(d.timing, None)) is not None]
    return max(found, default=None)
