"""Which medication orders and statements count: being signed, current, coming, past or
replaced. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from cds_service.clinical.facts import Dispense, Facts, Need, Order, Statement
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen, replace
from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.agreement import has_strengths
from cds_service.knowledge.drugs.model import Drug, DrugClass

NEVER_TAKEN = frozenset({"draft", "cancelled", "entered-in-error", "revoked"})
UNCERTAIN = frozenset({"", "unknown"})
_NOT_TAKEN = NEVER_TAKEN | UNCERTAIN


class Exposure(Frozen):
    """A drug the patient takes or is about to take; `basis`: order | statement | dispense."""

    ref: str
    label: str
    drug: Drug | None
    draft: bool
    basis: str
    inpatient: bool = False


class Medications(Frozen):
    """The patient's medication orders as they stand on the as-of date.

    `drafts` are being signed; `active` chart orders are current; `coming` ones begin later;
    `uncertain` ones have no readable status; `past` ones are over; `replaced` ones are current but
    renewed by a draft.
    """

    drafts: tuple[Order, ...] = ()
    active: tuple[Order, ...] = ()
    coming: tuple[Order, ...] = ()
    uncertain: tuple[Order, ...] = ()
    past: tuple[Order, ...] = ()
    replaced: tuple[Order, ...] = ()
    statements: tuple[Statement, ...] = ()

    @property
    def opioid_drafts(self) -> tuple[Order, ...]:
        """Opioids being signed, products for opioid use disorder included."""
        return tuple([order for order in self.drafts if order.opioid])

    @property
    def active_opioids(self) -> tuple[Order, ...]:
        """Current opioid orders of the chart, products for opioid use disorder included."""
        return tuple([order for order in self.active if order.opioid])

    @property
    def past_opioids(self) -> tuple[Order, ...]:
        """Opioid orders of the chart that are over."""
        return tuple([order for order in self.past if order.opioid])

    def exposures(self, *classes: DrugClass, drafts: bool = False) -> tuple[Exposure, ...]:
        """Orders and statements of drugs of any of `classes`; with `drafts` also those being
        signed.

        An order that a draft renews is left out with `drafts`, and in without them.
        """
        orders = (*self.drafts, *self.active) if drafts else (*self.active, *self.replaced)
        found = [
            Exposure(o.ref, label_of(o), o.drug, o.draft, "order", o.inpatient)
            for o in orders
            if _is_a(o, classes)
        ]
        known = {exposure.drug.rxcui for exposure in found if exposure.drug and exposure.drug.rxcui}
        refs = {exposure.ref for exposure in found}
        for stated in self.statements:
            repeated = stated.drug is not None and stated.drug.rxcui in known
            if _is_a(stated, classes) and not repeated and refs.isdisjoint(stated.based_on):
                found.append(
                    Exposure(stated.ref, label_of(stated), stated.drug, False, "statement")
                )
        return tuple(found)


def _is_a(fact: Order | Statement, classes: tuple[DrugClass, ...]) -> bool:
    if DrugClass.OPIOID in classes and fact.opioid:
        return True
    return fact.drug is not None and fact.drug.is_a(*classes)


def label_of(fact: Order | Statement | Dispense) -> str:
    """What the chart calls the drug, else its RxNorm name."""
    return fact.text or (fact.drug.name if fact.drug else "") or "unnamed medication"


def stands_for(order: Order | Statement, other: Statement | Dispense) -> bool:
    """Whether an order gives what the patient is said to take or was handed out.

    Of an opioid that is the same product, as another strength or release is taken beside it; where a
    strength is not known, the same opioid.
    """
    if order.drug is None or other.drug is None:
        return same_drug(order, other)
    if opioids_or_all(order.drug).isdisjoint(opioids_or_all(other.drug)):
        return False
    if not other.drug.opioids:
        return True
    certain = not other.drug_conflict or other.strengths_differ
    if certain and not (has_strengths(order.drug) and has_strengths(other.drug)):
        return True
    return certain and same_drug(order, other)


def one_of_each(orders: Iterable[Order]) -> tuple[Order, ...]:
    """The first order of each product: long charts repeat a few of them."""
    kinds: dict[tuple[object, ...], Order] = {}
    for order in orders:
        kinds.setdefault((id(order.drug), order.codes, order.text), order)
    return tuple(kinds.values())


def named_by(order: Order, other: Statement | Dispense) -> bool:
    """Whether a statement or a dispense names the order; one id may be another drug's as well."""
    named = other.based_on if isinstance(other, Statement) else other.orders
    if order.ref not in named:
        return False
    if order.drug is None or other.drug is None:
        return True
    return not opioids_or_all(order.drug).isdisjoint(opioids_or_all(other.drug))


def opioids_or_all(drug: Drug) -> frozenset[str]:
    """The opioids of a drug, else all it contains."""
    return frozenset(c.ingredient for c in drug.opioids or drug.components)


def same_drug(one: Order | Statement | Dispense, other: Order | Statement | Dispense) -> bool:
    """Whether two prescriptions are of one product, brand and generic alike; unknown drugs go by
    code or text.
    """
    return not product_marks(one).isdisjoint(product_marks(other))


def product_marks(fact: Order | Statement | Dispense) -> frozenset[object]:
    """What tells the product: prescriptions with a mark in common are of the same one."""
    drug = fact.drug
    if drug is None:
        return fact.codes | {fact.text.casefold()} if fact.text else fact.codes
    coded = fact.codes | {Code("RXNORM", drug.rxcui)} if drug.rxcui else fact.codes
    parts = frozenset((c.ingredient, c.strength, c.unit) for c in drug.components)
    return coded | {(parts, drug.route, drug.dose_form.lower(), drug.extended_release)}


@reasoning(wants=(Need.MEDICATIONS, Need.STATEMENTS))
def medications(facts: Facts, known: Known) -> Medications:
    """Sort the patient's orders: what is signed now, current, coming, over, or renewed by this
    call.

    A chart order is current while its status is active and its supply, refills counted, has not run
    out.
    """
    as_of = facts.as_of
    signed = tuple([o for o in _once(facts.drafts) if o.meant])
    chart = tuple([o for o in _once([o for o in facts.orders if not o.draft]) if o.meant])
    signed, chart = _carrying_out(signed, (*signed, *chart)), _carrying_out(chart, chart)
    drafts = _not_renewed(signed, chart)
    superseded = frozenset(_superseded(chart, as_of))
    live: list[Order] = []
    renewed: list[Order] = []
    past: list[Order] = []
    for order in chart:
        if order.status != "active" or _over(order, as_of) or order.ref in superseded:
            if order.status not in _NOT_TAKEN and (order.span is None or order.span.start <= as_of):
                past.append(order)
        elif any(_renews(draft, order) for draft in signed):
            renewed.append(order)
        else:
            live.append(order)
    return Medications(
        drafts=drafts,
        active=tuple([o for o in live if not _later(o, as_of)]),
        coming=tuple([o for o in live if _later(o, as_of)]),
        uncertain=tuple([o for o in chart if o.status in UNCERTAIN and not _over(o, as_of)]),
        past=tuple(past),
        replaced=tuple(o for o in renewed if not _later(o, as_of)),
        statements=tuple(s for s in facts.statements if still_taken(s, as_of)),
    )


def _once(orders: Sequence[Order]) -> tuple[Order, ...]:
    """Each order once: an id that stands twice for the same drug is one order, for two
    drugs it is two.
    """
    listed = [o for o in orders if o.status == "active"]
    listed += [o for o in orders if o.status != "active"]
    if len({order.ref for order in listed}) == len(listed):
        return tuple(listed)
    kept: list[Order] = []
    by_ref: dict[str, list[Order]] = {}
    for order in listed:
        twins = by_ref.get(order.ref)
        if twins is None or not order.ref:
            by_ref[order.ref] = [order]
            kept.append(order)
        elif not any(same_drug(order, twin) for twin in twins):
            twins.append(order)
            kept.append(order)
    return tuple(kept)


def _carrying_out(orders: tuple[Order, ...], known: tuple[Order, ...]) -> tuple[Order, ...]:
    """The orders, one that is based on another of the same product naming that as what it replaces:
    both are one prescription. One that names its prior says so itself.
    """
    if not [order for order in orders if order.based_on]:
        return orders
    by_ref: dict[str, list[Order]] = {}
    for order in known:
        by_ref.setdefault(order.ref, []).append(order)
    return tuple([_carrying_out_one(order, by_ref) for order in orders])


def _carrying_out_one(order: Order, by_ref: Mapping[str, list[Order]]) -> Order:
    if order.prior:
        return order
    bases = (o for ref in order.based_on for o in by_ref.get(ref, ()) if o is not order)
    same = next((base.ref for base in bases if same_drug(order, base)), "")
    return replace(order, prior=same) if same else order


def _over(order: Order, as_of: date) -> bool:
    return order.span is not None and order.span.end is not None and order.span.end <= as_of


def _later(order: Order, as_of: date) -> bool:
    return order.span is not None and order.span.start > as_of


def _renews(draft: Order, order: Order) -> bool:
    """A re-signed order (same id, same drug), or one the draft names as the prescription it
    replaces.
    """
    if draft.prior and draft.prior == order.ref:
        return True
    return bool(draft.ref) and draft.ref == order.ref and _same_ingredients(draft, order)


def _not_renewed(signed: tuple[Order, ...], chart: tuple[Order, ...]) -> tuple[Order, ...]:
    """The drafts without those that another draft replaces; drafts naming each other both stay.

    An id that is another drug's as well, in the chart or among the drafts, tells nothing of a draft.
    """
    prior = {draft.ref: draft.prior for draft in signed if draft.prior}
    if not prior:
        return signed
    named = {old for new, old in prior.items() if old != new and prior.get(old) != new}
    others = {
        old.ref
        for draft in signed
        if draft.ref in named
        for old in (*signed, *chart)
        if old is not draft and old.ref == draft.ref and not _renews(draft, old)
    }
    return tuple(draft for draft in signed if draft.ref not in named - others)


def _same_ingredients(one: Order, other: Order) -> bool:
    """Whether two orders are of one drug in any strength: a revised order keeps its id."""
    if one.drug is None or other.drug is None or not one.drug.components:
        return same_drug(one, other)
    return {c.ingredient for c in one.drug.components} == {
        c.ingredient for c in other.drug.components
    }


def _superseded(chart: tuple[Order, ...], as_of: date) -> Iterator[str]:
    """References that another active order which has begun replaces; orders naming each
    other both stay.
    """
    naming = [order for order in chart if order.prior]
    prior = {order.ref: order.prior for order in chart} if naming else {}
    for order in naming:
        if order.status != "active" or _later(order, as_of):
            continue
        if order.prior != order.ref and prior.get(order.prior) != order.ref:
            yield order.prior


def still_taken(stated: Statement, as_of: date) -> bool:
    """Said to be taken, and not for other days only."""
    return stated.status == "active" and (stated.span is None or stated.span.covers(as_of))
