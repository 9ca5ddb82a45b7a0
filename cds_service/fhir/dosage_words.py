"""What the words of an instruction say beside its numbers: the most that either allows counts, within
the least maximum.
"""

from __future__ import annotations

from fractions import Fraction

from cds_service.clinical.daily_dose import dosed_alone
from cds_service.clinical.facts import Dose, Sig
from cds_service.fhir.dosage_joined import Gap, Read
from cds_service.fhir.dose_amount import Amount, Unreadable, checked, strength_known
from cds_service.fhir.sig_text import SaidDose, SaidSig, read_text, read_timing
from cds_service.fhir.supply import uses_more, wear_days
from cds_service.fhir.timing import MOST_PER_DAY
from cds_service.fhir.units import COUNT, MCG, MCG_PER_HOUR, MG, Unit
from cds_service.frozen import replace
from cds_service.knowledge.drugs.model import Drug, Route

Cap = tuple[Fraction, str]
_MORE = "its words allow more than its coded dose"


def heeding(read: Read, words: str, drug: Drug | None, *, alone: bool) -> Read:
    """An instruction of one dose with what further words say of it.

    Words of several doses are heard where the instruction stands `alone`: an EHR may print those of the
    whole order with each.
    """
    (dose,) = read.steps[0] if len(read.steps) == 1 and len(read.steps[0]) == 1 else (None,)
    if dose is None:
        return read
    amount = Amount(dose.amount, dose.unit, dose.unit_text)
    said = read_text(words, timed=True) or of_known_dose(words, amount, timed=True)
    every = () if said is None else tuple(also for step in said.steps for also in step)
    if said is None or (len(every) > 1 and not alone):
        return read
    known = None
    if len(every) == 1:
        (also,) = every
        known = amount if said_cap(also.total) == (amount.value, amount.unit) else None
        dose = _limited(dose, amount, also, said_again=known is not None)
    try:
        steps = tuple(tuple(_as_said(a, dose, known, drug) for a in step) for step in said.steps)
    except Unreadable:
        steps = ((dose,),)
    if uses_more(Sig(steps), dose, drug):
        return replace(read, steps=steps, basis="text", notes=(*read.notes, _MORE))
    return replace(read, steps=((dose,),))


def _as_said(said: SaidDose, dose: Dose, known: Amount | None, drug: Drug | None) -> Dose:
    """A dose of a text in the rhythm that the text says, else in that of the structure."""
    per_day = dose.per_day if said.per_day is None else None
    return said_dose(said, drug, known, per_day, _cap(dose), dose.as_needed)


def _cap(dose: Dose) -> Cap | None:
    return None if dose.cap is None else (dose.cap, dose.cap_unit)


def _limited(dose: Dose, amount: Amount, said: SaidDose, *, said_again: bool) -> Dose:
    """The dose within the maximum of a text that speaks of it."""
    if not said_again and not _of_one_dose(amount, said):
        return dose
    cap = _lesser(_cap(dose), _most(said, amount, dose.per_day))
    return a_dose(amount, dose.per_day, cap, dose.as_needed)


def of_known_dose(text: str, amount: Amount, *, timed: bool = False) -> SaidSig | None:
    """What a text without a dose says of the structured one."""
    return read_timing(text, amount.value, Unit(amount.unit, word=amount.word), timed=timed)


def upper_end(amount: Amount, said: SaidDose) -> Amount:
    """The dose that a text gives a range of, if it is the lower end: the most that may be taken."""
    if said.least is None or amount.unit != said.unit.kind:
        return amount
    if amount.value != said.least * said.unit.scale:
        return amount
    return checked(replace(amount, value=said.amount * said.unit.scale))


def differs(amount: Amount, said: SaidDose) -> bool:
    """Whether a text names another dose in the same unit."""
    return amount.unit == said.unit.kind and amount.value != said.amount * said.unit.scale


def said_dose(
    said: SaidDose,
    drug: Drug | None,
    amount: Amount | None,
    per_day: Fraction | None,
    cap: Cap | None,
    as_needed: bool,
) -> Dose:
    """A dose of the text, with what the structured part says in its place; the greater of two
    frequencies counts. Raises Gap, Unreadable.
    """
    if amount is None:
        amount = _said_amount(said, drug)
    cap = cap or said_cap(said.cap)
    if per_day is None or (said.per_day is not None and said.per_day > per_day):
        per_day = said.per_day
    if per_day is None and is_patch(amount, drug):
        per_day = 1 / wear_days(drug)
    if per_day is None and amount.unit == MCG_PER_HOUR:
        per_day = Fraction(1)
    if per_day is None and cap is not None and cap[1] == amount.unit:
        per_day = cap[0] / amount.value
    if per_day is None:
        raise Gap("the instruction says no frequency")
    return a_dose(amount, per_day, cap, as_needed or said.as_needed)


def a_dose(amount: Amount, per_day: Fraction, cap: Cap | None, as_needed: bool) -> Dose:
    """A dose so often, its maximum in its own unit of mass. Raises Unreadable."""
    if per_day <= 0 or per_day > MOST_PER_DAY:
        raise Unreadable("the frequency is not believable")
    most, unit = cap if cap is not None and cap[0] > 0 else (None, "")
    if most is not None and {unit, amount.unit} == {MG, MCG}:
        most, unit = (most * 1000 if unit == MG else most / 1000), amount.unit
    return Dose(amount.value, amount.unit, per_day, most, unit, amount.word, as_needed)


def is_patch(amount: Amount, drug: Drug | None) -> bool:
    """Whether patches are counted."""
    transdermal = drug is not None and drug.route is Route.TRANSDERMAL
    return amount.word == "patch" or (transdermal and amount.unit == COUNT and not amount.word)


def _said_amount(said: SaidDose, drug: Drug | None) -> Amount:
    """How much a text says is taken: what is counted, or its total in mg where no strength is known or
    the total is more than the strength makes of the count. Raises Unreadable.
    """
    counted = checked(Amount(said.amount * said.unit.scale, said.unit.kind, said.unit.word))
    if said.total is None:
        return counted
    total = checked(Amount(said.total[0] * said.total[1].scale, said.total[1].kind))
    if not strength_known(drug):
        return total
    once = [a_dose(amount, Fraction(1), None, False) for amount in (total, counted)]
    more = dosed_alone(drug) and uses_more(Sig(((once[0],),)), once[1], drug)
    return total if more else counted


def _of_one_dose(amount: Amount, said: SaidDose) -> bool:
    """Whether a text speaks of the structured dose: the same, a range that holds it, another unit."""
    if amount.unit != said.unit.kind:
        return True
    least = said.amount if said.least is None else said.least
    return least * said.unit.scale <= amount.value <= said.amount * said.unit.scale


def _most(said: SaidDose, amount: Amount, per_day: Fraction) -> Cap | None:
    """The most a day that a text allows of the structured dose."""
    if said.cap is None and said.most_times is not None and said.most_times < per_day:
        return amount.value * said.most_times, amount.unit
    return said_cap(said.cap)


def said_cap(most: tuple[Fraction, Unit] | None) -> Cap | None:
    """A daily maximum of a text, in the units of doses."""
    return None if most is None else (most[0] * most[1].scale, most[1].kind)


def _lesser(one: Cap | None, other: Cap | None) -> Cap | None:
    """The lesser of two maxima in one unit, else the first."""
    if one is None or other is None:
        return one or other
    return other if other[1] == one[1] and other[0] < one[0] else one
