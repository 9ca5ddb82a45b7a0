"""How much of each opioid one prescription gives a day, and why it cannot be told where it
cannot. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from cds_service.clinical.daily_dose import Uncountable, added, daily_dose, labelled_hours, show
from cds_service.clinical.facts import Dose, Sig
from cds_service.frozen import Frozen
from cds_service.knowledge.drugs.model import Drug, Route
from cds_service.knowledge.model import FactorRow, FactorTable

# Factors without a route of their own are for what is swallowed or absorbed in mouth or rectum; a drug
# of unknown route is an ingredient code or a name, which the tables take as oral.
ENTERAL = frozenset({Route.ORAL, Route.SUBLINGUAL, Route.BUCCAL, Route.RECTAL, Route.UNKNOWN})
PARENTERAL = frozenset({Route.INJECTION, Route.IMPLANT})
FOR_OUD = "treatment of opioid use disorder: conversion factors do not apply"


class Portion(Frozen):
    """One opioid of a prescription: `amount` a day (or the rate worn) in the `per` of its
    factor `rows`; `mme` a day where the factor is the same whatever the patient's total.
    """

    ingredient: str
    rows: tuple[FactorRow, ...]
    amount: Fraction
    says: str
    mme: Fraction | None = None


class Amount(Frozen):
    """The opioids of a prescription at its greatest step, or `why` they could not be counted."""

    portions: tuple[Portion, ...] = ()
    why: str = ""
    notes: tuple[str, ...] = ()
    partial: bool = False  # at least so much: another instruction could not be read


def opioid_amount(drug: Drug | None, sig: Sig, table: FactorTable) -> Amount:
    """The opioids a day of `drug` taken as `sig` says, as far as `table` converts them."""
    for of, by, amount in sig.amounted:
        if of is drug and by is table:
            found: Amount = amount
            return found
    found = _converted(drug, sig, table)
    if sig.steps:
        sig.amounted[:] = [(drug, table, found)]
    return found


def _converted(drug: Drug | None, sig: Sig, table: FactorTable) -> Amount:
    if drug is None or not drug.opioids:
        return Amount(why="known by name only")
    try:
        rows = _factors(drug, sig, table)
        if sig.unread is not None:
            return Amount(why=f"dose could not be read: {sig.unread}")
        steps = [_step(drug, step, rows) for step in sig.steps]
    except Uncountable as problem:
        return Amount(why=str(problem))
    greatest = max(steps, key=_weight) if len(steps) > 1 else steps[0]
    return Amount(
        greatest,
        notes=(*sig.notes, *_patch_notes(drug, sig), *_bounds(sig)),
        partial=sig.partly is not None,
    )


def _bounds(sig: Sig) -> Iterator[str]:
    """Why the amount is the least there is."""
    if sig.partly and sig.basis == "supply":
        yield "at least, as the instruction could allow more on some days"
    elif sig.partly:
        yield f"at least, as another instruction could not be read: {sig.partly}"


def factor_for(rows: tuple[FactorRow, ...], patient_total: Fraction) -> FactorRow:
    """The row in force: the tier the patient's total of the ingredient a day falls in, else
    the only row.
    """
    for row in rows:
        above = row.above is None or patient_total > Fraction(row.above)
        if above and (row.up_to is None or patient_total <= Fraction(row.up_to)):
            return row
    return rows[-1]


def _weight(portions: tuple[Portion, ...]) -> Fraction:
    return added(p.amount * factor_for(p.rows, p.amount).exact for p in portions)


def _factors(drug: Drug, sig: Sig, table: FactorTable) -> dict[str, tuple[FactorRow, ...]]:
    """The factor rows of each opioid of the drug; raises Uncountable for one that is never
    converted.
    """
    if drug.oud_only:
        raise Uncountable(FOR_OUD)
    ingredients = {c.ingredient for c in drug.opioids}
    for ingredient in sorted(ingredients & set(table.never)):
        raise Uncountable(f"{ingredient} is not converted: {table.never[ingredient]}")
    route = sig.route if drug.route is Route.UNKNOWN else drug.route
    if route in PARENTERAL or sig.route in PARENTERAL:
        raise Uncountable("given by injection or implant: no conversion factor")
    found = {}
    for ingredient in ingredients:
        rows = tuple(
            r for r in table.rows if r.ingredient == ingredient and _row_fits(r, drug, route)
        )
        if not rows:
            raise Uncountable(f"no conversion factor for {ingredient} in this form ({table.label})")
        found[ingredient] = rows
    return found


def _row_fits(row: FactorRow, drug: Drug, route: Route) -> bool:
    if row.forms and drug.dose_form.lower() not in row.forms:
        return False
    return route.value in row.routes if row.routes else route in ENTERAL


def _step(
    drug: Drug, doses: tuple[Dose, ...], rows: dict[str, tuple[FactorRow, ...]]
) -> tuple[Portion, ...]:
    """What is taken together in one step, per opioid."""
    found = []
    for ingredient, factors in sorted(rows.items()):
        parts = tuple(c for c in drug.opioids if c.ingredient == ingredient)
        amounts = [daily_dose(drug, parts, dose, factors[0].per) for dose in doses]
        says = " + ".join(text for _, text in amounts)
        total = added(amount for amount, _ in amounts)
        says = f"({says})" if len(amounts) > 1 else says
        mme = total * factors[0].exact if len(factors) == 1 else None
        found.append(Portion(ingredient, factors, total, says, mme))
    return tuple(found)


def _patch_notes(drug: Drug, sig: Sig) -> Iterator[str]:
    """Remarks on how a patch is worn; the rate it gives does not depend on them."""
    label = labelled_hours(drug)
    if drug.route is not Route.TRANSDERMAL or label is None or sig.basis == "supply":
        return
    for dose in (dose for step in sig.steps for dose in step if dose.unit == "unit"):
        hours = 24 / dose.per_day
        if hours != label:
            yield f"changed every {show(hours)} hours, labelled for {label}"
        if dose.amount.denominator != 1:
            yield "part of a patch"
